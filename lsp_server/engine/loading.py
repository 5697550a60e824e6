"""From an artifact to a running engine."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from codet5p.core.artifact import Manifest
from codet5p.core.assembly import assemble
from codet5p.core.tokenizer import Tokenizer
from codet5p.lsp_server.engine.calibration import calibrated_threads
from codet5p.lsp_server.engine.ctranslate2_engine import CTranslate2Engine

__all__ = ["LoadedEngine", "load_engine"]


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedEngine:
    """An engine and what it runs.

    Attributes:
        engine: Ready for requests.
        manifest: The artifact it was made from.
        num_threads: Threads of one computation.
    """

    engine: CTranslate2Engine
    manifest: Manifest
    num_threads: int


def load_engine(
    artifact: Path, cache: Path, *, num_threads: int | None = None, advance: Callable[[int], None] = lambda _: None
) -> LoadedEngine:
    """Return the engine for `artifact`, assembling and calibrating on the first start.

    Args:
        artifact: Folder of the artifact.
        cache: Folder for assembled models.
        num_threads: Threads of one computation; measured where None.
        advance: Called with bytes verified or written since the last call.

    Returns:
        The engine.

    Raises:
        ArtifactError: If the artifact is missing, incomplete or altered.
        EngineError: If the runtime cannot load the model.
    """
    models = assemble(artifact, cache, advance)
    tokenizer = Tokenizer.from_file(models.tokenizer_path)
    threads = num_threads or calibrated_threads(models.completion, tokenizer)
    engine = CTranslate2Engine(models.completion, tokenizer, num_threads=threads)
    return LoadedEngine(engine=engine, manifest=models.manifest, num_threads=threads)
