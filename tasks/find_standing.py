"""The champion that a decision is made against, and whether it can be asked."""

from infra.storage import open_storage
from tasks.artifacts import DatasetRef, Split
from tasks.data.snapshot import input_parts
from tasks.promotion.comparable import why_not_asked
from tasks.promotion.config import GatePolicy, PromoteConfig
from tasks.promotion.entries import Standing
from tasks.promotion.ledger import Ledger
from tasks.promotion.moves import question_of, standing_for
from tasks.promotion.selection import Selection

ASKED: tuple[Split, ...] = ("valid", "test")
"""Where a champion is asked: what it costs, and what it answers."""


def find_standing(
    project: str,
    gate: GatePolicy,
    promote: PromoteConfig,
    selection: Selection,
    dataset: DatasetRef,
) -> Standing:
    """Read the ledger: today's standing, or that of the time when the same was decided.

    Not a step: it looks at the world each time. A run that is repeated after its own promotion
    meets the champion that it met before, so its later steps are kept.
    """
    storage, question = open_storage(), question_of(gate, promote, selection)
    standing = standing_for(Ledger(storage, project), question)
    if standing.champion is None:
        return standing
    bundle, folder = map(storage.fetch_folder, (standing.champion.uri, dataset.uri))
    rows = (part for split in ASKED for part in input_parts(folder, dataset, split))
    return standing.model_copy(update={"unasked": why_not_asked(bundle, rows, dataset)})
