"""codet5p demo: the real server over stdio, on an example workspace."""

from pathlib import Path
from typing import Annotated

import typer

from codet5p.cli.places import ArtifactOption, CacheOption, ThreadsOption, artifact_or_released, cache_or_default

__all__ = ["demo"]


def demo(
    artifact: ArtifactOption = None,
    cache: CacheOption = None,
    threads: ThreadsOption = None,
    workspace: Annotated[
        Path | None, typer.Option(help="Folder with a demo.toml; the example workspace if left out.")
    ] = None,
) -> None:
    """Show the assistant at work: real completions through the real server, with their times."""
    import asyncio

    from codet5p.cli.demonstration import demonstrate, example_workspace

    arguments = ["--artifact", str(artifact_or_released(artifact)), "--cache", str(cache_or_default(cache))]
    if threads is not None:
        arguments += ["--threads", str(threads)]
    asyncio.run(demonstrate(workspace or example_workspace(), arguments))
