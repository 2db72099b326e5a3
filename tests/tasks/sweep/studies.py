"""Studies of functions whose optimum is known."""

import math
from collections.abc import Callable, Sequence

import optuna
from optuna.samplers import NSGAIISampler, RandomSampler, TPESampler
from optuna.trial import Trial, TrialState

optuna.logging.set_verbosity(optuna.logging.ERROR)


def quadratic(trial: Trial) -> float:
    """Lowest, 0, at 0.1; the second parameter does nothing."""
    rate = trial.suggest_float("teacher.lr", 1e-4, 1.0, log=True)
    trial.suggest_float("teacher.weight_decay", 0.0, 0.1)
    return (math.log10(rate) + 1) ** 2


def branin(trial: Trial) -> float:
    """Lowest, 0.398, at three places (Dixon and Szegö, 1978)."""
    x, y = trial.suggest_float("x", -5, 10), trial.suggest_float("y", 0, 15)
    bowl = y - 5.1 * x**2 / (4 * math.pi**2) + 5 * x / math.pi - 6
    return bowl**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def conditional(trial: Trial) -> float:
    """A momentum where the optimizer has one; one trial in nine fails, some are pruned."""
    rate = trial.suggest_float("teacher.lr", 1e-5, 1e-1, log=True)
    name = trial.suggest_categorical("teacher.optimizer", ["sgd", "adamw", "lion"])
    if name == "sgd":
        trial.suggest_float("teacher.momentum", 0.0, 0.99)
    layers = trial.suggest_int("students.0.layers", 1, 4)
    if trial.number % 9 == 4:
        return math.nan
    score = 0.8 - 0.05 * (math.log10(rate) + 3) ** 2 - 0.001 * layers
    for epoch in range(4):
        trial.report(score * (1 - math.exp(-epoch - 1)), epoch)
        if trial.should_prune():
            raise optuna.TrialPruned
    return score


def traded(trial: Trial) -> tuple[float, float]:
    """A wider network is better and slower."""
    width = trial.suggest_int("students.0.width", 8, 256, log=True)
    rate = trial.suggest_float("students.0.lr", 1e-4, 1e-1, log=True)
    return 0.9 - 1 / width - 0.05 * (math.log10(rate) + 2) ** 2, width / 100


def study_of(
    objective: Callable[[Trial], float | Sequence[float]], trials: int, higher: bool = False
) -> optuna.Study:
    """By TPE; what runs side by side elsewhere runs one by one here."""
    study = optuna.create_study(
        direction="maximize" if higher else "minimize",
        sampler=TPESampler(seed=3),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5),
    )
    study.optimize(objective, n_trials=trials)
    return study


def random_study(
    objective: Callable[[Trial], float | Sequence[float]], trials: int
) -> optuna.Study:
    study = optuna.create_study(sampler=RandomSampler(seed=3))
    study.optimize(objective, n_trials=trials)
    return study


def traded_study(trials: int) -> optuna.Study:
    study = optuna.create_study(
        directions=["maximize", "minimize"], sampler=NSGAIISampler(seed=3, population_size=20)
    )
    study.optimize(traded, n_trials=trials)
    return study


def count_of(study: optuna.Study, state: TrialState) -> int:
    return len(study.get_trials(deepcopy=False, states=(state,)))
