import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from codet5p.cli.docstring_files import replace_file
from codet5p.cli.main import app
from codet5p.core.errors import DataError

STALE = 'def add(a, b):\r\n    """Add 😀.\r\n\r\n    Args:\r\n        a: First.\r\n    """\r\n    return a + b\r\n'
FRESH = STALE.replace("First.\r\n", "First.\r\n        b:\r\n")
PLAIN = "def public(): return 1\n\n\ndef _private(): return 2\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "stale.py").write_bytes(STALE.encode())
    (tmp_path / "plain.py").write_text(PLAIN, "utf-8")
    (tmp_path / "bytes.py").write_bytes(b"x = '\xff'\n")
    (tmp_path / ".gitignore").write_text("ignored.py\n", "utf-8")
    (tmp_path / "ignored.py").write_text(PLAIN, "utf-8")
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["docstring", *map(str, arguments)])


def test_check_lists_what_is_missing_or_wrong_and_fails(folder: Path) -> None:
    result = run(folder, "--check")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"{folder / 'plain.py'}:1: public: there is no documentation",
        f"{folder / 'stale.py'}:1: add: 'b' is not documented",
    ]
    assert "bytes.py is not UTF-8 text" in result.stderr


def test_check_prints_json_for_scripts(folder: Path) -> None:
    result = run(folder / "stale.py", "--check", "--json")
    assert result.exit_code == 1
    finding = {"path": str(folder / "stale.py"), "line": 1, "name": "add", "problem": "'b' is not documented"}
    assert json.loads(result.stdout) == [finding]
    (folder / "stale.py").write_bytes(FRESH.encode())
    result = run(folder / "stale.py", "--check", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])


def test_missing_docstrings_are_written_for_public_functions_whose_names_tell_enough(folder: Path) -> None:
    text = "def read_config(path: str):\n\treturn path\n\n\ndef f(a):\n\treturn a\n\n\ndef _read_it():\n\tpass\n"
    (folder / "plain.py").write_text(text, "utf-8")
    new = '\t"""Read the config.\n\n\tParameters\n\t----------\n\tpath : str\n\t"""\n'
    assert run(folder / "plain.py", "--missing", "--write", "--style", "numpy").exit_code == 0
    assert (folder / "plain.py").read_text("utf-8") == text.replace("\treturn path", f"{new}\treturn path")


def test_check_is_silent_where_all_is_well(folder: Path) -> None:
    (folder / "stale.py").write_bytes(FRESH.encode())
    result = run(folder / "stale.py", "--check")
    assert (result.exit_code, result.stdout) == (0, "")


def test_check_lists_docstrings_in_another_style(folder: Path) -> None:
    (folder / "stale.py").write_bytes(FRESH.encode())
    result = run(folder / "stale.py", "--check", "--style", "numpy")
    assert (result.exit_code, result.stdout) == (1, f"{folder / 'stale.py'}:1: add: is in google style, not numpy\n")


def test_diff_is_a_patch_and_changes_nothing(folder: Path) -> None:
    result = run(folder / "stale.py", "--diff")
    assert result.exit_code == 0
    assert [line for line in result.stdout_bytes.decode().split("\n") if line.startswith("+")][1:] == ["+        b:\r"]
    assert (folder / "stale.py").read_bytes() == STALE.encode()


def test_write_updates_files_and_nothing_else(folder: Path) -> None:
    (folder / "stale.py").chmod(0o640)
    result = run(folder, "--write")
    assert (result.exit_code, result.stdout) == (0, f"updated {folder / 'stale.py'}\n")
    assert (folder / "stale.py").read_bytes() == FRESH.encode()
    assert (folder / "stale.py").stat().st_mode & 0o777 == 0o640
    assert (folder / "plain.py").read_text("utf-8") == PLAIN
    assert len(list(folder.iterdir())) == 5


def test_a_link_stays_a_link(folder: Path) -> None:
    (folder / "link.py").symlink_to(folder / "stale.py")
    assert run(folder / "link.py", "--write").exit_code == 0
    assert (folder / "link.py").is_symlink()
    assert (folder / "stale.py").read_bytes() == FRESH.encode()


def test_a_file_that_was_changed_meanwhile_is_left_alone(folder: Path) -> None:
    with pytest.raises(DataError, match="was changed meanwhile and is left as it is; run the command again"):
        replace_file(folder / "stale.py", "something older", FRESH)
    assert (folder / "stale.py").read_bytes() == STALE.encode()


def test_a_line_names_the_function_whose_docstring_is_printed(folder: Path) -> None:
    result = run(f"{folder / 'stale.py'}:7")
    assert result.stdout == '"""Add 😀.\n\nArgs:\n    a: First.\n    b:\n"""\n'


def test_a_line_of_a_function_without_a_docstring_prints_a_new_one(folder: Path) -> None:
    (folder / "plain.py").write_text("class A:\n    def read_config(self):\n        return 1\n", "utf-8")
    assert run(f"{folder / 'plain.py'}:3").stdout == '"""Read the config."""\n'


def test_what_cannot_be_done_is_said_in_one_line(folder: Path) -> None:
    for arguments, message in (
        (
            [f"{folder / 'plain.py'}:1"],
            "plain.py:1 is in no function that has a docstring or could get one",
        ),
        ([folder / "gone.py"], "no such file or folder"),
        ([folder / ".gitignore"], "is not known; docstrings are found in ten languages"),
    ):
        result = run(*arguments)
        assert isinstance(result.exception, DataError)
        assert message in str(result.exception)


@pytest.mark.parametrize(
    "options",
    [
        ("--write", "--check"),
        ("--style", "numpy"),
        ("--check", "--style", "epytext"),
        ("--check", "--missing"),
        ("--json",),
    ],
)
def test_options_that_do_not_go_together_are_misuse(folder: Path, options: tuple[str, ...]) -> None:
    assert run(folder, *options).exit_code == 2
