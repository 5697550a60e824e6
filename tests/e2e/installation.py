"""What the fixtures hand to the tests."""

import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from e2e.editor import Editor
from e2e.raw_client import RawClient

__all__ = ["Installation", "StartEditor", "StartRawClient"]

StartEditor = Callable[..., Awaitable[Editor]]
StartRawClient = Callable[[], Awaitable[RawClient]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Installation:
    """codet5p, installed from its wheel.

    Attributes:
        wheel: The wheel.
        python: Interpreter of the environment it is installed in.
        codet5p: The command.
        cwd: A folder that has nothing to do with the repository.
        env: Environment for every process, its caches in the tests' own folder.
    """

    wheel: Path
    python: Path
    codet5p: Path
    cwd: Path
    env: dict[str, str]

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        return subprocess.run(
            [self.codet5p, *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
            cwd=self.cwd,
            env=self.env,
        )
