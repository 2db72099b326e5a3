"""What the engine of a sweep costs: 1,000 trials that compute nothing, each of three passes.

    sweep_thousand.py [--trials 1000] [--sampler random]

The journal in PostgreSQL, MLflow mirrored behind it. Needs a warm stack: `eval "$(modelworks env)"`
first.
"""

import argparse
import datetime
import os
import time
import uuid

import psutil

from infra import tracking
from infra.journal import sweep_storage
from infra.trial_runs import TrialRuns
from tasks.costs.cost import Prices
from tasks.costs.meter import Used
from tasks.sweep.config import SearchConfig, SweepBudget
from tasks.sweep.engine import Sweep
from tasks.sweep.runners import Report
from tasks.sweep.space import Dimension, Values
from tasks.sweep.spending import Ledger
from tasks.sweep.study import open_study

SPACE = {
    "teacher.lr": Dimension(log=(1e-5, 1e-1)),
    "teacher.weight_decay": Dimension(linear=(0, 0.1)),
    "teacher.optimizer": Dimension(choice=("adamw", "sgd")),
}
PASSES = 3


class Trivial:
    """Trials that cost nothing."""

    slots, cores, gpus, under_way = 1, 1, 0, Used()

    def begin(self, number: int, values: Values) -> None:
        self.number, self.values, self.passed = number, values, 0

    def wait(self, seconds: float) -> Report:  # noqa: ARG002
        self.passed += 1
        score = self.values["teacher.lr"] + self.passed if self.passed <= PASSES else None
        return Report(self.number, score, 0.0, 0.0)

    def end(self, number: int) -> None: ...
    def close(self) -> None: ...


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--sampler", default="random")
    given = parser.parse_args()
    print(f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, load {os.getloadavg()[0]:.1f}")
    name, process = uuid.uuid4().hex, psutil.Process()
    config = SearchConfig(sampler=given.sampler, pruner="none", side_by_side=1)
    journal = sweep_storage(name)
    study = open_study(name, journal.__enter__(), config, PASSES, [])
    run = tracking.open_run("benchmark", name, f"sweep-{name[:8]}", {}, {})
    runs = TrialRuns(
        "benchmark",
        run,
        metric="valid/accuracy",
        sign=1,
        cost=lambda cpu, gpu: {"cost/cpu_hours": cpu / 3600, "cost/gpu_hours": gpu / 3600},
        figures=lambda values: {},  # noqa: ARG005
    )
    for upto in range(given.trials // 5, given.trials + 1, given.trials // 5):
        budget = SweepBudget(trials=upto)
        sweep = Sweep(
            study=study,
            space=SPACE,
            search=config,
            budget=budget,
            ledger=Ledger(budget, Prices(), {}, lambda spent: study.set_user_attr("spent", spent)),
            runner=Trivial(),
            watcher=runs,
            measure=lambda trial, used, best, check: [best],  # noqa: ARG005
            passes=PASSES,
        )
        began, cpu = time.perf_counter(), time.process_time()
        sweep.run()
        each = 1000 * 5 / given.trials
        print(
            f"  {upto:5d} trials: {(time.perf_counter() - began) * each:6.2f} ms a trial, "
            f"{(time.process_time() - cpu) * each:6.2f} ms of it CPU, "
            f"{process.memory_info().rss / 2**20:6.1f} MiB",
            flush=True,
        )
    began = time.perf_counter()
    runs.close()
    children = tracking.find_runs("benchmark", {tracking.PARENT: run.run_id}, limit=2000)
    seconds = time.perf_counter() - began
    print(f"MLflow has {len(children)} of {len(study.trials)} trials {seconds:.0f} s later")
    journal.__exit__(None, None, None)


if __name__ == "__main__":
    main()
