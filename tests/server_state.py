"""Parts of a server's state, for tests of what lies around the engine."""

from typing import Any

from small_artifact import SMALL_DECODER

from codet5p.core.artifact import ARTIFACT_FORMAT, Manifest
from codet5p.lsp_server.documents import Document
from codet5p.lsp_server.engine.loading import LoadedEngine
from codet5p.lsp_server.state import ServerState

__all__ = ["MANIFEST", "URI", "loaded_with", "opened"]

URI = "file:///a.py"

MANIFEST = Manifest(
    format=ARTIFACT_FORMAT,
    name="small",
    revision="0123456789ab",
    modes=("complete",),
    quantization="int8",
    model=SMALL_DECODER,
    files={},
    licence="Apache-2.0",
    provenance=(),
)


def loaded_with(engine: Any) -> LoadedEngine:
    return LoadedEngine(engine=engine, manifest=MANIFEST, num_threads=2)


def opened(state: ServerState, text: str, language_id: str = "python", version: int = 1) -> Document:
    """Open a document with the cursor's mark ▮ taken out and return it."""
    document = Document.of(URI, language_id, version, text.replace("▮", ""))
    state.documents.put(document)
    return document
