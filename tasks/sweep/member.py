"""One trial among those that are trained together, and what has become of it."""

import math
from dataclasses import dataclass, field

from tasks.training.course import Course, Point


@dataclass
class Member:
    """One trial."""

    course: Course
    dropouts: tuple[float, ...]
    """Their rates, of those that drop anything in any member."""
    scores: list[float] = field(default_factory=list)
    """Validation score of each epoch, as `TrainState.best_score` counts: higher is better."""
    history: list[Point] = field(default_factory=list)
    """A point of the learning curve for each epoch; `time_ms` is that of all members together."""
    trouble: str = ""
    """Why it could not go on, as the separate loop says it."""
    best_score: float = -math.inf
    best_epoch: int = 0
    rate_factor: float = 1.0
    """What validation made of the scheduled rate."""

    @property
    def is_over(self) -> bool:
        """Whether all epochs are done, or so many were no better that the rest is given up."""
        patience = self.course.technique.patience or self.course.epochs
        done = len(self.scores)
        return done >= self.course.epochs or done - self.best_epoch >= patience

    def add(self, score: float, point: Point) -> bool:
        """Note an epoch; whether it is the best so far."""
        self.scores.append(score)
        self.history.append(point)
        if score <= self.best_score or math.isnan(score):
            return False
        self.best_score, self.best_epoch = score, len(self.scores)
        return True
