"""An MCP server with two tools, both for searching one folder. Nothing outside it can be named, let alone read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mcp.server import MCPServer

from codet5p import __version__
from codet5p.cli.indexing import bring_up_to_date, released_encoder
from codet5p.lsp_server.features.search import Hit, SearchAnswer, Searcher, SearchQuery, SimilarQuery
from codet5p.lsp_server.index.config import RankingConfig

__all__ = ["FoundCode", "create_mcp_server"]

_EMBED_SECONDS = 3.0
_INSTRUCTIONS = "Use search_code to find functions, methods and classes by what they do before reading whole files."


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundCode:
    """A hit as an agent gets it.

    Attributes:
        path: The file, relative to the folder searched.
        first_line: Its first line, from 1.
        last_line: Its last line.
        name: Qualified name.
        kind: function, method, class or block.
        score: From 1 for the best hit down to 0.
        code: The lines that answer best, or all of them.
    """

    path: str
    first_line: int
    last_line: int
    name: str
    kind: str
    score: float
    code: str


def create_mcp_server(root: Path, cache: Path | None) -> MCPServer:
    """Return the server for one folder; its index is brought up to date before each answer.

    Args:
        root: The folder.
        cache: Folder of indexes; the user's cache where None.

    Returns:
        The server; call `run`.
    """
    server = MCPServer("codet5p", version=__version__, instructions=_INSTRUCTIONS, log_level="WARNING")

    encoder = released_encoder()

    def ask(question: Callable[[Searcher], SearchAnswer]) -> SearchAnswer:
        database = bring_up_to_date(root, cache, encoder=encoder, embed_seconds=_EMBED_SECONDS)
        searcher = Searcher([(root, database)], RankingConfig(), encoder)
        try:
            return question(searcher)
        finally:
            searcher.close()

    @server.tool()
    def search_code(
        query: str, limit: int = 10, language: str | None = None, path: str | None = None, whole: bool = False
    ) -> list[FoundCode]:
        """Find code by a description, a name, or a piece of similar code.

        Args:
            query: What the code does, or what it is called.
            limit: Hits, at most 200.
            language: Only this language, such as python.
            path: Only files with this in their path.
            whole: Return each function whole, not only its best lines.

        Returns:
            Hits, the best first.
        """
        asked = SearchQuery(text=query, limit=limit, language=language, path=path)
        return [_found(hit, whole=whole) for hit in ask(lambda searcher: searcher.search(asked)).hits]

    @server.tool()
    def find_similar_code(path: str, line: int, limit: int = 10, whole: bool = False) -> list[FoundCode]:
        """Find code like the function or class at a line, such as duplicates and siblings of what is to be changed.

        Args:
            path: The file, relative to the folder searched.
            line: A line of the code, from 1.
            limit: Hits, at most 200.
            whole: Return each function whole, not only its best lines.

        Returns:
            Hits, the most alike first; none where the line belongs to no code.
        """
        asked = SimilarQuery(file=root / path, line=line - 1, limit=limit)
        return [_found(hit, whole=whole) for hit in ask(lambda searcher: searcher.similar(asked)).hits]

    return server


def _found(hit: Hit, *, whole: bool) -> FoundCode:
    return FoundCode(
        path=hit.path,
        first_line=hit.first_line + 1,
        last_line=hit.first_line + 1 + hit.text.count("\n"),
        name=hit.name,
        kind=hit.kind,
        score=hit.score,
        code=hit.text if whole else hit.snippet.text,
    )
