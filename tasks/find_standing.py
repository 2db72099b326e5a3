"""The champion that a decision is made against."""

from infra.storage import open_storage
from tasks.promotion.config import GatePolicy, PromoteConfig
from tasks.promotion.entries import Standing
from tasks.promotion.ledger import Ledger
from tasks.promotion.moves import question_of, standing_for
from tasks.promotion.selection import Selection


def find_standing(
    project: str, gate: GatePolicy, promote: PromoteConfig, selection: Selection
) -> Standing:
    """Read the ledger: today's standing, or that of the time when the same was decided.

    Not a step: it looks at the world each time. A run that is repeated after its own promotion
    meets the champion that it met before, so its later steps are kept.
    """
    question = question_of(gate, promote, selection)
    return standing_for(Ledger(open_storage(), project), question)
