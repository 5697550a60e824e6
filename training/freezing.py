"""Which weights a stage trains: what is frozen by name, and what its objectives do not reach."""

from codet5p.training.config import StageRecipe
from codet5p.training.objective_module import ObjectiveModule

__all__ = ["apply_freezing", "is_trained"]


def apply_freezing(module: ObjectiveModule, stage: StageRecipe) -> int:
    """Set which weights of `module` require gradients in `stage`.

    Args:
        module: The model and the temperature.
        stage: Frozen parts and objectives.

    Returns:
        The number of trained weights.
    """
    trained = 0
    for name, parameter in module.named_parameters():
        parameter.requires_grad = is_trained(name, stage)
        trained += parameter.numel() if parameter.requires_grad else 0
    return trained


def is_trained(name: str, stage: StageRecipe) -> bool:
    """Return whether `stage` trains the weight called `name`.

    Args:
        name: As in `ObjectiveModule.named_parameters`.
        stage: Frozen parts and objectives.

    Returns:
        False too for heads that none of the objectives reads: DDP waits for the gradient of every trained weight.
    """
    cross_attention = "cross_attention" in name
    frozen = {
        "embedding": "token_embedding" in name or "lm_head" in name,
        "encoder": ".encoder." in name,
        "decoder": ".decoder." in name,
        "cross_attention": cross_attention,
        "decoder_except_cross_attention": ".decoder." in name and not cross_attention,
    }
    if any(frozen[part] for part in stage.frozen):
        return False
    if name == "temperature":
        return stage.uses(["contrastive"])
    if "text_code_projection" in name:
        return stage.uses(["contrastive"])
    if "matching_head" in name:
        return stage.uses(["matching"])
    if ".decoder." in name:
        return set(stage.objectives) != {"contrastive"}
    return True
