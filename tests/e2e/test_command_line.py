import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from e2e.installation import Installation

pytestmark = pytest.mark.e2e

COMMANDS = ("serve", "demo", "complete", "doctor", "export")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "add.py"
    path.write_text("def add(a, b):\n    return \n", "utf-8")
    return path


@pytest.fixture(scope="module")
def demo(
    installation: Installation, cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> subprocess.CompletedProcess[str]:
    """The demonstration, started in a folder with modules named like some that the server imports."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("codet5p.py", "typing.py", "json.py"):
        (folder / name).write_text("raise SystemExit('the wrong module')\n", "utf-8")
    return replace(installation, cwd=folder).run("demo", "--cache", cache, "--threads", "1")


def is_one_line_error(result: subprocess.CompletedProcess[str], *expected: str) -> bool:
    """Return whether the command failed with one line that starts with its name and says what is expected."""
    lines = result.stderr.splitlines()
    return (
        result.returncode == 1
        and result.stdout == ""
        and len(lines) == 1
        and lines[0].startswith("codet5p: ")
        and all(words in lines[0] for words in expected)
    )


def test_help_names_every_command(installation: Installation) -> None:
    for option in ("--help", "-h"):
        result = installation.run(option)
        assert (result.returncode, result.stderr) == (0, "")
        assert all(re.search(rf"\b{command}\b", result.stdout) for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(installation: Installation, command: str) -> None:
    result = installation.run(command, "--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert f"codet5p {command}" in result.stdout


def test_the_version_is_that_of_the_wheel(installation: Installation) -> None:
    result = installation.run("--version")
    assert (result.returncode, result.stdout.strip()) == (0, installation.wheel.name.split("-")[1])


@pytest.mark.parametrize(
    "arguments", [["unheard-of"], ["complete"], ["serve", "--threads", "0"], ["serve", "--unheard-of"]], ids=repr
)
def test_misuse_exits_with_2_and_says_how_to_use_it(installation: Installation, arguments: list[str]) -> None:
    result = installation.run(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert "Usage: codet5p" in result.stderr
    assert "Traceback" not in result.stderr


def test_complete_prints_the_rest_of_the_line(installation: Installation, cache: Path, source: Path) -> None:
    result = installation.run("complete", f"{source}:2:12", "--cache", cache, "--threads", "1")
    assert (result.returncode, result.stdout, result.stderr) == (0, "a + b\n", "")


def test_complete_prints_json_for_scripts(installation: Installation, cache: Path, source: Path) -> None:
    result = installation.run("complete", f"{source}:2:12", "--json", "--cache", cache, "--threads", "1")
    assert result.returncode == 0
    answer = json.loads(result.stdout)
    assert {name: answer[name] for name in ("file", "line", "column", "completion", "model")} == {
        "file": str(source),
        "line": 2,
        "column": 12,
        "completion": "a + b",
        "model": "laptop",
    }
    assert answer["milliseconds"] > 0
    assert answer["score"] <= 0


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("{source}", "write FILE:LINE:COLUMN"),
        ("{source}:9:1", "has lines 1 to 3, not 9"),
        ("{source}:2:13", "has columns 1 to 12, not 13"),
        ("{source}.missing:1:1", "cannot read"),
    ],
)
def test_a_bad_place_is_one_line(installation: Installation, source: Path, place: str, expected: str) -> None:
    place = place.format(source=source)
    assert is_one_line_error(installation.run("complete", place), expected)


def test_a_file_that_is_no_text_is_one_line(installation: Installation, tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    assert is_one_line_error(installation.run("complete", f"{tmp_path / 'binary'}:1:1"), "is not UTF-8 text")


def test_a_missing_artifact_is_one_line_that_names_the_doctor(
    installation: Installation, source: Path, tmp_path: Path
) -> None:
    result = installation.run("complete", f"{source}:2:12", "--artifact", tmp_path / "nowhere")
    assert is_one_line_error(result, "no artifact at", "codet5p doctor")


def test_the_doctor_finds_a_good_installation_well(installation: Installation, cache: Path) -> None:
    result = installation.run("doctor", "--json", "--cache", cache)
    assert result.returncode == 0
    findings = json.loads(result.stdout)
    assert findings["problem"] is None
    assert findings["remedy"] is None
    assert findings["model"].startswith("laptop ")
    assert findings["artifact"].startswith(str(installation.python.parents[1]))
    assert findings["threads"] in {1, 2, 4}
    assert all(timing["line_ms"] > 0 for timing in findings["timings"])


def test_the_doctor_names_the_problem_and_the_remedy(installation: Installation, cache: Path, tmp_path: Path) -> None:
    result = installation.run("doctor", "--json", "--cache", cache, "--artifact", tmp_path / "nowhere")
    assert result.returncode == 1
    findings = json.loads(result.stdout)
    assert "manifest.json is missing" in findings["problem"]
    assert "--artifact" in findings["remedy"]


def test_the_doctor_speaks_to_people_too(installation: Installation, tmp_path: Path) -> None:
    result = installation.run("doctor", "--artifact", tmp_path / "nowhere", "--cache", tmp_path)
    assert result.returncode == 1
    assert "problem" in result.stdout
    assert "remedy" in result.stdout


def test_the_demo_shows_completions_with_their_milliseconds(demo: subprocess.CompletedProcess[str]) -> None:
    scenes = re.findall(r"^ {4}.*?(\S.*?) {3}(\d+) ms, asked again (\d+\.\d) ms$", demo.stdout, re.MULTILINE)
    assert len(scenes) == demo.stdout.count("asked again") >= 3
    assert sum("(silence)" not in line for line, _, _ in scenes) >= 3
    assert all(float(again) < float(first) for _, first, again in scenes)
    assert "everything ran on this computer" in demo.stdout


def test_the_demo_is_not_misled_by_files_where_it_is_started(demo: subprocess.CompletedProcess[str]) -> None:
    assert (demo.returncode, demo.stderr) == (0, "")


def test_the_demo_without_a_model_is_one_line(installation: Installation, cache: Path, tmp_path: Path) -> None:
    result = installation.run("demo", "--cache", cache, "--artifact", tmp_path / "nowhere")
    assert is_one_line_error(result, "no artifact at", "codet5p doctor")


def test_exporting_what_is_no_checkpoint_is_one_line(installation: Installation, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for checkpoint in ("missing", "empty"):
        result = installation.run("export", tmp_path / checkpoint, tmp_path / "artifact")
        assert is_one_line_error(result, checkpoint)
    assert not (tmp_path / "artifact").exists()


def test_exporting_with_an_unknown_mode_is_one_line(installation: Installation, tmp_path: Path) -> None:
    result = installation.run("export", tmp_path, tmp_path / "artifact", "--modes", "complete,sing")
    assert is_one_line_error(result, "unknown mode 'sing'", "generate")
