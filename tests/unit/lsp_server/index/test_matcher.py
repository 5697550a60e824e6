from pathlib import Path

import numpy as np
import pytest
from small_artifact import SMALL, write_artifact

from codet5p.core.errors import ArtifactError
from codet5p.lsp_server.index.encoder import EncoderPlace
from codet5p.lsp_server.index.matcher import LazyMatcher


def test_a_model_with_a_matching_head_judges_code(tmp_path: Path) -> None:
    write_artifact(tmp_path / "artifact", SMALL, modes=("match",))
    matcher = LazyMatcher(EncoderPlace(tmp_path / "artifact", tmp_path / "cache"), num_threads=1)
    odds = matcher.match("a function", ["def f(): ...", "class A: ..."])
    assert odds.shape == (2,)
    assert np.isfinite(odds).all()


def test_a_model_without_one_is_refused_with_the_remedy(tmp_path: Path) -> None:
    write_artifact(tmp_path / "artifact", SMALL, modes=("embed",))
    with pytest.raises(ArtifactError, match=r"cannot match; switch codet5p\.search\.rerank off"):
        LazyMatcher(EncoderPlace(tmp_path / "artifact", tmp_path / "cache"), num_threads=1)
