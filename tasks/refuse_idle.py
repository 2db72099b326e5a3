"""Models that were made smaller and became neither smaller nor faster are no candidates."""

import logging
from collections.abc import Sequence

from tasks.artifacts import Candidate, Cost
from tasks.compression.gain import idle_of
from tasks.step import step

log = logging.getLogger(__name__)


@step()
def refuse_idle(candidates: Sequence[Candidate], costs: Sequence[Cost]) -> dict[str, str]:
    """Return why each of them is refused, by name."""
    idle = idle_of(candidates, costs)
    for sentence in idle.values():
        log.warning("%s", sentence)
    return idle
