from pathlib import Path

import pytest

from codet5p.training.evaluation.sandbox import SandboxLimits, run_program


def test_a_program_that_ends_passes() -> None:
    assert run_program("assert sum(range(4)) == 6\n").outcome == "passed"


def test_a_failed_assertion_fails_with_its_error() -> None:
    execution = run_program("assert 1 == 2, 'unequal'\n")
    assert (execution.outcome, execution.error) == ("failed", "AssertionError: unequal")


def test_an_endless_loop_is_stopped() -> None:
    execution = run_program("while True: pass\n", SandboxLimits(seconds=1))
    assert execution.outcome == "timed out"


@pytest.mark.parametrize(
    "program",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.system('true')",
        "import os; os.fork()",
        "import os; os.kill(os.getppid(), 0)",
    ],
)
def test_reaching_out_of_the_sandbox_is_refused(program: str) -> None:
    execution = run_program(program)
    assert execution.outcome == "failed"
    assert "is refused in the sandbox" in execution.error


def test_writing_elsewhere_is_refused_and_writing_here_is_not(tmp_path: Path) -> None:
    target = tmp_path / "written"
    assert "outside the folder" in run_program(f"open({str(target)!r}, 'w')").error
    assert not target.exists()
    assert run_program("open('here', 'w').write('x')").outcome == "passed"


def test_memory_is_bounded() -> None:
    execution = run_program("x = bytearray(10**9)", SandboxLimits(memory_bytes=300_000_000))
    assert (execution.outcome, execution.error) == ("failed", "MemoryError")


def test_leaving_with_an_error_code_is_not_passing() -> None:
    assert run_program("raise SystemExit(3)").outcome == "failed"
