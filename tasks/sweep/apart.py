"""Why trials cannot be trained together: pure rules first, then a try of the batched program."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tasks.sweep.member_steps import FAMILIES
from tasks.sweep.stack import Inputs, Layout, Network, dropouts_of
from tasks.training.absent import is_labelled
from tasks.training.blueprint import Blueprint, first_model, open_encoder
from tasks.training.examples import encode, make_batch
from tasks.training.job import Rows, TrainingJob
from tasks.training.losses import DistilLoss, LabelLoss, NumberLoss

FEW = 4
"""Rows that the batched program is tried with."""
CLOSE = 1e-3
"""Largest difference between its gradients and ordinary ones, as a share of their size."""
MOST_WEIGHTS = 100_000_000
"""Of all members. The optimizer's state, gradients and averages make about 2 GB of so many."""
VECTORISED = tuple(name for family in FAMILIES for name in family)
Rule = Callable[[TrainingJob, TrainingJob], str | None]
"""Of the first job and another one: what stands in the way."""


def why_apart(jobs: Sequence[TrainingJob], crew: int | None = None) -> str | None:
    """One sentence on why these jobs must be trained one by one; None: they can train together.

    So many like them, where `crew` says, else they themselves.
    It encodes a few rows and takes one gradient of two members, some hundredths of a second.
    """
    return _why_rules(jobs) or _why_network(jobs[0], crew or len(jobs))


def crews_of(jobs: Sequence[TrainingJob]) -> list[list[int]]:
    """Places of the jobs that can train together, crew by crew; who cannot is a crew of one."""
    crews: list[list[int]] = []
    for index, job in enumerate(jobs):
        home = next((each for each in crews if _why_rules([jobs[each[0]], job]) is None), None)
        if home is None:
            crews.append([index])
        else:
            home.append(index)
    found: list[list[int]] = []
    for crew in crews:
        is_one = len(crew) == 1 or _why_network(jobs[crew[0]], len(crew)) is None
        found += [crew] if is_one else [[index] for index in crew]
    return found


def _why_rules(jobs: Sequence[TrainingJob]) -> str | None:
    found = (rule(jobs[0], job) for rule in RULES for job in jobs)
    return next((each for each in found if each is not None), None)


def _why_task(_: TrainingJob, job: TrainingJob) -> str | None:
    if not isinstance(job.course.loss, LabelLoss | DistilLoss | NumberLoss):
        return f"task {job.task}: its loss is computed for one model at a time"
    if not is_labelled(job.train.labels).all():
        return "rows without labels: their loss is computed for one model at a time"
    if job.course.gradient_checkpointing:
        return "gradient_checkpointing true: blocks are computed again for one model at a time"
    return None


def _why_technique(first: TrainingJob, job: TrainingJob) -> str | None:
    own, other = first.course.technique, job.course.technique
    family = next((each for each in FAMILIES if own.optimizer in each), None)
    if family is None:
        return f"optimizer {own.optimizer}: trained together are {', '.join(VECTORISED)}"
    if other.optimizer not in family:
        return f"optimizer {other.optimizer} beside {own.optimizer}: their steps are not alike"
    if other.accumulate > 1:
        return f"accumulate {other.accumulate}: parts of a batch are one model's at a time"
    return None


def _why_different(first: TrainingJob, job: TrainingJob) -> str | None:
    pairs: dict[str, tuple[Any, Any]] = {
        "task": (first.task, job.task),
        "loss": (type(first.course.loss).__name__, type(job.course.loss).__name__),
        "batch_size": (first.course.batch_size, job.course.batch_size),
        "augment": (first.course.augment, job.course.augment),
        "epochs": (first.course.epochs, job.course.epochs),
        "averaging": (first.course.technique.averaging, job.course.technique.averaging),
        "ema_decay": (_ema_decay(first), _ema_decay(job)),
        "compute.device": (first.compute.device, job.compute.device),
        "compute.precision": (first.compute.precision, job.compute.precision),
    }
    return _difference(pairs)


def _ema_decay(job: TrainingJob) -> float | None:
    """None where there is no such average."""
    technique = job.course.technique
    return technique.ema_decay if technique.averaging == "ema" else None


def _why_architecture(first: TrainingJob, job: TrainingJob) -> str | None:
    own, other = first.blueprint, job.blueprint
    if own.frozen:
        return f"weights that start with {own.frozen[0]} are frozen: only the head would be batched"
    names = sorted(own.config.keys() | other.config.keys())
    pairs = {name: (own.config.get(name), other.config.get(name)) for name in names}
    pairs.pop("dropout", None)
    pairs["family"] = own.family, other.family
    if reason := _difference(pairs):
        return reason
    same: Blueprint = replace(other, config=own.config)
    return None if same == own else "encoders or first weights differ between trials"


def _why_precision(_: TrainingJob, job: TrainingJob) -> str | None:
    if job.compute.precision == "float16":
        return "compute.precision float16: each model's loss has a scale of its own"
    return None


def _why_rows(first: TrainingJob, job: TrainingJob) -> str | None:
    for name, own, other in (
        ("training", first.train, job.train),
        ("validation", first.valid, job.valid),
    ):
        if not _is_same(own, other):
            return f"{name} rows differ between trials"
    return None


def _is_same(own: Rows, other: Rows) -> bool:
    if own is other:
        return True
    if len(own) != len(other) or own.columns.keys() != other.columns.keys():
        return False
    optional = (own.teacher, other.teacher), (own.weights, other.weights)
    arrays = np.array_equal(own.labels, other.labels) and all(
        a is b or (a is not None and b is not None and np.array_equal(a, b)) for a, b in optional
    )
    return arrays and all(_is_equal(own.columns[n], other.columns[n]) for n in own.columns)


def _is_equal(own: Iterable[Any], other: Iterable[Any]) -> bool:
    return own is other or all(a is b or a == b for a, b in zip(own, other, strict=True))


def _difference(pairs: dict[str, tuple[Any, Any]]) -> str | None:
    for name, (own, other) in pairs.items():
        if own != other:
            return f"{name} {other} beside {own}: it must be the same in all trials"
    return None


RULES: tuple[Rule, ...] = (
    _why_task,
    _why_technique,
    _why_different,
    _why_architecture,
    _why_precision,
    _why_rows,
)


def _why_network(job: TrainingJob, members: int) -> str | None:
    """What the architecture itself has against it: found by trying."""
    encoder = open_encoder(job.blueprint)
    if encoder.ragged_axes:
        return f"family {job.blueprint.family}: its rows have different lengths"
    rows = job.train.take(np.arange(min(FEW, len(job.train))))
    examples = encode(encoder, rows.columns, rows.labels)
    inputs = make_batch(encoder, examples, torch.device("cpu")).inputs
    model = first_model(job.blueprint, job.course.seed)
    weights = members * sum(weight.numel() for weight in model.parameters())
    if weights > MOST_WEIGHTS:
        return f"{members} trials hold {weights:,} weights, at most {MOST_WEIGHTS:,} fit together"
    try:
        network = Network(model, inputs, [False] * len(dropouts_of(model)))
        return _why_not_pure(network.skeleton, inputs) or _why_gradient(network, model, inputs)
    except (RuntimeError, ValueError, NotImplementedError) as error:
        line = str(error).strip().splitlines()[0]
        return f"family {job.blueprint.family} cannot be batched: {line}"


def _why_not_pure(skeleton: nn.Module, inputs: Inputs) -> str | None:
    """Answers while learning must depend on weights and rows alone."""
    skeleton.train()
    if any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in skeleton.modules()):
        return "batch normalisation keeps running statistics of one model at a time"
    before = {name: buffer.clone() for name, buffer in skeleton.named_buffers()}
    with torch.no_grad():
        answers = [skeleton(**inputs) for _ in range(2)]
    if not torch.equal(*answers):
        return "the network draws random numbers elsewhere than in its dropouts"
    if any(not torch.equal(before[name], buffer) for name, buffer in skeleton.named_buffers()):
        return "the network changes its own buffers while it learns"
    return None


def _why_gradient(network: Network, model: nn.Module, inputs: Inputs) -> str | None:
    """The batched gradients of two members must be the ordinary ones."""
    layout = Layout.of(model)
    row_P = layout.row_of(model)
    weights_MP = torch.stack([row_P, row_P * 1.1])
    leaves = {n: w.detach().requires_grad_() for n, w in layout.views(weights_MP).items()}
    together = _gradients(network.logits(leaves, [], inputs, is_own=False), leaves)
    for member in range(len(weights_MP)):
        own = {n: weight[member].detach().requires_grad_() for n, weight in leaves.items()}
        logits = torch.func.functional_call(network.skeleton, own, (), dict(inputs))
        for found, expected in zip(together, _gradients(logits, own), strict=True):
            size = float(expected.abs().max())
            if not torch.allclose(found[member], expected, rtol=0.0, atol=CLOSE * size + 1e-9):
                return "batched gradients are not those of one model"
    return None


def _gradients(logits: Tensor, leaves: dict[str, Tensor]) -> tuple[Tensor, ...]:
    return torch.autograd.grad(logits.float().square().sum(), list(leaves.values()))
