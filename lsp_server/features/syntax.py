"""Syntax trees of the documents being edited, each made from the one before, so that a key costs a millisecond."""

import time
from collections import OrderedDict
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import tree_sitter

from codet5p.core.syntax.languages import grammar, grammar_of_path
from codet5p.core.syntax.places import Place, place_at
from codet5p.lsp_server.features.docstring.lookup import language_of_document

__all__ = ["SyntaxTree", "SyntaxTrees", "grammar_of_document"]

_MAX_DOCUMENTS = 4
_MAX_CHARACTERS = 200_000
_SLOW_SECONDS = 0.1  # of this thread's own work: other programs must not decide what is shown


def grammar_of_document(language_id: str, uri: str) -> str | None:
    """Return the name of the grammar for a document, or None if none fits.

    Args:
        language_id: The editor's name for its language.
        uri: Where it is; the name of its file helps where the editor's name is unknown.

    Returns:
        A key of `LANGUAGES`, or `tsx`.
    """
    if language_id == "typescriptreact":
        return "tsx"
    path = unquote(urlsplit(uri).path)
    language = language_of_document(language_id, path)
    return grammar_of_path(language, path) if language is not None else None


@dataclass(frozen=True, kw_only=True, slots=True)
class SyntaxTree:
    """A text and its tree.

    Attributes:
        source: The text in UTF-8.
        tree: Its syntax tree.
        language: Name of the grammar.
    """

    source: bytes
    tree: tree_sitter.Tree
    language: str

    def place(self, prefix: str) -> Place:
        """Return what stands around the cursor behind `prefix`."""
        return place_at(self.tree, self.source, len(prefix.encode("utf-8", "replace")), self.language)

    def edited(self, source: bytes) -> "SyntaxTree":
        """Return the tree of a text that shares much with this one."""
        if source == self.source:
            return self
        start = _common_start(self.source, source)
        common = min(len(self.source), len(source)) - start
        end = _common_start(self.source[: len(self.source) - common - 1 : -1], source[: len(source) - common - 1 : -1])
        old_end, new_end = len(self.source) - end, len(source) - end
        tree = self.tree.copy()
        tree.edit(start, old_end, new_end, _point(source, start), _point(self.source, old_end), _point(source, new_end))
        return _parsed(source, self.language, tree)


class SyntaxTrees:
    """The trees of the documents edited last. Used by one thread."""

    def __init__(self) -> None:
        self._trees: OrderedDict[str, SyntaxTree] = OrderedDict()
        self._too_slow: set[str] = set()

    def tree(self, uri: str, text: str, language: str | None) -> SyntaxTree | None:
        """Return the tree of a document.

        Args:
            uri: The document.
            text: Its content.
            language: Name of the grammar.

        Returns:
            The tree; None where there is no grammar, the text is longer than 200,000 characters, or reading it took
            longer than 0.1 s before, as it can where it is not in that language at all.
        """
        if language is None or len(text) > _MAX_CHARACTERS or uri in self._too_slow:
            return None
        source = text.encode("utf-8", "replace")
        known = self._trees.get(uri)
        is_usable = known is not None and known.language == language
        started = time.thread_time()
        tree = known.edited(source) if known is not None and is_usable else _parsed(source, language)
        if time.thread_time() - started > _SLOW_SECONDS:
            self._too_slow.add(uri)
        self._trees[uri] = tree
        self._trees.move_to_end(uri)
        if len(self._trees) > _MAX_DOCUMENTS:
            self._trees.popitem(last=False)
        return tree

    def forget(self, uri: str) -> None:
        """Drop the tree of a document that was closed."""
        self._trees.pop(uri, None)
        self._too_slow.discard(uri)


def _parsed(source: bytes, language: str, old: tree_sitter.Tree | None = None) -> SyntaxTree:
    # Not through a read callback, which alone could be ended on its way: tree_sitter 0.26 keeps every piece that the
    # callback returned for ever.
    parser = tree_sitter.Parser(grammar(language))
    tree = parser.parse(source) if old is None else parser.parse(source, old)
    return SyntaxTree(source=source, tree=tree, language=language)


def _common_start(left: bytes, right: bytes) -> int:
    """Return how many bytes the two have in common from their start, by halving, since memory compares fast."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _point(source: bytes, offset: int) -> tuple[int, int]:
    return source.count(b"\n", 0, offset), offset - source.rfind(b"\n", 0, offset) - 1
