"""What giving up among several objectives saves and loses: digits' student, as `compress: auto`.

    sweep_fronts.py TABLE.json [--settings 32] [--trials 16] [--orders 200]

Settings of the space are trained once to their last pass, each pass scored, and measured as a
search does: the export at the first rung, and what was trained. Sweeps over draws of them, in many
orders, are then played back through the engine, with `pruner: asha` and with none. Seconds are of
the CPU. Nobody teaches the student here.
"""

import argparse
import datetime
import json
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.storages import InMemoryStorage
from scipy.stats import spearmanr

from tasks.costs.cost import Prices
from tasks.costs.meter import Used, process_seconds
from tasks.data.config import DataConfig
from tasks.sweep.config import SearchConfig, SweepBudget
from tasks.sweep.deployed import deployed_figures
from tasks.sweep.engine import End, Sweep
from tasks.sweep.runners import InProcess, Report
from tasks.sweep.shapes import shapes_of
from tasks.sweep.space import Dimension
from tasks.sweep.spending import Ledger
from tasks.sweep.study import ask, open_study
from tasks.sweep.target import DISTIL, Target
from tasks.sweep.workbench import Workbench
from tasks.training.architectures import SmallLenet
from tests.in_process import site_of, snapshot

OBJECTIVES = ("quality", "p95_ms", "size_mb")
DROP = 0.01
"""Of the best quality, that the picked trial may lose."""
DATA: dict[str, Any] = {
    "source": "sklearn://digits",
    "kind": "image",
    "target": "digit",
    "image": {"size": 8},
    "split": {"valid": 0.15, "test": 0.25, "seed": 7},
}


def recorded(count: int) -> list[dict[str, Any]]:
    """Of each setting: scores and seconds of its passes, what was measured and what that took."""
    student = SmallLenet(name="small-lenet", epochs=30)
    settings = student.model_dump(mode="json")
    with tempfile.TemporaryDirectory() as name:
        rows = Path(name) / "rows"
        dataset = snapshot(DataConfig.model_validate(DATA), Path(name), rows, "digits")
        target = Target(root="students.0", settings=settings, lr=student.first_lr)
        bench = Workbench(target, site_of(rows, dataset))
        space = {n: d for n, d in shapes_of(settings, 0).items() if not n.startswith(DISTIL)}
        scratch = optuna.create_study(storage=InMemoryStorage())
        config = SearchConfig(sampler="random", seed=11)
        return [record(bench, ask(scratch, config, space).params) for _ in range(count)]


def record(bench: Workbench, values: dict[str, Any]) -> dict[str, Any]:
    """One of them."""
    job, form, runner = bench.job(values), bench.deployment(values), InProcess(bench)
    began = process_seconds()
    early = deployed_figures(job, {}, form, ("p95_ms", "size_mb"))
    early_seconds = process_seconds() - began
    runner.begin(0, values)
    scores, seconds = [], 0.0
    while (report := runner.wait(1e9)).score is not None:
        scores.append(report.score)
        seconds = report.cpu_seconds
    began = process_seconds()
    last = deployed_figures(job, runner.trained(0), form, OBJECTIVES)
    print(values, scores[-1], last, flush=True)
    return {
        "values": values,
        "scores": scores,
        "pass_seconds": seconds / len(scores),
        "early": early,
        "early_seconds": early_seconds,
        "last": last,
        "last_seconds": process_seconds() - began,
    }


class Played:
    """Trials whose passes were recorded."""

    slots, cores, gpus, under_way = 1, 1, 0, Used()

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows, self.seconds, self.passed = rows, 0.0, 0
        self.number = 0

    @property
    def row(self) -> dict[str, Any]:
        return self.rows[self.number]

    def begin(self, number: int, values: Any) -> None:  # noqa: ARG002
        self.number, self.passed = number, 0

    def wait(self, seconds: float) -> Report:  # noqa: ARG002
        scores = self.row["scores"]
        if self.passed == len(scores):
            return Report(self.number, None, 0.0, 0.0)
        self.passed, self.seconds = self.passed + 1, self.seconds + self.row["pass_seconds"]
        return Report(self.number, scores[self.passed - 1], 0.0, 0.0)

    def early(self, trial: Any, used: Any, best: float, check: Any) -> list[float]:  # noqa: ARG002
        if self.passed == min(4, len(self.row["scores"])):  # the first rung of thirty passes
            self.seconds += self.row["early_seconds"]
        return [best, self.row["early"]["p95_ms"], self.row["early"]["size_mb"]]

    def last(self, trial: Any, used: Any, best: float, check: Any) -> list[float]:  # noqa: ARG002
        self.seconds += self.row["last_seconds"]
        return [self.row["last"][name] for name in OBJECTIVES]

    def end(self, number: int) -> None: ...
    def close(self) -> None: ...


class Nobody:
    """Is told of trials."""

    def on_begin(self, trial: Any) -> None: ...
    def on_score(self, trial: Any, epoch: int, score: float) -> None: ...
    def on_end(self, trial: Any, end: End) -> None: ...
    def on_progress(self, progress: Any) -> None: ...
    def stopped(self, number: int | None) -> bool:  # noqa: ARG002
        return False


def played(rows: list[dict[str, Any]], pruner: str) -> tuple[float, int, list[list[float]]]:
    """Seconds, trials that were finished, and what those are worth."""
    config = SearchConfig.model_validate(
        {"sampler": "random", "pruner": pruner, "objectives": OBJECTIVES, "side_by_side": 1}
    )
    passes, budget, runner = len(rows[0]["scores"]), SweepBudget(trials=len(rows)), Played(rows)
    study = open_study("s", InMemoryStorage(), config, passes, [])
    sweep = Sweep(
        study=study,
        space={"x": Dimension(linear=(0, 1))},
        search=config,
        budget=budget,
        ledger=Ledger(budget, Prices(), {}, lambda spent: None),  # noqa: ARG005
        runner=runner,  # type: ignore[arg-type]
        watcher=Nobody(),
        measure=runner.last,
        measure_at_rung=runner.early,
        passes=passes,
    )
    sweep.run()
    found = [trial.values for trial in study.trials if trial.state.name == "COMPLETE"]
    return runner.seconds, len(found), found


def losses(values: list[list[float]]) -> Any:
    """Errors and the logarithms of what an answer costs."""
    table = np.array(values)
    return np.stack([1 - table[:, 0], np.log(table[:, 1]), np.log(table[:, 2])], axis=1)


def volume(values: list[list[float]], ends: tuple[Any, Any]) -> float:
    """Share of the box between the best and the worst of all settings that is dominated."""
    low, high = ends
    box = np.random.default_rng(1).random((4000, 3)) * (high - low) + low
    return float((losses(values)[:, None] <= box).all(axis=2).any(axis=0).mean())


def picked(values: list[list[float]]) -> list[float]:
    """The fastest within DROP of the best."""
    best = max(each[0] for each in values)
    return min((each for each in values if each[0] >= best - DROP), key=lambda each: each[1])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("table", type=Path)
    parser.add_argument("--settings", type=int, default=32)
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--orders", type=int, default=200)
    given = parser.parse_args()
    print(f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, load {os.getloadavg()[0]:.1f}")
    if not given.table.exists():
        given.table.write_text(json.dumps(recorded(given.settings)))
    rows = json.loads(given.table.read_text())
    for name in ("p95_ms", "size_mb"):
        early, last = ([row[when][name] for row in rows] for when in ("early", "last"))
        off = statistics.median(abs(a / b - 1) for a, b in zip(early, last, strict=True))
        rank = spearmanr(early, last).statistic
        print(f"{name} untrained against trained: off by {off:.1%} (median), ranks {rank:.3f}")
    for name in ("pass_seconds", "early_seconds", "last_seconds"):
        print(f"{name} {statistics.mean(row[name] for row in rows):.3f}")
    whole = losses([[row["last"][name] for name in OBJECTIVES] for row in rows])
    ends = whole.min(axis=0), whole.max(axis=0)
    kept: list[list[float]] = []
    for seed in range(given.orders):
        drawn = np.random.default_rng(seed).permutation(len(rows))[: given.trials]
        some = [rows[index] for index in drawn]
        none, asha = played(some, "none"), played(some, "asha")
        pick, own = picked(none[2]), picked(asha[2])
        best, reached = (max(each[0] for each in run[2]) for run in (none, asha))
        kept.append([
            asha[0] / none[0], float(asha[1]), volume(asha[2], ends) / volume(none[2], ends),
            own[0] - pick[0], own[1] / pick[1], reached - best,
        ])  # fmt: skip
    print(f"{given.orders} orders of {given.trials} trials, asha against none: median [5 %, 95 %]")
    names = ("seconds", "finished", "volume", "picked: quality", "picked: p95", "best quality")
    for name, column in zip(names, np.array(kept).T, strict=True):
        low, middle, high = np.quantile(column, (0.05, 0.5, 0.95))
        print(f"{name:16} {middle:.4f} [{low:.4f}, {high:.4f}], mean {column.mean():.4f}")


if __name__ == "__main__":
    main()
