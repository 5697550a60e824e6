"""The distributions that fresh weights are drawn from, all of them, in one table.

| weight                                              | normal with standard deviation                               |
|-----------------------------------------------------|--------------------------------------------------------------|
| token embedding, read by the head as it is          | width^-0.5, so that logits begin with variance 1             |
| token embedding, head of its own or scaled          | 1                                                            |
| query, where attention scores are not scaled        | (width * head_dim)^-0.5, which stands in for the scaling     |
| relative bias, learned positions                    | width^-0.5                                                   |
| every other projection                              | fan_in^-0.5, so that activations keep their variance         |
| biases                                              | 0                                                            |
| norms                                               | 1                                                            |

Source: T5 (mesh-tensorflow's initialisers), whose values these are for the `t5` family. We differ for a head tied but
not scaled, where an embedding of variance 1 would make the first logits as large as width^0.5.
"""

from collections.abc import Container
from typing import TYPE_CHECKING

import torch
from torch import nn

from codet5p.model.config import CodeT5pConfig

if TYPE_CHECKING:
    from codet5p.model.transformer import CodeT5pModel

__all__ = ["initialise_weights"]


@torch.no_grad()
def initialise_weights(
    model: "CodeT5pModel", generator: torch.Generator | None = None, *, only: Container[str] | None = None
) -> None:
    """Draw the weights of `model` anew, in place.

    Args:
        model: On the generator's device.
        generator: Source of randomness; torch's global one where None.
        only: Names of the weights to draw; all where None.
    """
    for name, parameter in model.named_parameters():
        if only is not None and name not in only:
            continue
        if name.endswith("norm.weight"):
            nn.init.ones_(parameter)
        elif name.endswith(".bias"):
            nn.init.zeros_(parameter)
        else:
            nn.init.normal_(parameter, std=_standard_deviation(name, parameter, model.config), generator=generator)


def _standard_deviation(name: str, parameter: nn.Parameter, config: CodeT5pConfig) -> float:
    if name == "token_embedding.weight":
        return float(config.width**-0.5) if config.tie_head and not config.scale_head else 1.0
    if name.endswith(("relative_bias.weight", "position_embedding.weight")):
        return float(config.width**-0.5)
    fan_in = parameter.size(1)
    if name.endswith(".query.weight") and not config.scale_attention:
        return float((fan_in * config.head_dim) ** -0.5)
    return float(fan_in**-0.5)
