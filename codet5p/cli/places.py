"""Options that several subcommands share: which artifact, which cache."""

from pathlib import Path
from typing import Annotated

import typer

from codet5p.core.artifact import released_artifact

__all__ = ["ArtifactOption", "CacheOption", "ThreadsOption", "artifact_or_released", "cache_or_default"]

ArtifactOption = Annotated[
    Path | None, typer.Option("--artifact", help="Folder of the exported model; the released one if left out.")
]
CacheOption = Annotated[
    Path | None, typer.Option("--cache", help="Folder for assembled models; the user's cache if left out.")
]
ThreadsOption = Annotated[
    int | None, typer.Option("--threads", min=1, help="Threads to compute with; measured if left out.")
]


def artifact_or_released(artifact: Path | None) -> Path:
    """Return the folder given, or the artifact installed with the package."""
    return artifact if artifact is not None else released_artifact()


def cache_or_default(cache: Path | None) -> Path:
    """Return the folder given, or the user's cache."""
    if cache is not None:
        return cache
    from codet5p.core.assembly import default_cache  # a machine that only trains need not have what this needs

    return default_cache()
