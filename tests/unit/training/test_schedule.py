import pytest

from codet5p.training.config import ScheduleRecipe
from codet5p.training.schedule import learning_rate_factor


def factors(steps: int, **settings: object) -> list[float]:
    config = ScheduleRecipe(**settings)  # type: ignore[arg-type]
    return [learning_rate_factor(step, steps, config) for step in range(steps)]


def test_linear_rises_and_falls_on_straight_lines() -> None:
    assert factors(8, kind="linear", warmup_steps=3) == pytest.approx([0.25, 0.5, 0.75, 1.0, 0.8, 0.6, 0.4, 0.2])


def test_stable_stays_at_the_peak_until_its_decay() -> None:
    assert factors(10, kind="stable", warmup_steps=0, decay_share=0.4) == pytest.approx(
        [1.0] * 6 + [1.0, 0.75, 0.5, 0.25]
    )


def test_the_plateau_does_not_depend_on_the_length() -> None:
    short, long = (factors(steps, kind="stable", warmup_steps=2)[:6] for steps in (10, 1000))
    assert short == long


def test_cosine_is_half_way_down_in_the_middle_and_ends_at_its_share() -> None:
    values = factors(100, kind="cosine", warmup_steps=0, final_share=0.1)
    assert values[50] == pytest.approx(0.55)
    assert values[99] == pytest.approx(0.1, abs=0.001)
