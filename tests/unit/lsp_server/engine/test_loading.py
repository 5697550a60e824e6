from pathlib import Path
from threading import Event

import pytest

from codet5p.core.errors import ArtifactError
from codet5p.lsp_server.engine import loading
from codet5p.lsp_server.engine.loading import load_engine
from codet5p.lsp_server.engine.protocol import Engine, GenerationRequest


def test_an_artifact_becomes_a_running_engine(artifact: Path, tmp_path: Path) -> None:
    counts: list[int] = []
    loaded = load_engine(artifact, tmp_path / "cache", num_threads=1, advance=counts.append)
    engine: Engine = loaded.engine
    request = GenerationRequest(
        static_ids=(),
        tail_ids=tuple(engine.tokenizer.encode("def f(")),
        required_prefix=b"",
        end_ids=(),
        max_new_tokens=3,
        time_limit_seconds=10.0,
    )
    generation = engine.generate(request, Event())
    assert generation is not None
    assert (loaded.num_threads, loaded.manifest.name) == (1, "small")
    assert sum(counts) > 0


def test_threads_are_measured_where_none_are_given(
    artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "calibrated_threads", lambda *_: 2)
    assert load_engine(artifact, tmp_path / "cache").num_threads == 2


def test_a_damaged_artifact_is_refused(artifact: Path, tmp_path: Path) -> None:
    (artifact / "tokenizer.json").write_text("{}", "utf-8")
    with pytest.raises(ArtifactError, match="see codet5p doctor"):
        load_engine(artifact, tmp_path / "cache", num_threads=1)
