"""Optimizers by their names. Decay is decoupled from the gradient for each of them.

Sources: SGD with momentum (Sutskever et al. 2013), Adagrad (Duchi et al. 2011), Adadelta
(arXiv:1212.5701), RMSprop (Hinton 2012, lecture 6e), Adam (arXiv:1412.6980), decoupled decay
(arXiv:1711.05101), Lion (arXiv:2302.06675), Muon (Jordan 2024), schedule-free (arXiv:2405.15682).
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adadelta, Adagrad, AdamW, Muon, Optimizer, RMSprop

from tasks.training.schedule_free import ScheduleFree
from tasks.training.technique import MOVING, OptimizerName

Groups = list[dict[str, Any]]


def make_optimizer(
    name: OptimizerName, model: nn.Module, lr: float, weight_decay: float, momentum: float = 0.9
) -> Optimizer:
    """An optimizer of what is trained; matrices decay, tables and vectors do not.

    `momentum` is of those that have it as their name.
    """
    tables = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    decaying = [p for p in trained if p.dim() > 1 and id(p) not in tables]
    others = [p for p in trained if p.dim() <= 1 or id(p) in tables]
    groups = [
        {"params": decaying, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    if name == "muon":
        return _muon(decaying, others, lr, weight_decay)
    if name in MOVING:
        return _sgd(momentum, is_ahead=name == "nesterov")(groups, lr)
    return MAKERS[name](groups, lr)


def apart(make: Callable[[Groups, float], Optimizer]) -> Callable[[Groups, float], Optimizer]:
    """The maker, its own decay (which would go through the gradient) replaced by ours."""

    def made(groups: Groups, lr: float) -> Optimizer:
        optimizer = make([{**group, "weight_decay": 0.0} for group in groups], lr)
        for group, given in zip(optimizer.param_groups, groups, strict=True):
            group["decoupled_decay"] = given["weight_decay"]
        optimizer.register_step_pre_hook(_decay)
        return optimizer

    return made


@torch.no_grad()
def _decay(optimizer: Optimizer, *_: Any) -> None:
    for group in optimizer.param_groups:
        if group["decoupled_decay"]:
            torch._foreach_mul_(group["params"], 1.0 - group["lr"] * group["decoupled_decay"])


class Lion(Optimizer):
    """The sign of an interpolated momentum (arXiv:2302.06675, algorithm 2)."""

    def __init__(self, groups: Groups, lr: float, betas: tuple[float, float] = (0.9, 0.99)) -> None:
        super().__init__(groups, {"lr": lr, "betas": betas, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Move every parameter that has a gradient by the rate, up or down."""
        assert closure is None, "the loop computes gradients itself"
        for group in self.param_groups:
            for weight in (w for w in group["params"] if w.grad is not None):
                self._move(weight, weight.grad, group)

    def _move(self, weight: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state, (near, far) = self.state[weight], group["betas"]
        momentum = state.setdefault("momentum", torch.zeros_like(weight))
        weight.mul_(1.0 - group["lr"] * group["weight_decay"])
        direction = momentum.lerp(gradient, 1.0 - near).sign_()
        weight.add_(direction, alpha=-group["lr"])
        momentum.lerp_(gradient, 1.0 - far)


class Pair(Optimizer):
    """Two optimizers of different parameters that are stepped, saved and loaded as one."""

    def __init__(self, parts: Sequence[Optimizer]) -> None:
        self.parts = tuple(parts)
        super().__init__([group for part in parts for group in part.param_groups], {})
        self._share()

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Both step."""
        assert closure is None, "the loop computes gradients itself"
        for part in self.parts:
            part.step()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Both take up what was saved."""
        super().load_state_dict(state_dict)
        self._share()

    def _share(self) -> None:
        groups = iter(self.param_groups)
        for part in self.parts:
            part.state = self.state
            part.param_groups = [next(groups) for _ in part.param_groups]


def _muon(
    matrices: list[nn.Parameter], others: list[nn.Parameter], lr: float, weight_decay: float
) -> Optimizer:
    """Muon for matrices, AdamW for all else, where kernels of convolutions decay as matrices do;
    the rate of AdamW serves both."""
    flat = [weight for weight in matrices if weight.dim() == 2]
    kernels = [weight for weight in matrices if weight.dim() != 2]
    groups = [
        {"params": weights, "weight_decay": decay}
        for weights, decay in ((others, 0.0), (kernels, weight_decay))
        if weights
    ]
    parts: list[Optimizer] = []
    if flat:
        # Updates as large as AdamW's, so that its rates mean the same (arXiv:2502.16982).
        adjusted: Any = "match_rms_adamw"
        parts += [Muon(flat, lr=lr, weight_decay=weight_decay, adjust_lr_fn=adjusted)]
    if groups:
        parts += [_adamw(groups, lr)]
    return Pair(parts)


def _adamw(groups: Groups, lr: float) -> Optimizer:
    return AdamW(groups, lr=lr, fused=True)


def _sgd(momentum: float, is_ahead: bool = False) -> Callable[[Groups, float], Optimizer]:
    nesterov = is_ahead and momentum > 0  # torch refuses it without any
    return apart(lambda groups, lr: SGD(groups, lr=lr, momentum=momentum, nesterov=nesterov))


MAKERS: dict[OptimizerName, Callable[[Groups, float], Optimizer]] = {
    "gradient_descent": _sgd(0.0),
    "sgd": _sgd(0.0),
    "adagrad": apart(lambda groups, lr: Adagrad(groups, lr=lr)),
    "adadelta": apart(lambda groups, lr: Adadelta(groups, lr=lr)),
    "rmsprop": apart(lambda groups, lr: RMSprop(groups, lr=lr)),
    "adam": _adamw,
    "adamw": _adamw,
    "lion": Lion,
    "schedule_free": ScheduleFree,
}
"""`adam` is `adamw` whose decay is 0 unless the project says otherwise."""
