"""What was made of rows, once for all trainings that read the same rows in the same way."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from tasks.training.job import Rows, TrainingJob, reading_of

Thing = TypeVar("Thing")


@dataclass
class Shelf(Generic[Thing]):
    """Things made of training rows, found again by those rows and by how they are read.

    Rows are the same when they are one object: `KeptSite` draws them once.
    """

    _kept: list[tuple[Rows, str, Thing]] = field(default_factory=list)

    def get(self, job: TrainingJob, make: Callable[[], Thing]) -> Thing:
        """What was made for a training like this one, now if it was not before."""
        found = self.find(job)
        if found is None:
            found = make()
            self._kept.append((job.train, reading_of(job), found))
        return found

    def find(self, job: TrainingJob) -> Thing | None:
        """What was made for a training like this one."""
        reading = reading_of(job)
        for rows, other, thing in self._kept:
            if rows is job.train and other == reading:
                return thing
        return None

    @property
    def things(self) -> list[Thing]:
        """Everything that was made."""
        return [thing for *_, thing in self._kept]

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()

    def __len__(self) -> int:
        return len(self._kept)
