import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from typer.testing import CliRunner

from codet5p.cli.main import app
from codet5p.training import text_teacher
from codet5p.training.distillation import TextEmbeddings
from codet5p.training.pair_table import content_id


class _Lengths:
    """Embeds a text as its length, for a test without weights."""

    def __init__(self, _folder: Path, *, device: str) -> None:
        assert device == "cpu"

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.array([[len(text), 1.0] for text in texts], np.float32)


def test_the_texts_of_all_pairs_are_embedded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_teacher, "TextTeacher", _Lengths)
    pairs = tmp_path / "pairs.jsonl"
    rows = [{"text": text, "code": f"def f{number}(): pass"} for number, text in enumerate(["one", "three", "one"])]
    pairs.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    arguments = ["corpus", "embed", str(pairs), "--out", str(tmp_path / "texts.npz"), "--model", str(tmp_path)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "2 texts" in result.output
    stored = TextEmbeddings.from_file(tmp_path / "texts.npz")
    _, found = stored.find(torch.tensor([content_id("one"), content_id("three"), content_id("four")]))
    assert found.tolist() == [True, True, False]
