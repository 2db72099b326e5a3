"""A training's state as tensors and facts, and back. Generators need no place in it: batches and
dropout follow from the seed and the step (`loop.seed_step`)."""

from typing import Any

import torch
from torch import Tensor

from tasks.costs.meter import Stopwatch, Used
from tasks.training.averaging import put
from tasks.training.checkpoint import Checkpoint
from tasks.training.course import TrainState

FACTS = (
    "epochs_done",
    "lr",
    "history",
    "best_score",
    "best_step",
    "best_epoch",
    "rate_factor",
    "health",
    "parts",
    "tiny_steps",
    "window_loss",
    "window_rows",
    "elapsed_seconds",
)


def checkpoint_of(state: TrainState) -> Checkpoint:
    """A copy of the state that later steps do not touch."""
    tensors = _prefixed("weights", state.trained_weights())
    tensors |= _prefixed("optimizer", _optimizer_tensors(state.optimizer))
    tensors |= _prefixed("averaged", state.averaged)
    if state.best_step != state.step or state.averaged:  # else they are the weights
        tensors |= _prefixed("best", state.best_weights)
    copies = {name: tensor.detach().to("cpu", copy=True) for name, tensor in tensors.items()}
    facts = _facts_of(state)
    return Checkpoint(state.step, copies, facts | {"scaler": state.scaler.state_dict()})


def final_checkpoint_of(state: TrainState, trouble: str | None = None) -> Checkpoint:
    """What a finished training leaves: the best weights and the curve, or what stopped it."""
    tensors = {name: tensor.cpu() for name, tensor in state.best_weights.items()}
    facts = _facts_of(state)
    return Checkpoint(state.step + 1, tensors, facts | {"finished": True, "trouble": trouble})


def is_final(checkpoint: Checkpoint | None) -> bool:
    """Whether nothing is left to train."""
    return checkpoint is not None and bool(checkpoint.facts.get("finished"))


@torch.no_grad()
def restore(state: TrainState, checkpoint: Checkpoint) -> None:
    """Put `state` where the checkpoint was taken."""
    put(state.trained_weights(), _without_prefix("weights", checkpoint.tensors))
    _load_optimizer(state.optimizer, _without_prefix("optimizer", checkpoint.tensors))
    state.step = checkpoint.step
    for name in FACTS:
        setattr(state, name, checkpoint.facts[name])
    state.watch = Stopwatch(Used(*checkpoint.facts["used"]))
    state.scaler.load_state_dict(checkpoint.facts["scaler"])
    device = next(state.model.parameters()).device
    averaged = _without_prefix("averaged", checkpoint.tensors)
    state.averaged = {name: tensor.to(device) for name, tensor in averaged.items()}
    best = _without_prefix("best", checkpoint.tensors)
    if not best and state.best_step == state.step:
        best = {name: weight.clone() for name, weight in state.trained_weights().items()}
    state.best_weights = {name: tensor.to(device) for name, tensor in best.items()}


def _facts_of(state: TrainState) -> dict[str, Any]:
    facts = {name: _copied(getattr(state, name)) for name in FACTS}
    return facts | {"used": list(state.watch.used)}


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return dict(value)
    return [dict(point) for point in value] if isinstance(value, list) else value


def _optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    return {
        f"{index}/{name}": tensor
        for index, moments in optimizer.state_dict()["state"].items()
        for name, tensor in moments.items()
    }


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    moments: dict[int, dict[str, Tensor]] = {}
    for path, tensor in tensors.items():
        index, name = path.split("/", 1)
        moments.setdefault(int(index), {})[name] = tensor
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": moments, "param_groups": groups})


def _prefixed(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}/{name}": tensor for name, tensor in tensors.items()}


def _without_prefix(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    start = f"{prefix}/"
    return {name.removeprefix(start): t for name, t in tensors.items() if name.startswith(start)}
