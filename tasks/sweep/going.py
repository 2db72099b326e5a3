"""A trial that is running."""

from dataclasses import dataclass, field

from optuna.trial import Trial

from tasks.costs.meter import Used


@dataclass
class Going:
    """What has come of it, and what it has cost."""

    trial: Trial
    scores: list[float] = field(default_factory=list)
    before: Used = field(default_factory=Used)
    """What it had used in calls that left it unfinished."""
    passes: Used = field(default_factory=Used)
    """What its passes have used since."""
    here: float = 0.0
    """CPU seconds that this process has used for it."""
    is_trained: bool = False
    """Whether it has no pass left."""

    @property
    def cost(self) -> Used:
        """In all."""
        return self.before.plus(self.passes).plus(Used(self.here))
