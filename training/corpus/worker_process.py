"""What every worker process of a pool owes its parent."""

import multiprocessing
import os
from multiprocessing.connection import wait
from threading import Thread

__all__ = ["end_with_parent"]


def end_with_parent() -> None:
    """Make this worker process end when its parent does, even if the parent is killed.

    A pool's workers wait at a pipe that they hold open themselves, so that none would notice.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        Thread(target=_exit_with, args=(parent.sentinel,), daemon=True).start()


def _exit_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
