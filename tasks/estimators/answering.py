"""What a fitted estimator says of rows that it was not fitted with, by its graph."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from tasks.packaging.bundle import GRAPH
from tasks.packaging.predictor import load_encoder
from tasks.training.examples import Columns
from tasks.training.model_folder import load_card


def graph_answers(folder: Path, columns: Columns) -> NDArray[np.float32]:
    """Log probabilities [N, C] of each row, of a regression standard scores [N, 1].

    Raises ValueError for an estimator that has no graph.
    """
    card = load_card(folder)
    if not (folder / GRAPH).is_file():
        raise ValueError(
            f"compress.distil.unlabelled and made_rows: {card.config['estimator']} has no ONNX "
            "form, by which a teacher answers other rows than its own"
        )
    encoder = load_encoder(card.encoder, folder)
    session: Any = onnxruntime.InferenceSession(folder / GRAPH, providers=["CPUExecutionProvider"])
    rows = encoder.rows(columns)
    starts = range(0, len(rows), encoder.batch_rows)
    batches = (encoder.batch(rows[start : start + encoder.batch_rows]) for start in starts)
    answers: NDArray[np.float32] = np.concatenate([session.run(None, b)[0] for b in batches])
    return answers
