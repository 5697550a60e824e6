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


@pytest.mark.parametrize("kind", ["linear", "cosine", "stable"])
def test_a_stage_bounded_by_minutes_has_decayed_when_they_are_used(kind: str) -> None:
    config = ScheduleRecipe(kind=kind, warmup_steps=10, final_share=0.1)  # type: ignore[arg-type]
    shares = [0.0, 0.5, 0.9, 0.95, 1.0]
    values = [learning_rate_factor(500, 1_000_000, config, time_share=share) for share in shares]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0.99
    assert values[-1] == pytest.approx(0.1)


def test_of_steps_and_minutes_the_one_further_on_counts() -> None:
    config = ScheduleRecipe(kind="linear", warmup_steps=0)
    assert learning_rate_factor(50, 100, config, time_share=0.2) == pytest.approx(0.5)
    assert learning_rate_factor(50, 100, config, time_share=0.8) == pytest.approx(0.2)


def test_minutes_that_end_within_the_warm_up_still_bring_the_rate_down() -> None:
    assert learning_rate_factor(5, 1000, ScheduleRecipe(warmup_steps=100), time_share=1.0) == 0


def test_cosine_is_half_way_down_in_the_middle_and_ends_at_its_share() -> None:
    values = factors(100, kind="cosine", warmup_steps=0, final_share=0.1)
    assert values[50] == pytest.approx(0.55)
    assert values[99] == pytest.approx(0.1, abs=0.001)
