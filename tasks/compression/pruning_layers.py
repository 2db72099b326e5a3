"""Whole layers of a transformer, and the network without some of them.

A layer adds to what passes it, so that the next one reads much the same without it (Sajjad et al.
2020, arXiv:2004.03844). Shapes: L layers.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from tasks.compression.pruning_importance import ImportanceName, Losses
from tasks.compression.pruning_units import Weights

WRITING = ("attention.output", "contract")


def layer_importance(model: nn.Module, how: ImportanceName, losses: Losses) -> Tensor:
    """What each layer is worth, [L]: as for units, of what it adds to the tokens that pass it."""
    layers = list(model.get_submodule("layers").children())
    if how == "magnitude":
        return torch.stack([_written(layer) for layer in layers])
    passed: dict[int, tuple[Tensor, Tensor]] = {}

    def listener(index: int) -> Any:
        def heard(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            del module
            passed[index] = (inputs[0], output)

        return heard

    hooks = [layer.register_forward_hook(listener(i)) for i, layer in enumerate(layers)]
    try:
        worth = _gates if how == "taylor" else _changes
        found = [worth(loss_B, [passed[i] for i in sorted(passed)]) for loss_B in losses(model)]
    finally:
        for hook in hooks:
            hook.remove()
    return torch.cat(found, dim=1).mean(1)


def _written(layer: nn.Module) -> Tensor:
    weights = [layer.get_parameter(f"{name}.weight") for name in WRITING]
    squares = [weight.detach().square().sum() for weight in weights]
    return torch.stack(squares).sum().sqrt()


def _gates(loss_B: Tensor, passed: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """Size of the gradient in a gate before what each layer adds, [L, B]."""
    outputs = [after for _, after in passed]
    gradients = torch.autograd.grad(loss_B.sum(), outputs)
    added = [after.detach() - before.detach() for before, after in passed]
    told = [(a * g).flatten(1).sum(1) for a, g in zip(added, gradients, strict=True)]
    return torch.stack(told).abs()


def _changes(loss_B: Tensor, passed: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """Size of what each layer adds against what passes it, [L, B]."""
    del loss_B
    return torch.stack(
        [
            ((after - before).flatten(1).norm(dim=1) / before.flatten(1).norm(dim=1)).detach()
            for before, after in passed
        ]
    )


def without_layers(
    config: Mapping[str, Any], weights: Weights, kept: Sequence[int]
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Configuration and weights of the network that has only these layers, in their order."""
    smaller = {**config, "layers": len(kept)}
    place = {f"layers.{old}.": f"layers.{new}." for new, old in enumerate(sorted(kept))}
    others = {name: tensor for name, tensor in weights.items() if not name.startswith("layers.")}
    moved = {
        new + name.removeprefix(old): tensor
        for old, new in place.items()
        for name, tensor in weights.items()
        if name.startswith(old)
    }
    return smaller, others | moved
