import json
from pathlib import Path

import pytest
from small_artifact import SMALL, write_artifact
from typer.testing import CliRunner, Result

from codet5p.cli.main import app
from codet5p.lsp_server.index.store import IndexWriter, index_path


@pytest.fixture(autouse=True)
def no_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Search by keywords, unless a test installs an encoder."""
    monkeypatch.setattr("codet5p.core.artifact.released_artifact", lambda: tmp_path / "artifacts" / "laptop")
    monkeypatch.setattr("codet5p.core.assembly.default_cache", lambda: tmp_path / "models")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = tmp_path / "workspace"
    root.mkdir()
    (root / "send.py").write_text(
        '"""Sending."""\n\n\ndef send_with_backoff():\n    """Retry a request with growing pauses."""\n    return 1\n',
        "utf-8",
    )
    return root


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def search(workspace: Path, *arguments: str) -> Result:
    return run("search", *arguments, "--path", workspace, "--cache", workspace.parent / "indexes")


def index(workspace: Path, *arguments: str) -> Result:
    return run("index", *arguments, "--path", workspace, "--cache", workspace.parent / "indexes")


def test_hits_show_place_name_and_lines(workspace: Path) -> None:
    result = search(workspace, "retry a request")
    assert result.exit_code == 0, result.output
    assert f"{workspace}/send.py:4  function send_with_backoff" in result.stdout
    assert ">    5 " in result.stdout
    assert "Retry a request with growing pauses." in result.stdout
    assert result.stderr.startswith("1 hit, 1 file searched, ")


def test_json_is_the_only_thing_on_standard_output(workspace: Path) -> None:
    answer = json.loads(search(workspace, "retry", "--json").stdout)
    (hit,) = answer["hits"]
    assert (hit["file"], hit["line"], hit["end_line"]) == (str(workspace / "send.py"), 4, 6)
    assert (hit["name"], hit["kind"], hit["score"]) == ("send_with_backoff", "function", 1.0)
    assert (answer["indexed"], answer["pending"]) == (1, 0)


def test_each_search_sees_the_files_as_they_are(workspace: Path) -> None:
    search(workspace, "retry")
    (workspace / "send.py").write_text("def give_up():\n    pass\n", "utf-8")
    assert json.loads(search(workspace, "retry", "--json").stdout)["hits"] == []
    assert "nothing found" in search(workspace, "retry").stderr
    assert json.loads(search(workspace, "give up", "--json").stdout)["hits"][0]["name"] == "give_up"


def test_the_index_tells_what_it_holds_and_can_be_made_anew(workspace: Path) -> None:
    assert "is not indexed; run codet5p index" in index(workspace, "--status").stdout
    assert index(workspace).stdout.startswith("1 file, 2 pieces of code, 0 files pending")
    facts = json.loads(index(workspace, "--status", "--json").stdout)
    assert (facts["files"], facts["chunks"], facts["exists"]) == (1, 2, True)
    Path(facts["database"]).write_bytes(b"nonsense" * 1000)
    assert json.loads(index(workspace, "--rebuild", "--json").stdout)["files"] == 1
    assert "0 vectors dropped" in index(workspace, "--prune").stdout


def test_status_does_not_go_with_changes(workspace: Path) -> None:
    result = index(workspace, "--status", "--rebuild")
    assert "--status only looks" in str(result.exception)


def test_pruning_and_rebuilding_wait_for_no_editor_but_say_so(workspace: Path) -> None:
    index(workspace)
    writer = IndexWriter.open(index_path(workspace.parent / "indexes", workspace))
    assert writer is not None
    with writer:
        for change in ("--prune", "--rebuild"):
            assert "close it, or pause indexing there, and try again" in str(index(workspace, change).exception)
        assert json.loads(search(workspace, "retry", "--json").stdout)["hits"] != []


def test_code_like_that_at_a_line_is_found(workspace: Path) -> None:
    (workspace / "other.py").write_text("def send_later():\n    return 1\n", "utf-8")
    answer = json.loads(search(workspace, "--similar", f"{workspace}/send.py:5", "--json").stdout)
    assert answer["hits"][0]["name"] == "send_later"
    assert "send_with_backoff" not in [hit["name"] for hit in answer["hits"]]
    assert json.loads(search(workspace, "--similar", f"{workspace}/send.py:3", "--json").stdout)["hits"] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "say what to find"),
        (("words", "--similar", "a.py:1"), "say what to find"),
        (("--similar", "a.py"), "'a.py' is no place; write FILE:LINE"),
        (("--similar", "/elsewhere/a.py:1"), "does not lie in"),
    ],
)
def test_a_question_that_cannot_be_read_is_refused(workspace: Path, arguments: tuple[str, ...], message: str) -> None:
    result = search(workspace, *arguments)
    assert result.exit_code == 1
    assert message in str(result.exception)


def test_with_an_encoder_the_index_has_vectors_and_says_so(workspace: Path, tmp_path: Path) -> None:
    assert "no encoder is installed" in index(workspace).stdout
    write_artifact(tmp_path / "artifacts" / "embedding", SMALL, modes=("embed",))
    assert "0 vectors of small-" in index(workspace, "--keywords").stdout
    facts = json.loads(index(workspace, "--json").stdout)
    assert (facts["vectors"], facts["unembedded"]) == (2, 0)
    assert json.loads(search(workspace, "retry", "--json").stdout)["hits"][0]["name"] == "send_with_backoff"
    assert "0 vectors dropped" in index(workspace, "--prune").stdout


def test_searching_embeds_what_it_can_in_a_moment(workspace: Path, tmp_path: Path) -> None:
    write_artifact(tmp_path / "artifacts" / "embedding", SMALL, modes=("embed",))
    search(workspace, "retry")
    assert json.loads(index(workspace, "--status", "--json").stdout)["vectors"] == 2


def test_a_page_with_the_hits_is_shown_in_the_browser(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    result = search(workspace, "retry", "--open")
    (report,) = (workspace.parent / "indexes").glob("*.html")
    assert opened == [report.as_uri()]
    assert "send_with_backoff" in report.read_text("utf-8")
    assert "no browser was found" in result.stderr  # the stand-in says nothing of success
    assert report.stat().st_mode & 0o077 == 0
