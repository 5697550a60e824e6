import ctypes
import sys

import numpy as np
import psutil
import pytest

from codet5p.lsp_server.engine import memory


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc only; elsewhere both calls do nothing")
def test_small_blocks_freed_go_back_to_the_system() -> None:
    memory.keep_large_blocks_apart()
    memory.release_free_memory()
    before = psutil.Process().memory_info().rss
    blocks = [np.ones(100_000, dtype=np.float32) for _ in range(250)]  # 100 MB in blocks below the threshold
    keeper = np.ones(100_000, dtype=np.float32)
    assert psutil.Process().memory_info().rss - before > 80e6
    del blocks
    memory.release_free_memory()
    assert psutil.Process().memory_info().rss - before < 20e6
    assert keeper.sum() == 100_000


def test_without_glibc_nothing_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    memory._glibc.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "darwin")
        patch.setattr(ctypes, "CDLL", lambda _: pytest.fail("loaded a library"))
        memory.keep_large_blocks_apart()
        memory.release_free_memory()
    memory._glibc.cache_clear()


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    memory._glibc.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "linux")
        patch.setattr(ctypes, "CDLL", lambda _: object())  # musl has no malloc_trim
        assert memory._glibc() is None
        memory.release_free_memory()
    memory._glibc.cache_clear()
