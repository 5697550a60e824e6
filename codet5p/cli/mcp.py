"""codet5p mcp: the same search for coding agents, over the Model Context Protocol."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["mcp"]


def mcp(
    path: Annotated[Path, typer.Option("--path", help="Folder to search.", exists=True, file_okay=False)] = Path(),
    cache: Annotated[
        Path | None, typer.Option("--cache", help="Folder for indexes; the user's cache if left out.")
    ] = None,
) -> None:
    """Let a coding agent find code by description, over standard input and output."""
    from importlib.util import find_spec

    from codet5p.core.errors import ConfigError

    if find_spec("mcp") is None:
        raise ConfigError("this command needs the protocol's library; install it with: pip install 'codet5p[mcp]'")
    from codet5p.cli.mcp_server import create_mcp_server

    create_mcp_server(path.resolve(), cache).run()
