"""What is done to gradients before a step, and how one sees that they are sick."""

import math
from collections.abc import Iterator

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


def norm_of(weights: list[nn.Parameter]) -> Tensor:
    """Of the gradient, over all parameters."""
    return nn.utils.get_total_norm([w.grad for w in weights if w.grad is not None])


def clip(weights: list[nn.Parameter], norm: Tensor, technique: Technique) -> None:
    """Shorten the gradients in place, whose norm over all parameters is given."""
    longest = technique.clip_norm or math.inf
    # A gradient that is short enough would be multiplied by exactly one: a pass over all of it.
    if float(norm) > 0.999 * longest:
        nn.utils.clip_grads_with_norm_(weights, longest, norm)
    if technique.clip_value is not None:
        nn.utils.clip_grad_value_(weights, technique.clip_value)


def is_looked_at(step: int, points_apart: int) -> bool:
    """Whether the step's gradient is recorded: no more often than the curve has points."""
    if points_apart < HEALTH_STEPS:
        return step % HEALTH_STEPS == 0
    return (step + 1) % points_apart == 0


def layers_of(part: nn.Module, above: str = "") -> Iterator[tuple[str, list[Tensor]]]:
    """Each layer's name and gradients: those of lists and sequences are layers of their own."""
    own = [weight.grad for weight in part.parameters(recurse=False) if weight.grad is not None]
    if own:
        yield above or "own", own
    for name, child in part.named_children():
        path = f"{above}.{name}" if above else name
        if isinstance(child, nn.ModuleList | nn.ModuleDict | nn.Sequential):
            yield from layers_of(child, path)
        elif grads := [w.grad for w in child.parameters() if w.grad is not None]:
            yield path, grads


def health_of(model: nn.Module) -> dict[str, float]:
    """Norm of each layer's gradient, where it is finite, and the shares of all entries that are
    zero, and not finite, for the curve."""
    layers = dict(layers_of(model))
    norms = {name: _norm(grads) for name, grads in layers.items()}
    flat = [grad for grads in layers.values() for grad in grads]
    entries = max(1, sum(grad.numel() for grad in flat))
    # Comparing with zero and adding up took 24 ms of 4 million entries, this takes 2.
    others = sum(int(torch.count_nonzero(grad)) for grad in flat)
    is_whole = all(map(math.isfinite, norms.values()))
    found = {f"gradient/layer/{name}": norm for name, norm in norms.items() if math.isfinite(norm)}
    return found | {
        "gradient/zero_share": 1.0 - others / entries,
        "gradient/nonfinite_share": 0.0 if is_whole else _num_lost(flat) / entries,
    }


def worst_layer(model: nn.Module, norm: float) -> str:
    """Where the gradient, of this norm over all, is the sickest, in words."""
    layers = dict(layers_of(model))
    norms = {name: _norm(grads) for name, grads in layers.items()}
    if math.isfinite(norm):
        name = min(norms, key=lambda name: norms[name])
        return f"least in {name}: {norms[name]:.1e}"
    lost = {n: _num_lost(grads) / sum(map(torch.numel, grads)) for n, grads in layers.items()}
    name = max(lost, key=lambda name: (lost[name], norms[name]))
    return f"worst in {name}: {lost[name]:.0%} of its entries"


def is_overflow(norm: float, scaler: torch.amp.GradScaler) -> bool:
    """Whether a gradient is not finite for the scale of its loss alone: the step is skipped.

    The scale is halved each time; below one it is no longer the scale's fault.
    """
    return scaler.is_enabled() and not math.isfinite(norm) and scaler.get_scale() >= 1.0


def check_norm(norm: float, tiny_steps: int, where: str, model: nn.Module | None = None) -> int:
    """How many steps in a row had a vanishing gradient, this one included.

    Raises Diverged when it is not finite, or has vanished for too long; it names the worst layer
    of the model.
    """
    is_finite = math.isfinite(norm)
    tiny_steps = tiny_steps + 1 if norm < TINY else 0
    if is_finite and tiny_steps < MOST_TINY_STEPS:
        return tiny_steps
    worst = f" ({worst_layer(model, norm)})" if model else ""
    if is_finite:
        raise Diverged(
            f"{where}: the gradient has vanished for {tiny_steps} steps{worst}; a lower lr, less "
            "l1 or l2, or fewer layers help"
        )
    raise Diverged(
        f"{where}: the gradient is not finite any more{worst}; a lower lr, clip_norm or a longer "
        "warm_up help"
    )


def _norm(grads: list[Tensor]) -> float:
    return float(nn.utils.get_total_norm(grads))


def _num_lost(grads: list[Tensor]) -> int:
    """Entries that are not finite."""
    return sum(int((~grad.isfinite()).sum()) for grad in grads)
