"""Running the registries' own clients, which download and never run a package's code."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from codet5p.training.corpus.sources.receipt import FetchError

__all__ = ["run_client"]


def run_client(command: Sequence[str], *, folder: Path, timeout_seconds: float, remedy: str) -> str:
    """Return the standard output of a registry client run in `folder`.

    Args:
        command: Program and arguments; no shell is involved.
        folder: Working directory of the program.
        timeout_seconds: Limit after which the program is ended.
        remedy: What the user can do when the program is missing.

    Returns:
        Its standard output.

    Raises:
        FetchError: If the program is missing, fails or takes too long; the message holds its last line.
    """
    environment = os.environ | {"LC_ALL": "C", "PIP_CONSTRAINT": "", "npm_config_ignore_scripts": "true"}
    try:
        result = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, timeout=timeout_seconds, check=False
        )
    except FileNotFoundError:
        raise FetchError(f"{command[0]} is not installed; {remedy}") from None
    except subprocess.TimeoutExpired:
        raise FetchError(f"{command[0]} took longer than {timeout_seconds:.0f} s") from None
    if result.returncode:
        raise FetchError(f"{command[0]}: {_last_line(result.stderr) or f'exit status {result.returncode}'}")
    return result.stdout.decode("utf-8", "replace")


def _last_line(output: bytes) -> str:
    lines = [line.strip() for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("E:", "ERROR", "npm error", "error", "fatal"))]
    return (errors or lines or [""])[-1][:200]
