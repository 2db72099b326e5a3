"""Averages of the weights over steps or epochs: often better than the last ones.

Exponential over steps (Polyak and Juditsky 1992; the warm-up of the decay as in TensorFlow's), or
the plain mean over later epochs (stochastic weight averaging, arXiv:1803.05407).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

Weights = dict[str, Tensor]
SWA_FROM = 0.5
"""Share of the epochs after which their ends are averaged."""


@torch.no_grad()
def follow(averaged: Weights, weights: Weights, step: int, decay: float = 0.999) -> None:
    """Move the exponential average, in place, by one step."""
    if not averaged:
        averaged.update(_copied(weights))
        return
    share = 1.0 - min(decay, (1.0 + step) / (10.0 + step))
    for name, weight in weights.items():
        _towards(averaged[name], weight, share)


@torch.no_grad()
def join(averaged: Weights, weights: Weights, epochs_done: int, epochs: int) -> None:
    """Take the end of an epoch into the mean, in place, when it is one of the later ones.

    Until then there is none, and the model answers by itself.
    """
    first = int(SWA_FROM * epochs)
    if epochs_done < first:
        return
    if epochs_done == first:
        averaged.update(_copied(weights))
    else:
        for name, weight in weights.items():
            _towards(averaged[name], weight, 1.0 / (epochs_done - first + 1))


@contextmanager
def in_place_of(weights: Weights, averaged: Weights) -> Iterator[None]:
    """Let the model answer with its average, if there is one, and put its own weights back."""
    if not averaged:
        yield
        return
    own = _copied(weights)
    put(weights, averaged)
    try:
        yield
    finally:
        put(weights, own)


@torch.no_grad()
def put(weights: Weights, values: Weights) -> None:
    """Copy the values into the weights."""
    for name, weight in weights.items():
        weight.copy_(values[name])


def _copied(weights: Weights) -> Weights:
    return {name: weight.clone() for name, weight in weights.items()}


def _towards(average: Tensor, weight: Tensor, share: float) -> None:
    """Counters, which are whole numbers, are taken as they are."""
    if average.is_floating_point():
        average.lerp_(weight, share)
    else:
        average.copy_(weight)
