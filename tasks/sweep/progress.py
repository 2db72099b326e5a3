"""How far a search is, in a line: the best so far, what trials came to, what is left to spend.

All of it stands in the study and the ledger: a search that was taken up again counts on.
"""

import math
from collections import Counter
from typing import NamedTuple

import optuna
from optuna.trial import TrialState

from tasks.sweep.config import SweepBudget
from tasks.sweep.spending import Ledger
from tasks.sweep_artifacts import LOSS

ENDED = {
    TrialState.COMPLETE: "finished",
    TrialState.PRUNED: "given up",
    TrialState.FAIL: "failed",
}


class Progress(NamedTuple):
    """Trials that have ended, of so many, and the line."""

    done: int
    total: int
    said: str


def progress_of(
    study: optuna.Study, metric: str, budget: SweepBudget, ledger: Ledger, seconds_left: float
) -> Progress:
    """How far it is; `seconds_left` is until the budget is used."""
    counts = Counter(trial.state for trial in study.get_trials(deepcopy=False))
    done = sum(counts[state] for state in ENDED)
    found = [_best(study, metric)] if counts[TrialState.COMPLETE] else []
    found += [f"{counts[state]} {word}" for state, word in ENDED.items() if counts[state]]
    trials = max(0, budget.trials - done)
    left = [f"{trials} trial{'' if trials == 1 else 's'}"]
    if done:  # those that are left take as long as those before them
        seconds_left = min(seconds_left, ledger.spent.wall / done * trials)
    if seconds_left < math.inf:
        left.append(_time(max(0.0, seconds_left)))
    if budget.money is not None:
        money = budget.money - ledger.spent.cost(ledger.prices).money
        left.append(f"money {max(0.0, money):.4g}")
    said = f"left: {', '.join(left)}"
    return Progress(done, budget.trials, f"{', '.join(found)}; {said}" if found else said)


def _best(study: optuna.Study, metric: str) -> str:
    """The best value, or how many trials no other beats."""
    if len(study.directions) > 1:
        return f"front of {len(study.best_trials)}"
    sign = -1 if metric == LOSS else 1
    return f"best {metric} {sign * study.best_value:.4f}"


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
