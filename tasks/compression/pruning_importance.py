"""What each unit is worth to a network, in three ways.

Shapes: B rows, U units of a group.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import Tensor, nn

from tasks.compression.pruning_units import Group, Place, Weights

ImportanceName = Literal["taylor", "magnitude", "activation"]
Losses = Callable[[nn.Module], Iterable[Tensor]]
"""Batch by batch, the losses of its rows [B], as this model has them."""
Hear = Callable[[str, Tensor], None]


def magnitudes(weights: Weights, groups: Sequence[Group]) -> dict[str, Tensor]:
    """The norm of what a unit reads times the norm of what it writes, [U] for each group.

    Weights of whole units, as Li et al. 2017 (arXiv:1608.08710, section 3.1) take them; the product
    of both sides, since a scale can be moved from one to the other.
    """
    return {
        group.name: _norm(weights, group.reads, group.count)
        * _norm(weights, group.writes, group.count)
        for group in groups
    }


def _norm(weights: Weights, places: Sequence[Place], count: int) -> Tensor:
    # Variances of a normalisation are no weights: they divide what a unit says.
    trained = [place for place in places if not place.of.endswith(("running_mean", "running_var"))]
    squares = [place.by_unit(weights[place.of], count).float().square() for place in trained]
    return torch.stack([square.flatten(1).sum(1) for square in squares]).sum(0).sqrt()


def gate_gradients(model: nn.Module, groups: Sequence[Group], losses: Losses) -> dict[str, Tensor]:
    """What turning a unit off changes a row's loss by, to first order: mean over the rows, [U].

    A unit's words times the loss's gradient in them is the gradient in a gate of 1 before it
    (Molchanov et al. 2019, arXiv:1906.10771, section 3.2; of heads Michel et al. 2019,
    arXiv:1905.10650, section 3.3). The sign is dropped for each row: a unit that helps one row and
    harms another is worth something.
    """
    sums = {group.name: torch.zeros(group.count) for group in groups}
    arrived: list[tuple[Group, Place, Tensor]] = []

    def hear(module: str, words: Tensor) -> None:
        words.retain_grad()
        arrived.extend((g, place, words) for g in groups for place in g.heard if place.of == module)

    rows = 0
    with _all_trained(model), _hearing(model, groups, hear):
        for loss_B in losses(model):
            torch.autograd.backward(loss_B.sum())
            for name, gate_UB in _gates(arrived).items():
                sums[name] += gate_UB.abs().sum(1).cpu()
            arrived.clear()
            rows += len(loss_B)
    model.zero_grad(set_to_none=True)
    return {name: total / rows for name, total in sums.items()}


def _gates(arrived: Sequence[tuple[Group, Place, Tensor]]) -> dict[str, Tensor]:
    """Gradients in each unit's gate, [U, B]; a unit that is heard in several places has a sum."""
    gates: dict[str, Tensor] = {}
    for group, place, words in arrived:
        assert words.grad is not None, f"the loss does not depend on {place.of}"
        told = place.by_unit((words.detach() * words.grad).float(), group.count)
        gate_UB = _by_row(told, place, words).sum(2)
        gates[group.name] = gates.get(group.name, 0) + gate_UB
    return gates


def _by_row(told: Tensor, place: Place, words: Tensor) -> Tensor:
    """[U, B, everything else]: the rows are the first axis that is not the units' own."""
    assert place.axis % words.dim() != 0, "rows come first"
    return told.movedim(3, 1).flatten(2)


@torch.no_grad()
def activations(model: nn.Module, groups: Sequence[Group], losses: Losses) -> dict[str, Tensor]:
    """Mean size of what a unit says, [U]: what is nearly always silent can go.

    Hu et al. 2016 (arXiv:1607.03250, section 3.1) count zeros, which a GELU has none of.
    """
    sums = {group.name: torch.zeros(group.count) for group in groups}

    def hear(module: str, words: Tensor) -> None:
        for group in groups:
            for place in (place for place in group.heard if place.of == module):
                told = place.by_unit(words.float().abs(), group.count)
                sums[group.name] += _by_row(told, place, words).mean(2).sum(1).cpu()

    with _hearing(model, groups, hear):
        rows = sum(len(loss_B) for loss_B in losses(model))
    return {name: total / rows for name, total in sums.items()}


@contextmanager
def _hearing(model: nn.Module, groups: Sequence[Group], hear: Hear) -> Any:
    """Tell `hear` the input of every module that a group is heard in, at each call."""
    names = dict.fromkeys(place.of for group in groups for place in group.heard)

    def listener(name: str) -> Callable[[nn.Module, Any], None]:
        return lambda module, inputs: hear(name, inputs[0])  # noqa: ARG005

    hooks = [model.get_submodule(n).register_forward_pre_hook(listener(n)) for n in names]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def _all_trained(model: nn.Module) -> Any:
    """Every weight takes part in the gradient meanwhile, frozen ones too."""
    before = [(weight, weight.requires_grad) for weight in model.parameters()]
    try:
        yield model.requires_grad_(True)
    finally:
        for weight, was in before:
            weight.requires_grad_(was)
