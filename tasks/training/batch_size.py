"""How many rows at once? Doubled until a doubling no longer pays, or memory ends.

What is measured is the whole step, of one worker: batch, forward, backward, optimizer. What larger
batches save of the exchange between workers is not counted.
"""

import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import psutil
import torch

from tasks.artifacts import BatchSize
from tasks.training.batches import RowIds
from tasks.training.blueprint import first_model
from tasks.training.config import TrainConfig
from tasks.training.course import Course, Material, Setting, TrainState, new_state
from tasks.training.device import Device, choose_device, use_allotted_threads
from tasks.training.distributed import asked
from tasks.training.examples import stratified_rows
from tasks.training.fixed_features import with_fixed_features
from tasks.training.job import TrainingJob, material_of
from tasks.training.loop import remaining_batches, take_batch
from tasks.training.memory import is_out_of_memory
from tasks.training.recipes import Site, teacher_job

SMALLEST = 8
MOST = {"cpu": 512, "cuda": 4096}
LEAST_STEPS = 32
"""Steps that a pass keeps: with fewer, a training learns less than it gains in time."""
PAYS = 1.1
"""A doubling pays that makes a row cost so many times less."""
IDLE = 2
"""Doublings in a row that do not pay end the search: one alone may be a hiccup of the machine."""
PROBE_SECONDS = 2.0
LEAST_BATCHES = 4
FREE_SHARE = 0.5
"""Of the free main memory, what the next size may be expected to take."""

Probe = tuple[int, float]
"""Rows at once, rows a second; 0 where memory ran out."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What may be tried on one worker."""

    least: int
    most: int


def batch_size_for(config: TrainConfig, site: Site) -> BatchSize:
    """The batch size of a training by `site.compute.workers` workers, as one of them measured it.

    Measured again it may be another one: ask once, and keep the answer.
    """
    job = teacher_job(config.of_size(SMALLEST * site.compute.workers), config.first_lr, site)
    probes, bounds = asked(probed, job)
    return BatchSize(
        batch_size=best_size(probes) * site.compute.workers,
        reason=reason_for(probes, bounds),
        probes=tuple(probes),
    )


def bounds_of(rows: int, workers: int, device: str) -> Bounds:
    """Sizes for one worker of so many, for a training of so many rows."""
    most = max(1, min(MOST[device], rows // LEAST_STEPS) // workers)
    return Bounds(min(SMALLEST, most), most)


def sizes(bounds: Bounds) -> Iterator[int]:
    """From the least, each twice the one before, up to the most."""
    size = bounds.least
    while size <= bounds.most:
        yield size
        size *= 2


def is_enough(probes: list[Probe]) -> bool:
    """Whether a further doubling is not worth trying."""
    if not probes[-1][1]:
        return True
    return len(probes) - 1 - _place_of_best(probes) >= IDLE


def best_size(probes: list[Probe]) -> int:
    """The largest size up to which doubling paid; of none that fits, the smallest tried."""
    return probes[_place_of_best(probes)][0]


def reason_for(probes: list[Probe], bounds: Bounds) -> str:
    """Why the search ended where it did, in a sentence."""
    found = best_size(probes)
    tried = ", ".join(f"{size}: {rate:,.0f}" if rate else f"{size}: -" for size, rate in probes)
    why = "twice as many pay less than a tenth"
    if not probes[-1][1]:
        why = f"memory does not hold {probes[-1][0]}"
    elif found == probes[-1][0] and 2 * found > bounds.most:
        why = "a pass keeps its steps"
    return f"{found} rows at once, as {why} (rows a second at {tried})"


def probed(job: TrainingJob) -> tuple[list[Probe], Bounds]:
    """Rows a second at each size that was tried, on the worker that this runs on."""
    use_allotted_threads()
    device = choose_device(job.compute)
    bounds = bounds_of(len(job.train), job.compute.workers, device.torch_device.type)
    job = _shortened(job, LEAST_BATCHES * bounds.most)
    state = new_state(first_model(job.blueprint, 0), job.course, device, job.blueprint.frozen)
    material = with_fixed_features(state, job.course, material_of(job), Setting(device))
    probes: list[Probe] = []
    for size in sizes(bounds):
        before = peak_bytes()
        rate = rows_a_second(state, replace(job.course, batch_size=size), material, device)
        probes.append((size, rate))
        if is_enough(probes) or not has_room(peak_bytes() - before, device):
            break
    return probes, bounds


def rows_a_second(state: TrainState, course: Course, material: Material, device: Device) -> float:
    """Of steps of this size, on short and long rows alike; 0 when memory runs out."""
    clock = clock_of(device)
    state.step, state.epochs_done, state.lr = 0, 0, 0.0
    lengths = np.asarray(material.train.lengths)
    batches = remaining_batches(state, course, material)
    batches.sort(key=lambda row_ids: float(lengths[row_ids].mean()))

    def seconds_of(chosen: list[RowIds]) -> float:
        started = clock()
        for row_ids in chosen:
            take_batch(state, row_ids, course, material, Setting(device))
        return max(clock() - started, 1e-9)

    try:
        seconds_of(batches[-1:])  # the widest, of which memory may run out; nothing is warm yet
        one_step = seconds_of(spread(batches, 1))
        chosen = spread(batches, max(LEAST_BATCHES, round(PROBE_SECONDS / one_step)))
        seconds = seconds_of(chosen)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return 0.0
    return 0.0 if state.parts > 1 else sum(map(len, chosen)) / seconds


def spread(batches: list[RowIds], count: int) -> list[RowIds]:
    """So many of the batches, evenly over their order; all where there are fewer."""
    if count >= len(batches):
        return batches
    places = (np.arange(count) + 0.5) * len(batches) / count
    return [batches[int(place)] for place in places]


def clock_of(device: Device) -> Callable[[], float]:
    """Seconds: of one thread's work, which others on the machine do not lengthen, where that is
    all; every step waits for its loss, so that a device has no work left when it is asked."""
    is_alone = device.torch_device.type == "cpu" and torch.get_num_threads() == 1
    return time.process_time if is_alone else time.perf_counter


def peak_bytes() -> int:
    """Most main memory that this process has had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def has_room(grown_bytes: int, device: Device) -> bool:
    """Whether main memory has room for a step that takes twice what the last one did."""
    if device.torch_device.type != "cpu":
        return True
    return 2 * grown_bytes <= FREE_SHARE * psutil.virtual_memory().available


def _place_of_best(probes: list[Probe]) -> int:
    """Where the last size stands that paid against the best before it."""
    place = 0
    for index, (_, rate) in enumerate(probes):
        if rate >= probes[place][1] * PAYS:
            place = index
    return place


def _shortened(job: TrainingJob, rows: int) -> TrainingJob:
    """The job over so many training rows, and as good as no validation rows."""
    chosen = stratified_rows(job.train.labels, rows, 0)
    return replace(job, train=job.train.take(chosen), valid=job.valid.take(chosen[:1] * 0))
