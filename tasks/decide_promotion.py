"""The gate: is the candidate proven better than the champion?"""

import logging

from infra.storage import open_storage
from tasks.artifacts import DatasetRef, Decision, EvalReport
from tasks.promotion.config import GatePolicy, PromoteConfig
from tasks.promotion.entries import Standing
from tasks.promotion.evidence import read_evidence
from tasks.promotion.gate import decide
from tasks.promotion.selection import Selection
from tasks.step import step

log = logging.getLogger(__name__)


@step()
def decide_promotion(
    gate: GatePolicy,
    promote: PromoteConfig,
    selection: Selection,
    standing: Standing,
    proof: list[EvalReport],
    dataset: DatasetRef,
) -> Decision:
    """Compare the selected candidate with the champion, or with the baseline if there is none.

    `proof`: reports on the holdout, in any order; those that the gate needs are found by digest.
    """
    storage = open_storage()
    bundles = [selection.sha256, selection.baseline_sha256]
    bundles += [standing.asked.sha256] if standing.asked else []
    predictions = {r.predictions_uri: storage.fetch_folder(r.predictions_uri) for r in proof}
    folder = storage.fetch_folder(dataset.uri)
    evidence = read_evidence(dataset, folder, proof, predictions, bundles)
    decision = decide(gate, promote, selection, standing, evidence)
    log.info("%s: %s", decision.verdict, decision.reason)
    return decision
