"""An exponential moving average of trained weights."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

__all__ = ["WeightAverage"]


class WeightAverage:
    """Averages the weights that require gradients; frozen ones are their own average."""

    def __init__(self, module: nn.Module) -> None:
        self.weights = {name: tensor.detach().clone() for name, tensor in _trained(module).items()}

    @torch.no_grad()
    def update(self, module: nn.Module, decay: float) -> None:
        """Move the average a step of 1 - `decay` towards the weights of `module`."""
        trained = _trained(module)
        targets = [trained[name].detach() for name in self.weights]
        torch._foreach_lerp_(list(self.weights.values()), targets, 1 - decay)

    @torch.no_grad()
    def copy_to(self, module: nn.Module) -> None:
        """Give `module` the averaged weights."""
        trained = _trained(module)
        for name, average in self.weights.items():
            trained[name].copy_(average)

    def state_dict(self) -> dict[str, Tensor]:
        """Return the averaged weights by name."""
        return dict(self.weights)

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take over what `state_dict` returned."""
        for name, tensor in self.weights.items():
            tensor.copy_(state[name])


def _trained(module: nn.Module) -> dict[str, nn.Parameter]:
    return {name: parameter for name, parameter in module.named_parameters() if parameter.requires_grad}
