"""codet5p/status: what runs, how fast, and what is wrong with it."""

from typing import Any

import psutil

from codet5p import __version__
from codet5p.lsp_server.state import ServerState

__all__ = ["status"]


async def status(state: ServerState) -> dict[str, Any]:
    """Return the server's state as plain JSON: latencies in milliseconds, memory in megabytes (10^6 bytes)."""
    assistant = state.loaded_assistant
    index = await state.search.counts()
    manifest = assistant.loaded.manifest if assistant is not None else None
    return {
        "version": __version__,
        "state": "error" if state.last_error else "loading" if state.is_loading else "ready",
        "error": state.last_error,
        "model": manifest.name if manifest else None,
        "revision": manifest.revision if manifest else None,
        "threads": assistant.loaded.num_threads if assistant is not None else None,
        "documents": len(state.documents),
        "snoozedSeconds": round(state.snoozed_seconds),
        "index": {
            "files": index.files,
            "chunks": index.chunks,
            "pending": index.pending,
            "vectors": index.vectors,
            "unembedded": index.unembedded,
            "encoder": state.search.encoder_name,
            "encoderProblem": state.search.encoder_problem,
        },
        "latency": state.statistics.latency_ms(),
        "counts": dict(state.statistics.counts),
        "memoryMb": round(psutil.Process().memory_info().rss / 1e6),
    }
