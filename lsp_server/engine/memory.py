"""Giving memory back to the system, where the C library would rather keep it.

Measured with 30 layers and a prompt of 448 tokens on glibc: the state of each kept prompt takes 62 MB, the passing
logits of a prompt 88 MB. Without the two calls below the process still held 880 MB after the model was unloaded; with
them 73 MB.
"""

import ctypes
import sys
from functools import cache

__all__ = ["keep_large_blocks_apart", "release_free_memory"]

_M_MMAP_THRESHOLD = -3  # malloc.h
_LARGE_BLOCK_BYTES = 16 << 20  # above every buffer that a decoding step reuses, below the logits of a prompt


@cache
def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        library = ctypes.CDLL("libc.so.6")
    except OSError:
        return None
    return library if hasattr(library, "malloc_trim") else None


def keep_large_blocks_apart() -> None:
    """Let blocks above 16 MB go back to the system as soon as they are freed; does nothing outside glibc."""
    if (library := _glibc()) is not None:
        library.mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK_BYTES)


def release_free_memory() -> None:
    """Return freed memory to the system; does nothing outside glibc."""
    if (library := _glibc()) is not None:
        library.malloc_trim(0)
