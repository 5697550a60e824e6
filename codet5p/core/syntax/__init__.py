"""Functions of ten languages with their names, signatures and documentation, found by tree-sitter.

Shared by the training corpus and the editor's search and docstring features; never raises on source text, however
broken.
"""

from codet5p.core.syntax.documentation import Documentation, DocumentationStyle, sentence_end
from codet5p.core.syntax.functions import Function, Parameter, Span, code_without_documentation, extract_functions
from codet5p.core.syntax.languages import LANGUAGES, language_of_path
from codet5p.core.syntax.parameters import inner_declarator

__all__ = [
    "LANGUAGES",
    "Documentation",
    "DocumentationStyle",
    "Function",
    "Parameter",
    "Span",
    "code_without_documentation",
    "extract_functions",
    "inner_declarator",
    "language_of_path",
    "sentence_end",
]
