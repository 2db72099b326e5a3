"""The members of one batched training: a step of all, an epoch's end of all.

`tasks.training.loop` step by step, over tensors that have the members in front.
Shapes: M members, P weights of a network, B batch, N rows, C classes, K steps of an epoch.
"""

import time
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from tasks.sweep.member import Member
from tasks.sweep.member_batches import MemberBatch, member_batches
from tasks.sweep.member_losses import member_loss
from tasks.sweep.member_steps import Limits, Numbers, member_optimizer, norms_of
from tasks.sweep.stack import Draw, Layout, Network, drawn_masks, dropouts_of
from tasks.training.averaging import follow, join
from tasks.training.batches import steps_per_epoch
from tasks.training.blueprint import first_model
from tasks.training.course import Material
from tasks.training.device import choose_device
from tasks.training.examples import make_batch
from tasks.training.gradients import MOST_TINY_STEPS, TINY, Diverged, check_norm
from tasks.training.job import TrainingJob, material_of
from tasks.training.objectives import OBJECTIVES
from tasks.training.schedule import scheduled_lr
from tasks.training.scores import to_choose_by, weighted_loss
from tasks.training.technique import Technique

MOST_ANSWERS = 1 << 16
"""Rows, times members, that are answered at once when an epoch is scored."""
ALL = "weights"


class Crew:
    """The members that are still learning, and all that their training is at one step."""

    def __init__(self, jobs: Sequence[TrainingJob], material: Material | None = None) -> None:
        """`material` are the rows of all jobs, where somebody has encoded them."""
        first, material = jobs[0], material or material_of(jobs[0])
        self.device, self.task = choose_device(first.compute), first.task
        place = self.device.torch_device
        self.train = make_batch(material.encoder, material.train, place)
        self.valid = make_batch(material.encoder, material.valid, place)
        self.examples = material
        models = first_models(jobs)
        self.layout = Layout.of(models[0])
        self.weights_MP = torch.stack([self.layout.row_of(each) for each in models]).to(place)
        self.averaged: dict[str, Tensor] = {}
        self.best_MP = self.weights_MP
        rates = [tuple(dropouts_of(model).values()) for model in models]
        is_dropped = [any(column) for column in zip(*rates, strict=True)]
        few = {name: values[:2].cpu() for name, values in self.train.inputs.items()}
        self.network = Network(models[0], few, is_dropped)
        self.network.skeleton.to(place)
        kept = np.flatnonzero(is_dropped).tolist()
        self.members = [
            Member(job.course, tuple(own[index] for index in kept))
            for job, own in zip(jobs, rates, strict=True)
        ]
        self.live = list(range(len(jobs)))
        self.step, self.epochs_done, self.elapsed_seconds = 0, 0, 0.0
        self.tiny_M = np.zeros(len(jobs), np.int64)
        self.optimizer = member_optimizer(self._techniques(), self.layout)
        self._look_at_members()

    def weights_of(self, index: int) -> dict[str, Tensor]:
        """The weights of a member that is live."""
        row = self.live.index(index)
        return {name: w[row] for name, w in self.layout.views(self.weights_MP).items()}

    def run_epoch(self) -> None:
        """One pass of every live member over its rows."""
        started = time.monotonic()
        for _ in self.steps():
            pass
        self.elapsed_seconds += time.monotonic() - started

    def steps(self) -> Iterator[None]:
        """The steps of one pass, one at a time."""
        lengths = self.examples.train.lengths
        self.network.skeleton.train()
        self.window_M, self.window_rows_M = np.zeros(len(self.live)), np.zeros(len(self.live))
        batches = member_batches(self.train, lengths, self.courses, self.epochs_done)
        for batch, rates_M in zip(batches, self._rates_of_epoch(), strict=True):
            self.rates_M = rates_M
            self._take(batch)
            yield

    @torch.no_grad()
    def end_epoch(self) -> dict[int, float]:
        """Score every live member; the scores of those that have not fallen apart, by index."""
        course = self.courses[0]
        if course.technique.averaging == "swa":
            join(self.averaged, {ALL: self.weights_MP}, self.epochs_done, course.epochs)
        answered_MP = self.averaged.get(ALL, self.weights_MP)
        logits_MNC = self._logits(answered_MP)
        self.epochs_done += 1
        scores: dict[int, float] = {}
        for row, index in enumerate(self.live):
            member = self.members[index]
            if member.trouble:
                continue
            is_best = self._score(member, row, logits_MNC[row])
            self._react(member, row, is_best, answered_MP)
            scores[index] = member.scores[-1]
        return scores

    def keep(self, indices: Sequence[int]) -> None:
        """Go on with these alone."""
        if list(indices) == self.live:
            return
        if not indices:
            self.live = []
            return
        rows = torch.tensor([self.live.index(i) for i in indices], dtype=torch.int64)
        rows_there = rows.to(self.weights_MP.device)
        self.live = list(indices)
        self.weights_MP, self.best_MP = self.weights_MP[rows_there], self.best_MP[rows_there]
        self.averaged = {name: average[rows_there] for name, average in self.averaged.items()}
        self.tiny_M = self.tiny_M[rows.numpy()]
        self.optimizer.keep(rows_there, self._techniques())
        self._look_at_members()

    def _techniques(self) -> list[Technique]:
        return [self.members[index].course.technique for index in self.live]

    def _look_at_members(self) -> None:
        """Take over what the live members' courses say, so that a step asks none of them."""
        self.courses = [self.members[index].course for index in self.live]
        self.limits = Limits.of(self._techniques())
        losses = [course.loss for course in self.courses]
        self.loss = member_loss(losses, self.weights_MP.device)
        views = self.layout.views(self.weights_MP)
        # They share the storage that the optimizer moves in place.
        self.leaves = {name: view.detach().requires_grad_() for name, view in views.items()}
        alike: dict[tuple[int, tuple[float, ...]], list[int]] = {}
        for row, index in enumerate(self.live):
            member = self.members[index]
            alike.setdefault((member.course.seed, member.dropouts), []).append(row)
        self.draws = [Draw(*key, members=tuple(rows)) for key, rows in alike.items()]

    def _rates_of_epoch(self) -> Numbers:
        """The members' rates at each step, [K, M]."""
        course = self.courses[0]
        steps = steps_per_epoch(len(self.examples.train), course.batch_size)
        found: dict[tuple[str, float, float], list[float]] = {}
        keys = [(each.schedule, each.warm_up, each.step_factor) for each in self._techniques()]
        for key, technique in zip(keys, self._techniques(), strict=True):
            if key not in found:
                found[key] = [
                    scheduled_lr(self.step + k, course.epochs * steps, 1.0, technique)
                    for k in range(steps)
                ]
        shapes_MK = np.array([found[key] for key in keys])
        peaks = [self.members[i].course.lr * self.members[i].rate_factor for i in self.live]
        rates_KM: Numbers = (shapes_MK * np.array(peaks)[:, None]).T
        return rates_KM

    def _take(self, batch: MemberBatch) -> None:
        """One step of every live member."""
        inputs = batch.inputs if batch.is_own else {n: x[0] for n, x in batch.inputs.items()}
        masks = self._masks(batch)
        with self.device.autocast():
            logits_MBC = self.network.logits(self.leaves, masks, inputs, batch.is_own)
        losses_MB = self.loss(logits_MBC, batch.labels, batch.teacher)
        shares_MB = batch.shares.expand_as(losses_MB)
        # No member's loss depends on another's weights: the sum's gradient is that of each.
        found = torch.autograd.grad(losses_MB, list(self.leaves.values()), shares_MB)
        gradient_MP = torch.cat([one.reshape(len(one), -1) for one in found], dim=1)
        with torch.no_grad():
            self.limits.penalise(gradient_MP, self.weights_MP, self.layout.matrices)
            norms_M = norms_of(gradient_MP)
            self._check(norms_M, gradient_MP)
            self.limits.clip(gradient_MP, norms_M)
            self.optimizer.step(self.weights_MP, gradient_MP, self.rates_M)
        self.step += 1
        technique = self.courses[0].technique
        if technique.averaging == "ema":
            follow(self.averaged, {ALL: self.weights_MP}, self.step, technique.ema_decay)
        losses_M = torch.linalg.vecdot(losses_MB.detach(), shares_MB)
        self.window_M += losses_M.cpu().numpy() * batch.weights
        self.window_rows_M += batch.weights

    def _masks(self, batch: MemberBatch) -> list[Tensor]:
        if not self.network.tails:
            return []
        sizes = [batch.sizes[draw.seed] for draw in self.draws]
        masks = drawn_masks(self.network.tails, self.draws, sizes, self.step)
        return [mask.to(self.weights_MP.device) for mask in masks]

    def _check(self, norms_M: Numbers, gradient_MP: Tensor) -> None:
        """Note the members whose gradient is not finite, or has vanished for too long."""
        before_M = self.tiny_M
        self.tiny_M = np.where(norms_M < TINY, before_M + 1, 0)
        is_sick_M = ~np.isfinite(norms_M) | (self.tiny_M >= MOST_TINY_STEPS)
        for row in np.flatnonzero(is_sick_M).tolist():
            member = self.members[self.live[row]]
            if member.trouble:
                continue
            where, model = f"step {self.step}, {member.course.where}", self._with(gradient_MP[row])
            try:
                check_norm(float(norms_M[row]), int(before_M[row]), where, model)
            except Diverged as error:
                member.trouble = str(error)

    def _with(self, gradient_P: Tensor) -> nn.Module:
        """The network with one member's gradient, whose worst layer is looked for."""
        model = self.network.skeleton
        for name, gradient in self.layout.views(gradient_P[None].clone()).items():
            model.get_parameter(name).grad = gradient[0]
        return model

    def _logits(self, weights_MP: Tensor) -> np.ndarray:
        """Every live member's answers to the validation rows, [M, N, C]."""
        self.network.skeleton.eval()
        views, rows = self.layout.views(weights_MP), max(1, MOST_ANSWERS // len(self.live))
        parts = []
        for start in range(0, len(self.valid), rows):
            inputs = {n: x[start : start + rows] for n, x in self.valid.inputs.items()}
            with self.device.autocast():
                parts.append(self.network.logits(views, [], inputs, is_own=False).float())
        return torch.cat(parts, dim=1).cpu().numpy()

    def _score(self, member: Member, row: int, logits_NC: np.ndarray) -> bool:
        """Note a member's epoch; whether it is its best so far."""
        course, valid = member.course, self.examples.valid
        scores = OBJECTIVES[self.task].scores(logits_NC, valid.labels)
        scores |= weighted_loss(logits_NC, valid.labels, valid.weights)
        point = {
            "step": self.step,
            "epoch": float(self.epochs_done),
            "time_ms": round(self.elapsed_seconds * 1000),
            "train/loss": float(self.window_M[row] / max(1.0, self.window_rows_M[row])),
            "lr": float(self.rates_M[row]),
        }
        return member.add(to_choose_by(scores, course.choose_by), point | scores)

    def _react(self, member: Member, row: int, is_best: bool, answered_MP: Tensor) -> None:
        """What a schedule makes of an epoch (`tasks.training.loop.react`)."""
        technique = member.course.technique
        schedule = technique.schedule
        if schedule not in ("plateau", "backtracking"):
            return
        if is_best and self.best_MP is self.weights_MP:
            self.best_MP = self.weights_MP.clone()
        if is_best:
            self.best_MP[row] = answered_MP[row]
            return
        member.rate_factor *= technique.plateau_factor
        if schedule == "backtracking" and member.best_epoch:
            self.weights_MP[row] = self.best_MP[row]


def first_models(jobs: Sequence[TrainingJob]) -> list[nn.Module]:
    """Each job's model at step 0; those of one seed and blueprint are one object."""
    made: dict[tuple[int, str], nn.Module] = {}
    keys = [(job.course.seed, repr(sorted(job.blueprint.config.items()))) for job in jobs]
    for key, job in zip(keys, jobs, strict=True):
        if key not in made:
            made[key] = first_model(job.blueprint, job.course.seed)
    return [made[key] for key in keys]
