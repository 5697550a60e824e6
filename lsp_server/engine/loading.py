"""From an artifact to the engines that run its models."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from codet5p.core.artifact import Manifest
from codet5p.core.assembly import assemble
from codet5p.core.tokenizer import Tokenizer
from codet5p.lsp_server.engine.calibration import calibrated_threads
from codet5p.lsp_server.engine.ctranslate2_engine import CTranslate2Engine
from codet5p.lsp_server.engine.encoder_engine import EncoderEngine
from codet5p.lsp_server.engine.protocol import Engine
from codet5p.lsp_server.engine.sequence_engine import SequenceEngine

__all__ = ["LoadedEngine", "load_encoder_engine", "load_engine", "load_sequence_engine"]

_Advance = Callable[[int], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedEngine:
    """An engine and what it runs.

    Attributes:
        engine: Ready for requests.
        manifest: The artifact it was made from.
        num_threads: Threads of one computation.
    """

    engine: Engine
    manifest: Manifest
    num_threads: int


def load_engine(
    artifact: Path, cache: Path, *, num_threads: int | None = None, advance: _Advance = lambda _: None
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
        ArtifactError: If the artifact is missing, incomplete or altered, or does not offer `complete`.
        EngineError: If the runtime cannot load the model.
    """
    models = assemble(artifact, cache, advance)
    model = models.folder("complete")
    tokenizer = Tokenizer.from_file(models.tokenizer_path)
    threads = num_threads or calibrated_threads(model, tokenizer)
    engine = CTranslate2Engine(model, tokenizer, num_threads=threads)
    return LoadedEngine(engine=engine, manifest=models.manifest, num_threads=threads)


def load_encoder_engine(
    artifact: Path, cache: Path, *, num_threads: int, advance: _Advance = lambda _: None
) -> EncoderEngine:
    """Return the engine that embeds texts.

    Args:
        artifact: Folder of the artifact.
        cache: Folder for assembled models.
        num_threads: Threads of one computation.
        advance: Called with bytes verified or written since the last call.

    Returns:
        The engine, named after the artifact and its revision.

    Raises:
        ArtifactError: If the artifact is missing, incomplete or altered, or does not offer `embed`.
        EngineError: If the runtime cannot load the model.
    """
    models = assemble(artifact, cache, advance)
    manifest = models.manifest
    name = f"{manifest.name}-{manifest.revision}"
    tokenizer = Tokenizer.from_file(models.tokenizer_path)
    return EncoderEngine(models.folder("embed"), tokenizer, config=manifest.model, name=name, num_threads=num_threads)


def load_sequence_engine(
    artifact: Path, cache: Path, *, num_threads: int, advance: _Advance = lambda _: None
) -> SequenceEngine:
    """Return the engine that writes text and code, fills gaps and matches.

    Args:
        artifact: Folder of the artifact.
        cache: Folder for assembled models.
        num_threads: Threads of one computation.
        advance: Called with bytes verified or written since the last call.

    Returns:
        The engine; it matches only if the artifact offers `match`.

    Raises:
        ArtifactError: If the artifact is missing, incomplete or altered, or offers neither `generate` nor `match`.
        EngineError: If the runtime cannot load the model.
    """
    models = assemble(artifact, cache, advance)
    can_match = "match" in models.manifest.modes
    model = models.folder("match" if can_match else "generate")
    tokenizer = Tokenizer.from_file(models.tokenizer_path)
    return SequenceEngine(model, tokenizer, can_match=can_match, num_threads=num_threads)
