import sys

import pytest
import typer
from typer.testing import CliRunner

from codet5p import __version__
from codet5p.cli import main as main_module
from codet5p.core.errors import ArtifactError


def call_main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["codet5p", *arguments])
    with pytest.raises(SystemExit) as caught:
        main_module.main()
    code = caught.value.code
    return code if isinstance(code, int) else 0


def test_an_error_for_users_is_one_line_on_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call_main(monkeypatch, "complete", "nowhere.py:1:1") == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "codet5p: cannot read nowhere.py: No such file or directory\n"


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(main_module, "app", fail)
    with pytest.raises(RuntimeError, match="a bug"):
        main_module.main()


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (ArtifactError("x"), 1)])
def test_the_exit_status_says_how_it_ended(monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(main_module, "app", fail)
    assert call_main(monkeypatch) == code


def test_the_version_is_printed() -> None:
    result = CliRunner().invoke(main_module.app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"{__version__}\n")


def test_help_is_shown_without_a_command_and_with_the_short_option() -> None:
    assert "A code assistant that runs on your own computer" in CliRunner().invoke(main_module.app, []).output
    for command in typer.main.get_command(main_module.app).commands:  # type: ignore[attr-defined]
        assert CliRunner().invoke(main_module.app, [command, "-h"]).exit_code == 0
