from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from codet5p.core.config import from_mapping, load_toml
from codet5p.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True, slots=True)
class Inner:
    steps: int
    rate: float = 0.1

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"steps must be at least 1, got {self.steps}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Outer:
    inner: Inner
    kind: Literal["fast", "slow"] = "fast"
    names: tuple[str, ...] = ()
    stages: tuple[Inner, ...] = ()
    table: dict[str, float] = field(default_factory=dict)
    limit: int | None = None
    width: int | str = 1
    is_on: bool = False
    place: Path = Path()
    anything: Any = None


MINIMUM: dict[str, Any] = {"inner": {"steps": 1}}


def test_everything_given_arrives_in_its_type() -> None:
    given = {
        "inner": {"steps": 3, "rate": 2},
        "kind": "slow",
        "names": ["a", "b"],
        "stages": [{"steps": 1}, {"steps": 2}],
        "table": {"x": 1},
        "limit": None,
        "width": "auto",
        "is_on": True,
        "place": "here/there",
        "anything": [1, "two"],
    }
    config = from_mapping(given, Outer)
    assert config == Outer(
        inner=Inner(steps=3, rate=2.0),
        kind="slow",
        names=("a", "b"),
        stages=(Inner(steps=1), Inner(steps=2)),
        table={"x": 1.0},
        limit=None,
        width="auto",
        is_on=True,
        place=Path("here/there"),
        anything=[1, "two"],
    )
    assert type(config.inner.rate) is float
    assert type(config.table["x"]) is float


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"innner": 1}, "unknown key innner; known are"),
        ({"inner": {"step": 1}}, "unknown key inner.step; known are rate, steps"),
        ({"inner": {}}, "missing key inner.steps"),
        ({"inner": 5}, "inner must be a table, got 5"),
        ({"inner": {"steps": "3"}}, "inner.steps must be of type int, got '3'"),
        ({"inner": {"steps": True}}, "inner.steps must be of type int, got True"),
        ({"inner": {"steps": 1.0}}, "inner.steps must be of type int, got 1.0"),
        ({"inner": {"steps": 1, "rate": False}}, "inner.rate must be of type float, got False"),
        ({"inner": {"steps": 0}}, "inner: steps must be at least 1, got 0"),
        ({"kind": "medium"}, "kind must be one of 'fast', 'slow', got 'medium'"),
        ({"names": "abc"}, "names must be a list, got 'abc'"),
        ({"names": ["a", 2]}, "names[1] must be of type str, got 2"),
        ({"stages": [{"steps": 1}, {"steps": -1}]}, "stages[1]: steps must be at least 1, got -1"),
        ({"table": [1]}, "table must be a table, got [1]"),
        ({"table": {"x": "y"}}, "table.x must be of type float, got 'y'"),
        ({"limit": "none"}, "limit must be of type int, got 'none'"),
        ({"width": 1.5}, "width must be of type str, got 1.5"),
        ({"is_on": 1}, "is_on must be of type bool, got 1"),
        ({"place": 3}, "place must be of type Path, got 3"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        from_mapping(MINIMUM | wrong, Outer)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_missing_key_is_named() -> None:
    with pytest.raises(ConfigError, match=r"^missing key inner$"):
        from_mapping({}, Outer)


@pytest.mark.parametrize("given", [5, None, "text", [1], [{}]])
def test_what_is_no_table_is_refused_as_such(given: Any) -> None:
    with pytest.raises(ConfigError, match=r"must be a table, got"):
        from_mapping(given, Outer)


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text('kind = "slow"\n[inner]\nsteps = 4\n', "utf-8")
    assert load_toml(path, Outer) == Outer(inner=Inner(steps=4), kind="slow")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"kind = ", "is not valid TOML: "),
        (b"kind = '\xff'", "is not valid TOML: "),
        (b"kind = 'slow'", ": missing key inner"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_toml(path, Outer)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"recipe\.toml does not exist$"):
        load_toml(tmp_path / "recipe.toml", Outer)
