"""A sweep killed at random moments, and taken up again: is its table of trials the same?

    sweep_kills.py [--kills 20] [--trials 24] [--seed 0]

Each kill is a SIGKILL of the process that searches, at a moment drawn from the whole time that an
uninterrupted sweep takes; then the sweep is called again. TPE and successive halving, an MLP on
`digits`, one trial at a time, the journal in PostgreSQL. Needs a warm stack:
`eval "$(modelworks env)"` first.
"""

import argparse
import datetime
import os
import random
import signal
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import optuna

from infra.journal import sweep_storage
from tasks.costs.cost import Prices
from tasks.sweep.config import SearchConfig, SweepBudget
from tasks.sweep.searching import Search, search
from tasks.sweep.space import Dimension
from tasks.sweep.study import open_study
from tasks.sweep.workbench import Workbench
from tests.benchmarks.sweep_engine import DECAY, LR, PASSES, SMOOTHING, Nobody, workbench_in

SPACE = {
    "students.0.lr": Dimension(log=LR),
    "students.0.weight_decay": Dimension(log=DECAY),
    "students.0.label_smoothing": Dimension(linear=SMOOTHING),
}


def started(name: str, workbench: Workbench, trials: int) -> int:
    """Id of a process that searches."""
    if process := os.fork():
        return process
    config = SearchConfig(side_by_side=1)
    budget = SweepBudget(trials=trials)
    with sweep_storage(name) as storage:
        study = open_study(name, storage, config, PASSES, [])
        search(Search(study, SPACE, config, budget, Prices(), workbench, {}), Nobody())
    os._exit(0)


def table(name: str) -> list[tuple[Any, ...]]:
    with sweep_storage(name) as storage:
        trials = optuna.load_study(study_name=name, storage=storage).trials
    return [(t.number, t.state, t.params, t.intermediate_values, t.values) for t in trials]


def main() -> None:
    parser = argparse.ArgumentParser()
    for option, default in (("kills", 20), ("trials", 24), ("seed", 0)):
        parser.add_argument(f"--{option}", type=int, default=default)
    given = parser.parse_args()
    moments = random.Random(given.seed)  # noqa: S311
    print(f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}")
    with tempfile.TemporaryDirectory() as folder:
        workbench = workbench_in(Path(folder), 0)
        workbench.material(workbench.job({}))
        whole = uuid.uuid4().hex
        began = time.perf_counter()
        os.waitpid(started(whole, workbench, given.trials), 0)
        seconds, expected = time.perf_counter() - began, table(whole)
        same = 0
        for kill in range(given.kills):
            name = uuid.uuid4().hex
            process = started(name, workbench, given.trials)
            after = moments.uniform(0, seconds)
            time.sleep(after)
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            os.waitpid(started(name, workbench, given.trials), 0)
            is_same = table(name) == expected
            same += is_same
            print(f"  kill {kill + 1} after {after:.2f} of {seconds:.2f} s: {is_same}", flush=True)
    print(f"same table of {given.trials} trials: {same} of {given.kills}")


if __name__ == "__main__":
    main()
