"""Does `modelworks lr` find the rate that a fine sweep finds? `python -m` this file [CASE ...].

For each case, an MLP, a CNN and a Transformer: range test and confirming sweep exactly as
`modelworks lr` runs them (8 rates, 3 seeds, 1.5 decades on either side of the usual rate), and then
the whole training of the teacher at 16 rates over the same 3 decades, 3 seeds that the search did
not use. Prints Markdown. Ray runs in this process's own session, two cores.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import ray

from flows.cli.rate import DECADES, SEEDS, TRIALS, searching
from flows.project import Project
from flows.project_file import load_project
from tasks.artifacts import RateTrial, Tuned
from tasks.sweep.choice import REACH, interval_of
from tasks.sweep.search import reseeded, tuned_rate
from tasks.sweep.trial import trial
from tasks.training.architectures import Mlp, Transformer
from tasks.training.job import TrainingJob
from tasks.training.recipes import teacher_job
from tests.benchmarks.movies_seeds import PROJECTS
from tests.in_process import site_of, snapshot

RATES, FINE_SEEDS = 16, (101, 102, 103)


def mlp() -> Project:
    """Flights: 20,000 rows, 3 epochs."""
    teacher = Mlp(hidden=(64, 32), max_rows=20_000, epochs=3)
    return load_project(PROJECTS / "flights.yaml").model_copy(update={"teacher": teacher})


def cnn() -> Project:
    """Digits: LeNet as the project trains it, 30 epochs."""
    return load_project(PROJECTS / "digits.yaml")


def transformer() -> Project:
    """Tweets: two small layers from scratch on 1,500 of them, 4 epochs."""
    teacher = Transformer(width=64, feed_forward=128, vocab_size=4000, max_rows=1500, epochs=4)
    project = load_project(PROJECTS / "sentiment.yaml")
    sweep = project.sweep.model_copy(update={"lr": None})  # Those are a pretrained encoder's.
    return project.model_copy(update={"teacher": teacher, "sweep": sweep})


CASES: dict[str, Callable[[], Project]] = {"mlp": mlp, "cnn": cnn, "transformer": transformer}


@dataclass(frozen=True, slots=True)
class Result:
    """What the search and the fine sweep say of one case."""

    case: str
    tuned: Tuned
    fine: tuple[RateTrial, ...]
    valid_rows: int
    search_seconds: float
    fine_seconds: float

    @property
    def optimum(self) -> RateTrial:
        return max(self.fine, key=lambda one: one.score)

    def factor(self, rate: float) -> float:
        """How far a rate is from the optimum of the fine sweep."""
        return max(rate / self.optimum.lr, self.optimum.lr / rate)

    def loss(self, rate: float) -> float:
        """Score that the nearest rate of the fine sweep gives away."""
        near = min(self.fine, key=lambda one: abs(np.log(one.lr / rate)))
        return self.optimum.score - near.score


def fine_sweep(job: TrainingJob, usual: float) -> tuple[RateTrial, ...]:
    """The whole training at every rate, of every seed."""
    rates = np.geomspace(usual / 10**DECADES, usual * 10**DECADES, RATES).tolist()
    refs = [ray.put(reseeded(job, seed)) for seed in FINE_SEEDS]
    task, schedule = ray.remote(num_cpus=1)(trial), job.course.technique.schedule
    asked = [[task.remote(ref, rate, schedule) for ref in refs] for rate in rates]
    return tuple(
        RateTrial(lr=rate, schedule=schedule, scores=tuple(ray.get(each)))
        for rate, each in zip(rates, asked, strict=True)
    )


def result_of(case: str) -> Result:
    project = searching(CASES[case](), TRIALS, SEEDS)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        dataset = snapshot(project.data, PROJECTS, data, project.name)
        site = site_of(data, dataset)
        allowed = project.sweep.rates(project.teacher.first_lr)
        job = teacher_job(project.teacher, allowed[0], site)
        start = time.perf_counter()
        tuned = tuned_rate(project.sweep, allowed, job, lambda *_: None)
        between = time.perf_counter()
        fine = fine_sweep(job, project.teacher.first_lr)
        end = time.perf_counter()
    return Result(case, tuned, fine, len(job.valid), between - start, end - between)


def report(result: Result) -> None:
    """Two tables: the verdict and the fine sweep."""
    tuned, optimum = result.tuned, result.optimum
    low, high = interval_of(result.fine, result.valid_rows)
    assert tuned.suggested is not None, "every case has rows enough for a range test"
    print(f"\n## {result.case}: {CASES[result.case].__doc__}\n\n{tuned.reason}\n")
    print("| | rate | factor of the optimum | score given away | within 3 |")
    print("|---|---|---|---|---|")
    print(f"| fine sweep | {optimum.lr:.2e} ({low:.1e} to {high:.1e}) | 1 | 0 | |")
    for name, rate in (("range test, steepest", tuned.suggested), ("sweep", tuned.lr)):
        factor = result.factor(rate)
        within = "yes" if factor <= REACH else "no"
        if name != "sweep":
            within += ", trusted" if tuned.is_trusted else ", marked unreliable"
        loss = result.loss(rate)
        print(f"| {name} | {rate:.2e} | {rate / optimum.lr:.2f} | {loss:.4f} | {within} |")
    print(f"\nsearch {result.search_seconds:.0f} s, fine sweep {result.fine_seconds:.0f} s\n")
    print("| rate | mean score | scores |\n|---|---|---|")
    for one in result.fine:
        scores = " ".join(f"{score:.4f}" for score in one.scores)
        print(f"| {one.lr:.2e} | {one.score:.4f} | {scores} |", flush=True)


def main(cases: list[str]) -> None:
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        for case in cases:
            report(result_of(case))
    finally:
        ray.shutdown()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    main(parser.parse_args().cases or list(CASES))
