"""The ten languages: file names, grammars, and where their functions and comments stand in the syntax tree."""

import importlib
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import PurePosixPath
from typing import Literal

import tree_sitter

__all__ = [
    "LANGUAGES",
    "CommentStyle",
    "Language",
    "grammar",
    "grammar_of_path",
    "language_of_path",
    "parse",
    "syntax_query",
]

CommentStyle = Literal["docstring", "block", "any", "hash", "xml"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Language:
    """What the extractor has to know about one language; a new language is a new entry of `LANGUAGES`."""

    name: str
    extensions: tuple[str, ...]
    module: str
    """The grammar's wheel."""
    function_query: str
    """Captures every function with a body as `@function`, every comment as `@comment`, and class-like nodes, whose
    name qualifies their methods, as `@container`."""
    comments: CommentStyle
    """Which comments document a function: a string inside it (`docstring`), `/** */` (`block`), any comment right
    above (`any`), `#` lines (`hash`), or `///` with XML (`xml`)."""
    grammar_function: str = "language"
    wrappers: frozenset[str] = frozenset()
    """Nodes around a function that belong to it, such as decorators or `export`."""


_SCRIPT_FUNCTIONS = """
    [(function_declaration) (generator_function_declaration) (method_definition)] @function
    (variable_declarator value: [(arrow_function) (function_expression) (generator_function)]) @function
    (assignment_expression right: [(arrow_function) (function_expression) (generator_function)]) @function
    (pair value: [(arrow_function) (function_expression) (generator_function)]) @function
    (export_statement value: [(arrow_function) (function_expression)]) @function
    [(class_declaration) (class)] @container
    (comment) @comment
    (decorator) @decorator
"""
_SCRIPT_WRAPPERS = frozenset(
    {"export_statement", "lexical_declaration", "variable_declaration", "expression_statement"}
)

_C_FUNCTIONS = """
    (function_definition body: (compound_statement)) @function
    (comment) @comment
"""

LANGUAGES: dict[str, Language] = {
    language.name: language
    for language in (
        Language(
            name="python",
            extensions=(".py", ".pyi"),
            module="tree_sitter_python",
            function_query="""
                (function_definition) @function
                (class_definition) @container
                (comment) @comment
            """,
            comments="docstring",
            wrappers=frozenset({"decorated_definition"}),
        ),
        Language(
            name="java",
            extensions=(".java",),
            module="tree_sitter_java",
            function_query="""
                (method_declaration body: (_)) @function
                [(constructor_declaration) (compact_constructor_declaration)] @function
                [(class_declaration) (interface_declaration) (enum_declaration) (record_declaration)] @container
                [(line_comment) (block_comment)] @comment
            """,
            comments="block",
        ),
        Language(
            name="ruby",
            extensions=(".rb", ".rake", ".gemspec"),
            module="tree_sitter_ruby",
            function_query="""
                [(method) (singleton_method)] @function
                [(class) (module)] @container
                (comment) @comment
            """,
            comments="hash",
            wrappers=frozenset({"argument_list", "call"}),
        ),
        Language(
            name="javascript",
            extensions=(".js", ".mjs", ".cjs", ".jsx"),
            module="tree_sitter_javascript",
            function_query=_SCRIPT_FUNCTIONS
            + "(field_definition value: [(arrow_function) (function_expression)]) @function",
            comments="block",
            wrappers=_SCRIPT_WRAPPERS,
        ),
        Language(
            name="typescript",
            extensions=(".ts", ".tsx", ".mts", ".cts"),
            module="tree_sitter_typescript",
            grammar_function="language_typescript",
            function_query=_SCRIPT_FUNCTIONS
            + "(public_field_definition value: [(arrow_function) (function_expression)]) @function"
            + "[(abstract_class_declaration) (interface_declaration)] @container",
            comments="block",
            wrappers=_SCRIPT_WRAPPERS,
        ),
        Language(
            name="go",
            extensions=(".go",),
            module="tree_sitter_go",
            function_query="""
                [(function_declaration body: (_)) (method_declaration body: (_))] @function
                (comment) @comment
            """,
            comments="any",
        ),
        Language(
            name="php",
            extensions=(".php", ".inc"),
            module="tree_sitter_php",
            grammar_function="language_php",
            function_query="""
                [(function_definition) (method_declaration body: (_))] @function
                [(class_declaration) (interface_declaration) (trait_declaration) (enum_declaration)] @container
                (comment) @comment
            """,
            comments="block",
        ),
        Language(
            name="c",
            extensions=(".c", ".h"),
            module="tree_sitter_c",
            function_query=_C_FUNCTIONS,
            comments="any",
        ),
        Language(
            name="cpp",
            extensions=(".cpp", ".cc", ".cxx", ".hpp", ".hh", ".hxx", ".ipp", ".tcc"),
            module="tree_sitter_cpp",
            function_query=_C_FUNCTIONS + "[(class_specifier) (struct_specifier)] @container",
            comments="any",
            wrappers=frozenset({"template_declaration"}),
        ),
        Language(
            name="csharp",
            extensions=(".cs",),
            module="tree_sitter_c_sharp",
            function_query="""
                (method_declaration body: (_)) @function
                (constructor_declaration body: (_)) @function
                (local_function_statement body: (_)) @function
                [(destructor_declaration) (operator_declaration) (conversion_operator_declaration)] @function
                [(class_declaration) (struct_declaration) (interface_declaration) (record_declaration)] @container
                (comment) @comment
            """,
            comments="xml",
        ),
    )
}

_BY_EXTENSION = {extension: name for name, language in LANGUAGES.items() for extension in language.extensions}
_TSX = "tsx"


def language_of_path(path: str) -> str | None:
    """Return the language of a file by its name, or None; a `.h` file is C until its content says otherwise."""
    return _BY_EXTENSION.get(PurePosixPath(path).suffix.lower())


def grammar_of_path(language: str, path: str) -> str:
    """Return the grammar for a file: its language, but `tsx` for TypeScript with JSX."""
    return _TSX if language == "typescript" and path.endswith(".tsx") else language


@cache
def grammar(name: str) -> tree_sitter.Language:
    """Return the tree-sitter grammar of a language; `tsx` names TypeScript's dialect with JSX.

    Args:
        name: A key of `LANGUAGES`, or `tsx`.

    Returns:
        The grammar, loaded once.

    Raises:
        ValueError: If the language is unknown.
    """
    if name == _TSX:
        return tree_sitter.Language(importlib.import_module("tree_sitter_typescript").language_tsx())
    if name not in LANGUAGES:
        raise ValueError(f"unknown language {name!r}; known are {', '.join(LANGUAGES)}")
    language = LANGUAGES[name]
    return tree_sitter.Language(getattr(importlib.import_module(language.module), language.grammar_function)())


@cache
def syntax_query(name: str) -> tree_sitter.Query:
    """Return the compiled `function_query` of a language; `tsx` is known too."""
    return tree_sitter.Query(grammar(name), LANGUAGES["typescript" if name == _TSX else name].function_query)


@lru_cache(maxsize=1)
def parse(source: bytes, name: str) -> tree_sitter.Tree:
    """Return the syntax tree of `source`; a new parser each time, since parsers must not be shared by threads.

    The last tree is kept, for callers that look at one text in two ways.

    Args:
        source: Source text in UTF-8.
        name: A key of `LANGUAGES`, or `tsx`.

    Returns:
        The tree, which is not changed by reading it.
    """
    return tree_sitter.Parser(grammar(name)).parse(source)
