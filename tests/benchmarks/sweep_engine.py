"""64 trials of a small MLP on `digits`: our sweep, Optuna in one process, Ray Tune; side by side.

    sweep_engine.py [--trials 64] [--seeds 5] [--tune-function 1] [--tune-class 2]

The score is minus the validation log loss. The same rows, space, passes and seeds; TPE and
successive halving in all of them. Ours writes every trial to PostgreSQL as it goes, the others keep
theirs in memory or in files. Theirs train by a bare loop, ours by its own. Needs a warm stack:
`eval "$(modelworks env)"` first. What is timed is the search alone: the cluster is up, torch is
imported, rows are in memory.
"""

import argparse
import datetime
import math
import os
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import ray
import torch
from optuna.pruners import SuccessiveHalvingPruner
from optuna.samplers import TPESampler
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional

from infra.cluster import connect
from infra.journal import sweep_storage
from tasks.costs.cost import Prices
from tasks.data.config import DataConfig
from tasks.sweep.config import SearchConfig, SweepBudget
from tasks.sweep.searching import Search, search
from tasks.sweep.space import Dimension
from tasks.sweep.study import first_settings, open_study
from tasks.sweep.target import Target
from tasks.sweep.workbench import Workbench
from tasks.training.architectures import Mlp
from tests.in_process import site_of, snapshot

WIDTH, PASSES, BATCH = 32, 9, 32
LR, DECAY, SMOOTHING = (1e-4, 1e-1), (1e-6, 1e-1), (0.0, 0.2)
Settings = dict[str, float]


class Rows:
    """Training and validation rows as tensors, standardised."""

    def __init__(self, workbench: Workbench) -> None:
        material = workbench.material(workbench.job({}))
        train, valid = material.train, material.valid
        self.train = torch.from_numpy(np.asarray(_pixels(train.rows), dtype=np.float32))
        self.valid = torch.from_numpy(np.asarray(_pixels(valid.rows), dtype=np.float32))
        self.labels = torch.from_numpy(np.asarray(train.labels, dtype=np.int64))
        self.truth = torch.from_numpy(np.asarray(valid.labels, dtype=np.int64))


def _pixels(rows: Any) -> Any:
    return rows if isinstance(rows, np.ndarray) else np.stack([np.asarray(row) for row in rows])


class Bare:
    """One trial by the shortest loop: AdamW, a cosine, batches in a random order."""

    def __init__(self, rows: Rows, settings: Settings, seed: int) -> None:
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        self.rows, self.settings, self.seed, self.passed = rows, settings, seed, 0
        width = rows.train.shape[1]
        self.model = nn.Sequential(nn.Linear(width, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 10))
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=settings["lr"], weight_decay=settings["weight_decay"]
        )
        steps = PASSES * -(-len(rows.train) // BATCH)
        self.rate = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, steps)

    def one_pass(self) -> float:
        order = torch.randperm(len(self.rows.train))
        for ids in order.split(BATCH):
            logits = self.model(self.rows.train[ids])
            loss = functional.cross_entropy(
                logits, self.rows.labels[ids], label_smoothing=self.settings["label_smoothing"]
            )
            self.optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.optimizer.step()
            self.rate.step()
        self.passed += 1
        with torch.no_grad():
            return -float(functional.cross_entropy(self.model(self.rows.valid), self.rows.truth))


def by_optuna(rows: Rows, trials: int, seed: int) -> float:
    def objective(trial: optuna.Trial) -> float:
        settings = {
            "lr": trial.suggest_float("lr", *LR, log=True),
            "weight_decay": trial.suggest_float("weight_decay", *DECAY, log=True),
            "label_smoothing": trial.suggest_float("label_smoothing", *SMOOTHING),
        }
        bare, best = Bare(rows, settings, seed), -math.inf
        for passed in range(1, PASSES + 1):
            score = bare.one_pass()
            best = max(best, score)
            trial.report(score, passed)
            if trial.should_prune():
                raise optuna.TrialPruned
        return best

    study = optuna.create_study(
        direction="maximize",
        sampler=TPESampler(seed=seed, multivariate=True),
        pruner=SuccessiveHalvingPruner(min_resource=1, reduction_factor=3),
    )
    study.optimize(objective, n_trials=trials)
    return study.best_value


def _tune_space() -> dict[str, Any]:
    return {
        "lr": tune.loguniform(*LR),
        "weight_decay": tune.loguniform(*DECAY),
        "label_smoothing": tune.uniform(*SMOOTHING),
    }


def _tuned(trainable: Any, trials: int, seed: int, *, reuse: bool) -> float:
    scheduler = ASHAScheduler(max_t=PASSES, grace_period=1, reduction_factor=3)
    config = tune.TuneConfig(
        metric="score",
        mode="max",
        num_samples=trials,
        max_concurrent_trials=2,
        search_alg=OptunaSearch(seed=seed),
        scheduler=scheduler,
        reuse_actors=reuse,
    )
    with tempfile.TemporaryDirectory() as folder:
        tuner = tune.Tuner(
            trainable,
            param_space=_tune_space(),
            tune_config=config,
            run_config=tune.RunConfig(
                storage_path=folder, verbose=0, stop={"training_iteration": PASSES}
            ),
        )
        return float(tuner.fit().get_best_result(scope="all").metrics["score"])


def by_tune_function(rows: Rows, trials: int, seed: int) -> float:
    def train(config: Settings, rows: Rows) -> None:
        bare = Bare(rows, config, seed)
        for _ in range(PASSES):
            tune.report({"score": bare.one_pass()})

    return _tuned(tune.with_parameters(train, rows=rows), trials, seed, reuse=False)


class Trainable(tune.Trainable):
    """A trial in Tune's class API, whose process is used again."""

    def setup(self, config: Settings, rows: Rows | None = None, seed: int = 0) -> None:
        self.given, self.seed = rows, seed
        assert rows is not None
        self.bare = Bare(rows, config, seed)

    def step(self) -> dict[str, float]:
        return {"score": self.bare.one_pass()}

    def reset_config(self, new_config: Settings) -> bool:
        assert self.given is not None
        self.bare = Bare(self.given, new_config, self.seed)
        return True

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Nothing."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Nothing."""


def by_tune_class(rows: Rows, trials: int, seed: int) -> float:
    trainable = tune.with_parameters(Trainable, rows=rows, seed=seed)
    return _tuned(trainable, trials, seed, reuse=True)


class Nobody:
    """Watches a sweep of ours and says nothing."""

    def on_begin(self, trial: Any) -> None: ...
    def on_score(self, trial: Any, epoch: int, score: float) -> None: ...
    def on_end(self, trial: Any, end: Any) -> None: ...
    def on_progress(self, progress: Any) -> None: ...
    def stopped(self, number: int | None) -> bool:  # noqa: ARG002
        return False


def by_ours(workbench: Workbench, trials: int, seed: int, engine: str = "auto") -> float:
    space = {
        "students.0.lr": Dimension(log=LR),
        "students.0.weight_decay": Dimension(log=DECAY),
        "students.0.label_smoothing": Dimension(linear=SMOOTHING),
    }
    config = SearchConfig.model_validate({"seed": seed, "engine": engine})
    queue = first_settings(config, space, {})
    name = f"benchmark-{uuid.uuid4().hex}"
    budget = SweepBudget(trials=trials)
    with sweep_storage(name) as storage:
        study = open_study(name, storage, config, PASSES, queue)
        ended = search(Search(study, space, config, budget, Prices(), workbench, {}), Nobody())
        best = study.best_value
    print(f"    {ended.engine}", flush=True)
    return best


def workbench_in(folder: Path, seed: int) -> Workbench:
    digits = load_digits(as_frame=True).frame
    digits["target"] = "d" + digits["target"].astype(str)
    digits.to_csv(folder / "digits.csv", index=False)
    data = DataConfig.model_validate(
        {
            "source": "digits.csv",
            "kind": "table",
            "target": "target",
        }
    )
    dataset = snapshot(data, folder, folder / "rows", "digits")
    model = Mlp(
        name="mlp",
        hidden=(WIDTH,),
        epochs=PASSES,
        batch_size=BATCH,
        choose_by="loss",
        seed=seed,
    )
    target = Target(root="students.0", settings=model.model_dump(mode="json"), lr=1e-3)
    return Workbench(target, site_of(folder / "rows", dataset))


def main() -> None:
    parser = argparse.ArgumentParser()
    for name, default in (("trials", 64), ("seeds", 5), ("tune-function", 1), ("tune-class", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    os.environ["RAY_AIR_NEW_OUTPUT"] = "0"
    connect()
    torch.optim.AdamW([torch.zeros(1, requires_grad=True)])  # its first imports seconds of code
    print(f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, load {os.getloadavg()[0]:.1f}")
    took: dict[str, list[float]] = {}
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        for seed in range(given.seeds):
            workbench = workbench_in(Path(name), seed)
            rows = Rows(workbench)
            ways: list[tuple[str, Callable[[], float]]] = [
                ("ours", lambda: by_ours(workbench, given.trials, seed)),  # noqa: B023
                ("ours one by one", lambda: by_ours(workbench, given.trials, seed, "in_process")),  # noqa: B023
                ("optuna", lambda: by_optuna(rows, given.trials, seed)),  # noqa: B023
            ]
            if seed < given.tune_class:
                ways.append(("tune class", lambda: by_tune_class(rows, given.trials, seed)))  # noqa: B023
            if seed < given.tune_function:
                ways.append(("tune function", lambda: by_tune_function(rows, given.trials, seed)))  # noqa: B023
            for way, run in ways:
                began = time.perf_counter()
                score = run()
                took.setdefault(way, []).append(time.perf_counter() - began)
                found.setdefault(way, []).append(score)
                print(f"  seed {seed} {way:16s} {took[way][-1]:7.2f} s  {score:.4f}", flush=True)
    ours = statistics.median(took["ours"])
    for way, seconds in took.items():
        middle = statistics.median(seconds)
        print(
            f"{way:16s} {middle:7.2f} s  {middle / ours:6.2f} times ours  "
            f"best {statistics.mean(found[way]):.4f}"
        )
    ray.shutdown()


if __name__ == "__main__":
    main()
