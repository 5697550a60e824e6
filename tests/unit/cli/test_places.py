from pathlib import Path

from codet5p.cli.places import artifact_or_released, cache_or_default
from codet5p.core.artifact import released_artifact
from codet5p.core.assembly import default_cache


def test_what_is_given_is_used_and_else_what_is_installed() -> None:
    given = Path("somewhere")
    assert artifact_or_released(given) == given
    assert cache_or_default(given) == given
    assert artifact_or_released(None) == released_artifact()
    assert cache_or_default(None) == default_cache()
