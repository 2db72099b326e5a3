"""Optimizer steps of all members at once: the formulas of `tasks.training.optimizers` over rows.

SGD with momentum (Sutskever et al. 2013), Adam (arXiv:1412.6980), both with decay that is decoupled
from the gradient (arXiv:1711.05101). Shapes: M members, P weights of a network.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.sweep.stack import Layout
from tasks.training.technique import OptimizerName, Technique

BETAS = (0.9, 0.999)
EPS = 1e-8
PLAIN: tuple[OptimizerName, ...] = ("sgd", "gradient_descent")
MOVING: tuple[OptimizerName, ...] = (*PLAIN, "momentum", "nesterov")
ADAPTIVE: tuple[OptimizerName, ...] = ("adam", "adamw")
FAMILIES: tuple[tuple[OptimizerName, ...], ...] = (MOVING, ADAPTIVE)
"""Optimizers that are one formula, so that members may differ in them."""

Numbers = NDArray[np.float64]


class MemberOptimizer(Protocol):
    """What moves the weights of all members."""

    def step(self, weights_MP: Tensor, gradient_MP: Tensor, rates_M: Numbers) -> None:
        """Move every member's weights in place, each at its own rate."""
        ...

    def keep(self, members: Tensor, techniques: Sequence[Technique]) -> None:
        """Forget all but these, whose techniques are given."""
        ...


def member_optimizer(techniques: Sequence[Technique], layout: Layout) -> MemberOptimizer:
    """The optimizer of members of one family."""
    kind = Adam if techniques[0].optimizer in ADAPTIVE else Sgd
    return kind(techniques, layout.decaying)


class Sgd:
    """Gradient descent, with or without momentum, plain or Nesterov's."""

    def __init__(self, techniques: Sequence[Technique], decaying: int) -> None:
        self._decaying, self._decay_M = decaying, _decays(techniques)
        self._momentum_MP: Tensor | None = None
        self._set(techniques)

    def step(self, weights_MP: Tensor, gradient_MP: Tensor, rates_M: Numbers) -> None:
        """Decay, then move along the momentum."""
        _decay(weights_MP[:, : self._decaying], rates_M, self._decay_M)
        way_MP = gradient_MP
        if self._momenta_M.any():
            if self._momentum_MP is None:
                self._momentum_MP = torch.zeros_like(weights_MP)
            self._momentum_MP.mul_(column(self._momenta_M, weights_MP)).add_(gradient_MP)
            way_MP = self._momentum_MP
        if self._is_ahead_M.any():
            # Where it looks ahead g + m v, else v.
            factors_M = np.where(self._is_ahead_M, self._momenta_M, 1.0)
            way_MP = way_MP * column(factors_M, way_MP)
            way_MP.addcmul_(gradient_MP, column(self._is_ahead_M * 1.0, way_MP))
        weights_MP.addcmul_(way_MP, column(-rates_M, way_MP))

    def keep(self, members: Tensor, techniques: Sequence[Technique]) -> None:
        """Forget all but these."""
        self._decay_M = _decays(techniques)
        self._set(techniques)
        if self._momentum_MP is not None:
            self._momentum_MP = self._momentum_MP[members]

    def _set(self, techniques: Sequence[Technique]) -> None:
        self._momenta_M = np.array(
            [0.0 if each.optimizer in PLAIN else each.momentum for each in techniques]
        )
        self._is_ahead_M = np.array([each.optimizer == "nesterov" for each in techniques])


class Adam:
    """Adam whose decay is apart."""

    def __init__(self, techniques: Sequence[Technique], decaying: int) -> None:
        self._decaying, self._decay_M = decaying, _decays(techniques)
        self._steps = 0
        self._mean_MP: Tensor | None = None
        self._square_MP: Tensor | None = None

    def step(self, weights_MP: Tensor, gradient_MP: Tensor, rates_M: Numbers) -> None:
        """Decay, then move along the mean over the root of the mean square."""
        if self._mean_MP is None or self._square_MP is None:
            self._mean_MP = torch.zeros_like(weights_MP)
            self._square_MP = torch.zeros_like(weights_MP)
        self._steps += 1
        momentum, memory = BETAS
        _decay(weights_MP[:, : self._decaying], rates_M, self._decay_M)
        self._mean_MP.lerp_(gradient_MP, 1.0 - momentum)
        self._square_MP.mul_(memory).addcmul_(gradient_MP, gradient_MP, value=1.0 - memory)
        # The bias of the root is taken out of the rate and put on EPS: two passes over P fewer.
        root = math.sqrt(1.0 - memory**self._steps)
        way_MP = self._square_MP.sqrt().add_(EPS * root)
        torch.div(self._mean_MP, way_MP, out=way_MP)
        rates_M = rates_M * root / (1.0 - momentum**self._steps)
        weights_MP.addcmul_(way_MP, column(-rates_M, way_MP))

    def keep(self, members: Tensor, techniques: Sequence[Technique]) -> None:
        """Forget all but these."""
        self._decay_M = _decays(techniques)
        if self._mean_MP is not None and self._square_MP is not None:
            self._mean_MP, self._square_MP = self._mean_MP[members], self._square_MP[members]


@dataclass(frozen=True, slots=True)
class Limits:
    """What is done to the members' gradients before a step (`tasks.training.gradients`)."""

    l1_M: Numbers
    l2_M: Numbers
    longest_M: Numbers
    largest_M: Numbers
    """Infinite where nothing is clipped."""
    is_penalised: bool
    is_cut: bool
    """Whether any entry has a largest value."""

    @classmethod
    def of(cls, techniques: Sequence[Technique]) -> "Limits":
        """Those of these members."""
        return cls(
            np.array([each.l1 for each in techniques]),
            np.array([each.l2 for each in techniques]),
            np.array([each.clip_norm or math.inf for each in techniques]),
            np.array([each.clip_value or math.inf for each in techniques]),
            any(each.l1 or each.l2 for each in techniques),
            any(each.clip_value for each in techniques),
        )

    def penalise(self, gradient_MP: Tensor, weights_MP: Tensor, matrices: int) -> None:
        """Add the gradient of the L1 and L2 penalties of matrices, in place."""
        if self.is_penalised:
            held, gradient = weights_MP[:, :matrices], gradient_MP[:, :matrices]
            gradient.addcmul_(held.sign(), column(self.l1_M, held))
            gradient.addcmul_(held, column(self.l2_M, held))

    def clip(self, gradient_MP: Tensor, norms_M: Numbers) -> None:
        """Shorten the gradients in place, each by its own norm, which is given."""
        # As in the separate loop: what is short enough is not touched.
        is_long_M = norms_M > 0.999 * self.longest_M
        if is_long_M.any():
            factors_M = np.ones_like(norms_M)
            factors_M[is_long_M] = (self.longest_M / (norms_M + 1e-6))[is_long_M].clip(max=1.0)
            gradient_MP.mul_(column(factors_M, gradient_MP))
        if self.is_cut:
            most_M1 = column(self.largest_M, gradient_MP)
            torch.clamp(gradient_MP, -most_M1, most_M1, out=gradient_MP)


def norms_of(gradient_MP: Tensor) -> Numbers:
    """Of each member's gradient, [M]."""
    norms_M: Numbers = torch.linalg.vector_norm(gradient_MP, dim=1).cpu().numpy().astype(np.float64)
    return norms_M


def column(values_M: Numbers, like: Tensor) -> Tensor:
    """One number a member, [M, 1], for tensors like this one."""
    return torch.from_numpy(values_M[:, None]).to(like)


def _decays(techniques: Sequence[Technique]) -> Numbers:
    return np.array([each.decay for each in techniques])


def _decay(weights_MD: Tensor, rates_M: Numbers, decay_M: Numbers) -> None:
    if decay_M.any():
        weights_MD.mul_(column(1.0 - rates_M * decay_M, weights_MD))
