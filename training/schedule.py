"""The learning rate as a function of the step, relative to its peak."""

import math

from codet5p.training.config import ScheduleRecipe

__all__ = ["learning_rate_factor"]


def learning_rate_factor(step: int, steps: int, config: ScheduleRecipe) -> float:
    """Return the learning rate of one step as a share of the peak.

    Args:
        step: From 0 on.
        steps: Steps of the stage.
        config: Shape of the schedule.

    Returns:
        Rises linearly over the warm-up, then follows the kind. With `stable`, the plateau does not depend on `steps`,
        so a stage can be prolonged after the fact as long as its decay has not begun.

    Source: linear: CodeT5+ section 4.1; stable (WSD): MiniCPM (arXiv 2404.06395).
    """
    if step < config.warmup_steps:
        return (step + 1) / (config.warmup_steps + 1)
    if config.kind == "stable":
        decay_steps = max(1, round(steps * config.decay_share))
        remaining = min(1.0, (steps - step) / decay_steps)
    else:
        remaining = max(0.0, (steps - step) / max(1, steps - config.warmup_steps))
    if config.kind == "cosine":
        remaining = (1 - math.cos(math.pi * remaining)) / 2
    return config.final_share + (1 - config.final_share) * remaining
