"""The learning rate as a function of the step, relative to its peak."""

import math

from codet5p.training.config import ScheduleRecipe

__all__ = ["learning_rate_factor"]


def learning_rate_factor(step: int, steps: int, config: ScheduleRecipe, *, time_share: float = 0.0) -> float:
    """Return the learning rate of one step as a share of the peak.

    Args:
        step: From 0 on.
        steps: Steps of the stage.
        config: Shape of the schedule.
        time_share: How much of a stage's minutes is used, from 0 to 1. Of steps and minutes that counts of which more
            is used, so the rate is at its end when either is.

    Returns:
        Rises linearly over the warm-up, then follows the kind. With `stable`, the plateau does not depend on `steps`,
        so a stage can be prolonged after the fact as long as its decay has not begun.

    Source: linear: CodeT5+ section 4.1; stable (WSD): MiniCPM (arXiv 2404.06395).
    """
    rise = min(1.0, (step + 1) / (config.warmup_steps + 1))
    place = max(float(step), time_share * steps)
    if config.kind == "stable":
        fall = (steps - place) / max(1, round(steps * config.decay_share))
    else:
        fall = (steps - place) / max(1, steps - config.warmup_steps)
    fall = min(1.0, max(0.0, fall))
    if config.kind == "cosine":
        fall = (1 - math.cos(math.pi * fall)) / 2
    return min(rise, config.final_share + (1 - config.final_share) * fall)
