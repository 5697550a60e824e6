"""codet5p serve: the language server."""

from typing import Annotated, Literal

import typer

from codet5p.cli.places import ArtifactOption, CacheOption, ThreadsOption, artifact_or_released, cache_or_default

__all__ = ["serve"]


def serve(
    tcp: Annotated[int | None, typer.Option(help="Listen on this port of the loopback instead of stdio.")] = None,
    artifact: ArtifactOption = None,
    cache: CacheOption = None,
    threads: ThreadsOption = None,
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], typer.Option(help="What to log, to stderr.")
    ] = "warning",
) -> None:
    """Run the language server, for an editor to start."""
    import logging
    import os
    import sys

    from codet5p.lsp_server.server import create_server

    logging.basicConfig(
        level=log_level.upper(), stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # pygls logs every message, and with it the user's code, at level info.
    logging.getLogger("pygls").setLevel(logging.DEBUG if log_level == "debug" else logging.ERROR)
    server = create_server(
        artifact=artifact_or_released(artifact),
        cache=cache_or_default(cache),
        num_threads=threads,
        index_folder=None if cache is None else cache / "index",  # all that is written goes where the user says
    )
    if tcp is None:
        server.start_io()
    else:
        server.start_tcp("127.0.0.1", tcp)
    # The interpreter's own exit would wait for the engine's thread, which may be in the middle of a long prompt.
    sys.stderr.flush()
    os._exit(0 if server.has_been_shut_down else 1)
