"""Units of a network that go together, and the network without some of them.

A head, a neuron or a channel stands in several tensors: what it reads and what it writes. Removing
it makes all of them smaller, and what is left is an ordinary model of a smaller configuration.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

Kind = Literal["heads", "neurons", "channels", "width", "layers"]
Weights = Mapping[str, Tensor]
Kept = Mapping[str, Tensor]
"""By name of a group: the units that stay, ascending."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a group's units stand along one axis: side by side, each of `size` numbers."""

    of: str
    """A tensor of the weights, or a module's input."""
    axis: int
    size: int = 1
    repeats: int = 1
    """How often the whole row of units stands there, one after the other (query, key, value)."""
    first: int = 0
    """Where the first row begins."""

    def by_unit(self, values: Tensor, count: int) -> Tensor:
        """The units' numbers, [count, repeats, size, *other axes in their order]."""
        rows = values.movedim(self.axis, 0).narrow(0, self.first, self.repeats * count * self.size)
        shape = (self.repeats, count, self.size, *rows.shape[1:])
        return rows.reshape(shape).transpose(0, 1)

    def positions(self, units: Tensor, count: int) -> Tensor:
        """Where along the axis these units stand, ascending within each row of units."""
        rows = torch.arange(self.repeats) * count * self.size + self.first
        inside = units.unsqueeze(1) * self.size + torch.arange(self.size)
        return (rows.reshape(-1, 1, 1) + inside).flatten()


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Units of one kind in one part of a network."""

    kind: Kind
    name: str
    count: int
    reads: tuple[Place, ...]
    """Weights that make what a unit says; its bias and scale among them."""
    writes: tuple[Place, ...]
    """Weights that the unit's words are multiplied by."""
    heard: tuple[Place, ...]
    """Inputs of modules where the units' words arrive."""
    field: str
    """Of the configuration: how many units there are. Groups of one field keep the same number.
    `hidden.1` is the second of a tuple."""
    parts: int = 1
    """Groups whose units the field counts together: those of one normalisation."""
    pins: tuple[tuple[str, Any], ...] = ()
    """Fields that followed from what is removed, and are written down from now on."""


def without_units(
    config: Mapping[str, Any], weights: Weights, groups: Sequence[Group], kept: Kept
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Configuration and weights of the network that has only the kept units of these groups.

    Raises ValueError when groups of one field keep different numbers, or one keeps none.
    """
    counts = _counts(groups, kept)
    gone = _gone(groups, kept)
    smaller = dict(weights)
    for (name, axis), positions in gone.items():
        stays = torch.ones(smaller[name].shape[axis], dtype=torch.bool)
        stays[positions] = False
        smaller[name] = smaller[name].index_select(axis, stays.nonzero().flatten()).contiguous()
    return _resized(config, groups, counts), smaller


def _counts(groups: Sequence[Group], kept: Kept) -> dict[str, int]:
    counts: dict[str, int] = {}
    for group in groups:
        number = len(kept[group.name])
        if number == 0 or counts.setdefault(group.field, number) != number:
            raise ValueError(
                f"{group.name} keeps {number} of {group.count} {group.kind}: groups of "
                f"{group.field} must keep one and the same number, at least 1"
            )
    return counts


def _gone(groups: Sequence[Group], kept: Kept) -> dict[tuple[str, int], Tensor]:
    """Positions to remove, by tensor and axis: several groups may share one axis."""
    gone: dict[tuple[str, int], list[Tensor]] = {}
    for group in groups:
        stays = torch.zeros(group.count, dtype=torch.bool)
        stays[kept[group.name]] = True
        units = (~stays).nonzero().flatten()
        for place in (*group.reads, *group.writes):
            key = (place.of, place.axis)
            gone.setdefault(key, []).append(place.positions(units, group.count))
    return {key: torch.cat(positions) for key, positions in gone.items()}


def _resized(
    config: Mapping[str, Any], groups: Sequence[Group], counts: Mapping[str, int]
) -> dict[str, Any]:
    resized = dict(config)
    for group in groups:
        name, _, index = group.field.partition(".")
        number = counts[group.field] * group.parts
        if index:
            values = list(resized[name] or _spelt_out(groups, name))
            values[int(index)] = number
            resized[name] = tuple(values)
        else:
            resized[name] = number
        resized |= {pin: value for pin, value in group.pins if resized.get(pin) is None}
    return resized


def _spelt_out(groups: Sequence[Group], name: str) -> list[int]:
    """The sizes that an empty tuple stood for."""
    found = {g.field: g.count * g.parts for g in groups if g.field.startswith(f"{name}.")}
    return [found[f"{name}.{index}"] for index in range(len(found))]
