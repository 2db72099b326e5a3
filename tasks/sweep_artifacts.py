"""What travels between the steps of a sweep."""

from typing import Any, Literal

from tasks.artifacts import Artifact, RunRef

LOSS = "valid/loss"
STOPPED = "stopped by a tag"
Good = Literal["score", "quality"]
"""What says how good a trial is: its best validation score; or the gate's metric, of what is
exported, on validation rows."""
TrialEnd = Literal["complete", "pruned", "fail"]


class Stopped(ValueError):
    """Somebody has asked for the end of a step, in the tracking server."""


class SettingsTrial(Artifact):
    """One trial of a sweep."""

    number: int
    values: dict[str, Any]
    """By dotted name."""
    state: TrialEnd
    """`pruned`: given up early, by a pruner or because the sweep was over."""
    scores: tuple[float, ...]
    """Validation score after each pass, higher is better; none where there are many objectives."""
    objectives: tuple[float, ...]
    """Value of each objective, of a trial that is complete."""
    trouble: str = ""


class Searched(Artifact):
    """What a search for settings found."""

    study: str
    """Its name in the storage."""
    run: RunRef
    best: tuple[SettingsTrial, ...]
    """The best trial, or those of the Pareto front; none when no trial was completed."""
    trials: tuple[SettingsTrial, ...]
    objectives: tuple[str, ...]
    metric: str
    """What a score is: `valid/macro_f1`."""
    quality: str = "quality"
    """What a quality is: `valid/accuracy`."""
    engine: str
    """Where trials ran, and why."""
    ended: str
    """Why no further trial was made."""
    wall_seconds: float
    cost: dict[str, float]
    """CPU and GPU hours, energy (estimated) and money, of all trials."""

    @property
    def winner(self) -> dict[str, Any] | None:
        """What is worth another training: the best values, of a search that nobody stopped.

        None where there is no winner, or no one winner.
        """
        if not self.best or len(self.objectives) > 1 or self.ended == STOPPED:
            return None
        return self.best[0].values

    def metric_of(self, objective: str) -> str:
        """What people call an objective."""
        return self.metric if objective == "score" else objective

    def shown(self, score: float) -> float:
        """A score as its metric: of a loss, which is better when it is lower, the opposite."""
        return -score if self.metric == LOSS else score


class Choice(Artifact):
    """What a retraining makes of a sweep."""

    values: dict[str, Any]
    """Settings in the place of the file's, by dotted name; none where those are kept."""
    reason: str
    run: RunRef
    """Of the sweep."""


class Question(Artifact):
    """What new seeds are asked about a winner."""

    good: Good = "score"
    allowed: float | None = None
    """What it may lose of that against the present settings; None: it has to gain."""


class Confirmed(Artifact):
    """The winner, or what the budget picked, and the settings that the project has, trained anew by
    several seeds."""

    winner: tuple[float, ...]
    """Best validation score, or the quality of what is exported, of each seed."""
    present: tuple[float, ...]
    gain: float
    """Mean of the winner over that of the present settings, by seeds that trained both."""
    spread: float
    """Standard error of the gain, over the seeds that both share."""
    is_believed: bool
    """Whether the gain is more than twice that; of a pick, whether its loss is not more than the
    budget allows by more than twice that."""
    sentence: str
