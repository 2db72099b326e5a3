"""Export a model and let the exported artifact answer the validation rows at once.

Those answers prove that graph and model agree, and are the ones that its report is made from.
"""

import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.artifacts import DatasetRef, Role
from tasks.data.snapshot import split_rows
from tasks.evaluation.isolation import answers
from tasks.packaging.export import export_bundle, prove_alike, prove_parity
from tasks.training.model_folder import VALID, is_network, load_card, load_own_answers

log = logging.getLogger(__name__)
NEVER_DEPLOYED = ("teacher", "control")
FEW_ROWS = 500
"""Parity rows of a model that is never deployed: a float32 pass in torch is what costs here."""


def export_and_prove(
    model: Path, bundle: Path, data: Path, dataset: DatasetRef, role: Role
) -> tuple[str, NDArray[np.float32]]:
    """Fill `bundle`; its digest, and its probabilities of all validation rows.

    Parity is proven on all validation rows; on 500, spread evenly, for what is never deployed.
    """
    rows = split_rows(data, dataset, "valid")
    digest = export_bundle(model, bundle, dataset.target, rows.columns)
    found = answers(bundle, rows.columns)
    if is_network(model):
        count = min(len(rows), FEW_ROWS) if role in NEVER_DEPLOYED else len(rows)
        chosen = np.linspace(0, len(rows) - 1, count).round().astype(np.int64)
        parity = prove_parity(model, bundle, rows.take(chosen).columns, found[chosen])
    else:
        own = load_own_answers(model, VALID)
        parity = prove_alike(bundle, own, found, load_card(model))
    log.info("%s: %d of %d answers differ from the model", role, parity.differing, parity.rows)
    return digest, found
