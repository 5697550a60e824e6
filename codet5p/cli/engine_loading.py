"""Loading the engine in a command: with a progress bar on the first start."""

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from codet5p.cli.terminal_progress import byte_progress
from codet5p.core.assembly import assembly_bytes

if TYPE_CHECKING:
    from codet5p.lsp_server.engine.loading import LoadedEngine

__all__ = ["load_engine_with_bar"]


def load_engine_with_bar(artifact: Path, cache: Path, *, num_threads: int | None = None) -> "LoadedEngine":
    """Return the engine for `artifact`, drawing a bar on stderr while it is prepared.

    Args:
        artifact: Folder of the artifact.
        cache: Folder for assembled models.
        num_threads: Threads of one computation; measured where None.

    Returns:
        The engine and what it runs.

    Raises:
        ArtifactError: If the artifact is missing, incomplete or altered.
        EngineError: If the runtime cannot load the model.
    """
    from codet5p.lsp_server.engine.loading import load_engine

    with byte_progress("preparing the model (first start)", assembly_bytes(artifact), Console(stderr=True)) as advance:
        return load_engine(artifact, cache, num_threads=num_threads, advance=advance)
