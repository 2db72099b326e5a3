"""What is done to gradients before a step, and how one sees that they are sick."""

import math

import torch
from torch import Tensor, nn

from tasks.training.technique import Technique

HEALTH_STEPS = 10
"""A health record is taken at most at every so many steps."""
TINY, MOST_TINY_STEPS = 1e-10, 50
"""So short a gradient, for so many steps, has vanished."""


class Diverged(ValueError):
    """A training that cannot go on: its gradients are not finite, or have vanished."""


def penalise(weights: list[nn.Parameter], technique: Technique) -> None:
    """Add the gradient of the L1 and L2 penalties of matrices to theirs."""
    if not technique.l1 and not technique.l2:
        return
    with torch.no_grad():
        for weight in (w for w in weights if w.dim() > 1 and w.grad is not None):
            assert weight.grad is not None, "filtered"
            weight.grad += technique.l1 * weight.sign() + technique.l2 * weight


def clipped(weights: list[nn.Parameter], technique: Technique) -> float:
    """Shorten the gradients in place; their norm over all parameters before that."""
    longest = technique.clip_norm or math.inf
    norm = nn.utils.get_total_norm([w.grad for w in weights if w.grad is not None])
    # A gradient that is short enough would be multiplied by exactly one: a pass over all of it.
    if float(norm) > 0.999 * longest:
        nn.utils.clip_grads_with_norm_(weights, longest, norm)
    if technique.clip_value is not None:
        nn.utils.clip_grad_value_(weights, technique.clip_value)
    return float(norm)


def is_looked_at(step: int, points_apart: int) -> bool:
    """Whether the step's gradient is recorded: no more often than the curve has points."""
    if points_apart < HEALTH_STEPS:
        return step % HEALTH_STEPS == 0
    return (step + 1) % points_apart == 0


def health_of(model: nn.Module) -> dict[str, float]:
    """Norm of each part's gradient, and the share of entries that are zero, for the curve."""
    parts = {
        name: [p.grad for p in part.parameters() if p.grad is not None]
        for name, part in model.named_children()
    }
    health = {f"gradient/{name}": _norm(grads) for name, grads in parts.items() if grads}
    flat = [grad for grads in parts.values() for grad in grads]
    entries = sum(grad.numel() for grad in flat)
    # Comparing with zero and adding up took 24 ms of 4 million entries, this takes 2.
    others = sum(int(torch.count_nonzero(grad)) for grad in flat)
    return health | {"gradient/zero_share": 1.0 - others / max(1, entries)}


def is_overflow(norm: float, scaler: torch.amp.GradScaler) -> bool:
    """Whether a gradient is not finite for the scale of its loss alone: the step is skipped.

    The scale is halved each time; below one it is no longer the scale's fault.
    """
    return scaler.is_enabled() and not math.isfinite(norm) and scaler.get_scale() >= 1.0


def check_norm(norm: float, tiny_steps: int, where: str) -> int:
    """How many steps in a row had a vanishing gradient, this one included.

    Raises Diverged when it is not finite, or has vanished for too long.
    """
    if not math.isfinite(norm):
        raise Diverged(
            f"{where}: the gradient is not finite any more; a lower lr, clip_norm or a longer "
            "warm_up help"
        )
    tiny_steps = tiny_steps + 1 if norm < TINY else 0
    if tiny_steps >= MOST_TINY_STEPS:
        raise Diverged(
            f"{where}: the gradient has vanished for {tiny_steps} steps; a lower lr, less l1 or "
            "l2, or fewer layers help"
        )
    return tiny_steps


def _norm(grads: list[Tensor]) -> float:
    return float(nn.utils.get_total_norm(grads))
