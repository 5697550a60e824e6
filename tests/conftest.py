"""What many tests share."""

from pathlib import Path

import pytest
from fakes import small_tokenizer
from hypothesis import HealthCheck, settings
from small_artifact import write_artifact

from codet5p.core.tokenizer import Tokenizer

# No test asserts on time, and a busy machine is no reason to fail.
settings.register_profile("codet5p", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("codet5p")


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return small_tokenizer()


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    """An int8 artifact for completion, the test's own to damage."""
    write_artifact(tmp_path / "artifact")
    return tmp_path / "artifact"
