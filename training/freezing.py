"""Which weights a stage trains: what is frozen by name, and what its objectives do not reach."""

from codet5p.training.config import StageRecipe
from codet5p.training.objective_module import ObjectiveModule

__all__ = ["apply_freezing", "is_trained"]

_ASKING = ("cross_attention_norm", "cross_attention.query", "cross_attention.key")


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
    if name == "temperature" or "text_code_projection" in name:
        return stage.uses(["contrastive"])
    if "matching_head" in name:
        return stage.uses(["matching"])
    if any(part in name for part in _ASKING) and _reads_one_state(stage):
        return False
    if ".decoder." in name:
        return set(stage.objectives) != {"contrastive"}
    return True


def _reads_one_state(stage: StageRecipe) -> bool:
    """Return whether cross-attention always has one key, so that nothing depends on what is asked of it."""
    return set(stage.objectives) <= {"decoder_only_causal_lm", "contrastive"} and not stage.code.separate_documents
