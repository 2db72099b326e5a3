"""The candidate that goes to the gate."""

import logging

from tasks.artifacts import EvalReport
from tasks.evaluation.config import BudgetConfig
from tasks.evaluation.confusions import Metric
from tasks.promotion.selection import Selection, select
from tasks.step import step

log = logging.getLogger(__name__)


@step()
def select_candidate(reports: list[EvalReport], budget: BudgetConfig, metric: Metric) -> Selection:
    """Choose on validation rows, within the budget."""
    selection = select(reports, budget, metric)
    log.info("%s", selection.reason)
    return selection
