"""Running generated programs in a separate, limited process.

The process has no environment, its own temporary folder, limits on time, memory, file size and processes, and an
audit hook, which Python code cannot remove, that refuses sockets, new processes and writing outside that folder. It
guards against the accidents of a language model, not against a determined attacker: evaluate models you do not trust
in a virtual machine.
"""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["Execution", "SandboxLimits", "run_program"]

_GUARD = """
import os, sys
try:
    import resource
    limits = {{"CPU": {cpu}, "AS": {memory}, "FSIZE": 10_000_000, "CORE": 0}}
    for name, value in limits.items():
        resource.setrlimit(getattr(resource, "RLIMIT_" + name), (value, value))
except ImportError:
    pass  # not on Windows, where the time limit alone holds

def make_guard(folder=os.path.realpath(os.getcwd()) + os.sep, realpath=os.path.realpath, decode=os.fsdecode):
    refused = (
        "socket.", "subprocess.", "ctypes.", "shutil.rmtree",
        "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.spawn", "os.kill",
        "os.remove", "os.rename", "os.rmdir", "os.chmod", "os.chown", "os.symlink", "os.link",
    )
    writing_flags = os.O_WRONLY | os.O_RDWR
    def guard(event, arguments):
        if event.startswith(refused):
            raise PermissionError(event + " is refused in the sandbox")
        if event != "open":
            return
        path, mode, flags = arguments
        by_mode = isinstance(mode, str) and any(letter in mode for letter in "wax+")
        by_flags = isinstance(flags, int) and flags & writing_flags
        if (by_mode or by_flags) and not isinstance(path, int) and not realpath(decode(path)).startswith(folder):
            raise PermissionError("writing outside the folder of the sandbox is refused")
    return guard

sys.addaudithook(make_guard())
del make_guard
with open({program!r}) as file:
    program = file.read()
exec(compile(program, "program.py", "exec"), {{"__name__": "__main__"}})
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxLimits:
    """How much a program may use."""

    seconds: float = 5.0
    memory_bytes: int = 2_000_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Execution:
    """How a program ended.

    Attributes:
        outcome: Whether it ran to its end, raised, or was stopped.
        error: Last line it wrote to stderr.
    """

    outcome: Literal["passed", "failed", "timed out"]
    error: str


def run_program(program: str, limits: SandboxLimits | None = None) -> Execution:
    """Run `program` and return how it ended.

    Args:
        program: Python source; it passes if it ends without an exception.
        limits: Time and memory; defaults where None.

    Returns:
        The outcome.
    """
    limits = limits or SandboxLimits()
    with tempfile.TemporaryDirectory(prefix="codet5p-sandbox-") as folder:
        source = Path(folder, "program.py")
        source.write_text(program, "utf-8", errors="replace")
        guard = _GUARD.format(cpu=int(limits.seconds) + 1, memory=limits.memory_bytes, program=str(source))
        try:
            ended = subprocess.run(
                [sys.executable, "-I", "-S", "-B", "-c", guard],
                cwd=folder,
                env={},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=limits.seconds,
                check=False,
                start_new_session=True,
            )
        except subprocess.TimeoutExpired:
            return Execution(outcome="timed out", error=f"stopped after {limits.seconds:g} seconds")
    lines = ended.stderr.decode("utf-8", errors="replace").strip().splitlines()
    return Execution(outcome="passed" if ended.returncode == 0 else "failed", error=lines[-1] if lines else "")
