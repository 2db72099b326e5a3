"""AdamW without a schedule (Defazio et al. 2024, arXiv:2405.15682, algorithm 1).

Three sequences of weights: z takes AdamW's steps, x is z's average, which answers, and the gradient
is taken at y, between the two. The model holds y while it learns; x follows from y and z.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

BETAS = (0.9, 0.999)
EPS = 1e-8
Groups = list[dict[str, Any]]


class ScheduleFree(Optimizer):
    """Moves y in place; z and the second moment are its state."""

    def __init__(self, groups: Groups, lr: float) -> None:
        super().__init__(groups, {"lr": lr, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Move every parameter that has a gradient."""
        assert closure is None, "the loop computes gradients itself"
        for group in self.param_groups:
            weights = [weight for weight in group["params"] if weight.grad is not None]
            for weight in weights:
                self._move(weight, weight.grad, group["lr"], group["weight_decay"])

    def _move(self, y: Tensor, gradient: Tensor, lr: float, decay: float) -> None:
        state = self.state[y]
        if not state:
            state["z"], state["square"] = y.clone(), torch.zeros_like(y)
            # Steps and the sum of their shares. torch loads what is named "step" as it was saved,
            # in float64 and on the CPU, where reading it waits for no device.
            state["step"] = torch.zeros(2, dtype=torch.float64)
        steps, total = state["step"].tolist()
        # Each step weighs the square of its rate, so that the climb counts little (section 4.1).
        share = lr**2 / (total + lr**2) if lr else 0.0
        state["step"] = torch.tensor([steps + 1, total + lr**2], dtype=torch.float64)
        momentum, memory = BETAS
        square, z = state["square"], state["z"]
        square.mul_(memory).addcmul_(gradient, gradient, value=1.0 - memory)
        scale = (1.0 - memory ** (steps + 1)) ** 0.5
        update = gradient / (square.sqrt().div_(scale).add_(EPS))
        update.add_(y, alpha=decay)
        # x = (y - (1 - momentum) z) / momentum is never stored: y moves as x and z would have it.
        y.lerp_(z, share).add_(update, alpha=lr * (momentum * (1.0 - share) - 1.0))
        z.sub_(update, alpha=lr)


def weights_answered_with(
    optimizer: ScheduleFree, model: nn.Module, weights: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """`weights`, the averages x in the place of the y that are learned at."""
    momentum, _ = BETAS
    found = {name: weight.clone() for name, weight in weights.items()}
    for name, parameter in model.named_parameters():
        if name in found and (state := optimizer.state.get(parameter)):
            found[name] = parameter.detach().lerp(state["z"], 1.0 - 1.0 / momentum)
    return found
