"""Many networks of one architecture as one: the weights of each are a row of one tensor.

Shapes: M members, P weights of a network, B batch, C classes.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from tasks.training.loop import seed_step

Shape = tuple[int, ...]
Inputs = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each weight of a network lies in a row of P numbers.

    Those that decay come first, then tables, then vectors: each kind is one slice.
    """

    shapes: dict[str, Shape]
    decaying: int
    """So many numbers at the start are of matrices that decay."""
    matrices: int
    """So many are of matrices or tables, which penalties are of."""

    @classmethod
    def of(cls, model: nn.Module) -> "Layout":
        """That of a model's parameters."""
        tables = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
        named = dict(model.named_parameters())
        kind = {n: 2 if w.dim() <= 1 else int(id(w) in tables) for n, w in named.items()}
        count = [sum(named[n].numel() for n in named if kind[n] <= most) for most in (0, 1)]
        ordered = sorted(named, key=lambda name: kind[name])
        return cls({name: tuple(named[name].shape) for name in ordered}, *count)

    def row_of(self, model: nn.Module) -> Tensor:
        """The model's weights, [P]."""
        named = dict(model.named_parameters())
        return torch.cat([named[name].detach().reshape(-1) for name in self.shapes])

    def views(self, weights_MP: Tensor) -> dict[str, Tensor]:
        """The same numbers as weights by name, [M, ...] each."""
        sizes = [torch.Size(shape).numel() for shape in self.shapes.values()]
        parts = torch.split(weights_MP, sizes, dim=1)
        named = zip(self.shapes.items(), parts, strict=True)
        return {name: part.view(len(part), *shape) for (name, shape), part in named}


class GivenMask(nn.Module):
    """Dropout whose draw is handed in; without one everything passes."""

    def __init__(self) -> None:
        super().__init__()
        self.mask: Tensor | None = None

    def forward(self, values: Tensor) -> Tensor:
        """The values that are left, scaled."""
        return values if self.mask is None else values * self.mask


class Network:
    """The architecture alone: it answers with weights and dropout masks that are handed in."""

    def __init__(self, model: nn.Module, inputs: Inputs, is_dropped: Sequence[bool]) -> None:
        """Of `model`, whose dropouts are replaced; `inputs` are rows to learn shapes from.

        Dropouts that drop nothing in any member (`is_dropped`, in the order of `dropouts_of`) are
        never drawn.
        """
        self.skeleton = copy.deepcopy(model)
        self._masks = [_replaced(self.skeleton, name) for name in dropouts_of(model)]
        self.tails = _tails(self.skeleton, self._masks, inputs)
        """Shape of what each dropout is given, without the rows."""
        kept = [index for index, drops in enumerate(is_dropped) if drops]
        self._masks = [self._masks[index] for index in kept]
        self.tails = [self.tails[index] for index in kept]
        self._shared = vmap(self._answer, in_dims=(0, 0, None))
        self._own = vmap(self._answer, in_dims=(0, 0, 0))

    def logits(
        self, weights: Mapping[str, Tensor], masks: Sequence[Tensor], inputs: Inputs, is_own: bool
    ) -> Tensor:
        """Answers [M, B, C] to rows that are each member's own, [M, B, ...], or shared."""
        call = self._own if is_own else self._shared
        try:
            logits_MBC: Tensor = call(dict(weights), list(masks), dict(inputs))
        finally:
            for module in self._masks:
                module.mask = None
        return logits_MBC

    def _answer(
        self, weights: dict[str, Tensor], masks: list[Tensor], inputs: dict[str, Tensor]
    ) -> Tensor:
        for module, mask in zip(self._masks, masks, strict=False):  # none outside of training
            module.mask = mask
        logits_BC: Tensor = functional_call(self.skeleton, weights, (), inputs)
        return logits_BC


@dataclass(frozen=True, slots=True)
class Draw:
    """Dropout of the members that draw alike."""

    seed: int
    rates: tuple[float, ...]
    """Of each dropout."""
    members: tuple[int, ...]


def dropouts_of(model: nn.Module) -> dict[str, float]:
    """Names and rates of the model's dropouts, in the order in which they stand."""
    return {n: m.p for n, m in model.named_modules() if isinstance(m, nn.Dropout)}


def drawn_masks(
    tails: Sequence[Shape], draws: Sequence[Draw], sizes: Sequence[int], step: int
) -> list[Tensor]:
    """The masks that each member's own loop would draw on a CPU, [M, B, ...] for each dropout.

    `sizes` are the rows of each draw's batch; rows past them are masked with ones.
    """
    count, width = sum(len(draw.members) for draw in draws), max(sizes, default=0)
    masks = [torch.ones(count, width, *tail) for tail in tails]
    for draw, size in zip(draws, sizes, strict=True):
        seed_step(draw.seed, step, 0)
        first, *others = draw.members
        for mask, rate in zip(masks, draw.rates, strict=True):
            if rate:
                mask[first, :size].bernoulli_(1.0 - rate).div_(1.0 - rate)
            if others:
                mask[others] = mask[first].clone()
    return masks


def _replaced(model: nn.Module, name: str) -> GivenMask:
    parent, _, own = name.rpartition(".")
    mask = GivenMask()
    setattr(model.get_submodule(parent), own, mask)
    return mask


@torch.no_grad()
def _tails(skeleton: nn.Module, masks: Sequence[GivenMask], inputs: Inputs) -> list[Shape]:
    """Found by answering once.

    Raises ValueError when a dropout is used twice or never, or out of order: its draws could not be
    told apart.
    """
    seen: list[tuple[GivenMask, Shape]] = []
    hooks = [
        mask.register_forward_pre_hook(lambda m, given: seen.append((m, tuple(given[0].shape[1:]))))
        for mask in masks
    ]
    skeleton(**inputs)
    for hook in hooks:
        hook.remove()
    if [module for module, _ in seen] != list(masks):
        raise ValueError("a dropout is used twice, or not in the order in which it was made")
    return [tail for _, tail in seen]
