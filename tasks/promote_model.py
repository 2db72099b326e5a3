"""What the gate said goes into the ledger; a champion changes there or not at all."""

import logging

from infra.storage import open_storage
from tasks.artifacts import Candidate, Decision
from tasks.mirror_aliases import mirror_aliases
from tasks.promotion.actor import actor
from tasks.promotion.entries import Standing
from tasks.promotion.ledger import Ledger, Subject
from tasks.promotion.moves import record_verdict
from tasks.step import step

log = logging.getLogger(__name__)


@step()
def promote_model(
    project: str, decision: Decision, candidate: Candidate, version: int, standing: Standing
) -> int:
    """Write the decision about `candidate` to the ledger, once; the number of its entry."""
    ledger = Ledger(open_storage(), project)
    subject = Subject(candidate=candidate, version=version)
    entry = record_verdict(ledger, decision, subject, standing, actor())
    aliases = mirror_aliases(project)
    log.info("ledger entry %d: %s; aliases %s", entry.seq, entry.action, aliases)
    return entry.seq
