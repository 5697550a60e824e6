import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from codet5p import __version__
from codet5p.cli import diagnosis
from codet5p.cli.diagnosis import diagnose
from codet5p.cli.main import app


@pytest.fixture(autouse=True)
def quick_calibration(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    calls: list[Path] = []

    def calibrate(model: Path, _: object, *, is_forced: bool) -> int:
        record = model.parent / "threads.json"
        if not record.exists():
            calls.append(record)
            record.write_text(json.dumps({"timings": [{"a": 1, "b": 2, "c": 3, "d": 4}]}), "utf-8")
        return 2

    monkeypatch.setattr(diagnosis, "calibrated_threads", calibrate)
    return calls


def test_a_good_installation_has_no_problem(artifact: Path, tmp_path: Path) -> None:
    findings = diagnose(artifact, tmp_path / "cache", calibrate=False)
    assert (findings["problem"], findings["remedy"]) == (None, None)
    assert findings["codet5p"] == __version__
    assert findings["model"].startswith("small ")
    assert "int8, 0+4 layers x 24, modes: complete" in findings["model"]
    assert (findings["threads"], len(findings["timings"])) == (2, 1)


def test_the_speed_is_measured_anew_only_when_asked(
    artifact: Path, tmp_path: Path, quick_calibration: list[Path]
) -> None:
    for calibrate in (False, False, True):
        diagnose(artifact, tmp_path / "cache", calibrate=calibrate)
    assert len(quick_calibration) == 2


@pytest.mark.parametrize("name", ["manifest.json", "tokenizer.json", "weights-1-of-1.safetensors"])
def test_a_damaged_artifact_is_named_with_a_remedy_that_helps(artifact: Path, tmp_path: Path, name: str) -> None:
    (artifact / name).write_bytes((artifact / name).read_bytes()[:-20])
    findings = diagnose(artifact, tmp_path / "cache", calibrate=False)
    assert name in findings["problem"]
    assert "codet5p doctor" not in findings["problem"]
    assert findings["remedy"] == "install codet5p again, or name a good artifact with --artifact"


def test_damage_behind_a_filled_cache_is_found_too(artifact: Path, tmp_path: Path) -> None:
    diagnose(artifact, tmp_path / "cache", calibrate=False)
    path = artifact / "weights-1-of-1.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert "altered" in diagnose(artifact, tmp_path / "cache", calibrate=False)["problem"]


def test_the_command_fails_where_there_is_a_problem(artifact: Path, tmp_path: Path) -> None:
    arguments = ["doctor", "--artifact", str(artifact), "--cache", str(tmp_path / "cache")]
    good = CliRunner().invoke(app, arguments)
    assert good.exit_code == 0
    assert "all is well" in good.stdout
    (artifact / "tokenizer.json").unlink()
    bad = CliRunner().invoke(app, [*arguments, "--json"])
    assert bad.exit_code == 1
    assert "tokenizer.json" in json.loads(bad.stdout)["problem"]
    assert "remedy" in CliRunner().invoke(app, arguments).stdout
