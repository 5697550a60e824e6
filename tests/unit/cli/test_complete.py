import json
from pathlib import Path

import pytest
from fakes import FakeEngine
from server_state import loaded_with
from typer.testing import CliRunner

from codet5p.cli import engine_loading
from codet5p.cli.main import app


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    engine = FakeEngine("urn größe\n")
    monkeypatch.setattr(engine_loading, "load_engine_with_bar", lambda *_, **__: loaded_with(engine))
    return engine


@pytest.fixture
def place(tmp_path: Path) -> str:
    (tmp_path / "a.py").write_bytes("x = '😀'\r\nret\r\ny\r\n".encode())
    return f"{tmp_path / 'a.py'}:2:4"


def test_the_rest_of_the_line_is_printed(engine: FakeEngine, place: str) -> None:
    result = CliRunner().invoke(app, ["complete", place])
    assert (result.exit_code, result.stdout) == (0, "urn größe\n")
    assert engine.prompt_text() == "x = '😀'\r\nret"


def test_json_has_everything_a_script_needs(engine: FakeEngine, place: str) -> None:
    result = CliRunner().invoke(app, ["complete", place, "--json"])
    found = json.loads(result.stdout)
    assert found.pop("milliseconds") > 0
    assert found == {
        "file": place.removesuffix(":2:4"),
        "line": 2,
        "column": 4,
        "completion": "urn größe",
        "score": -0.5,
        "model": "small",
        "revision": "0123456789ab",
    }


def test_a_small_artifact_completes_for_real(artifact: Path, tmp_path: Path, place: str) -> None:
    arguments = ["complete", place, "--json", "--artifact", str(artifact), "--cache", str(tmp_path), "--threads", "1"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0
    assert isinstance(json.loads(result.stdout)["completion"], str)
