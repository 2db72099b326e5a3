"""Latency of float weights in eager torch: the one figure that is not of an exported artifact.

Run as `python -m tasks.evaluation.eager MODEL ROWS OUT` by `isolation.py`.
"""

import json
import sys
from pathlib import Path

import torch

from tasks.evaluation.measure import Columns, latency_ms
from tasks.training.model_folder import load_model


def eager_p50_ms(folder: Path, columns: Columns) -> float:
    """p50 of one row, preprocessing included, on one thread."""
    torch.set_num_threads(1)
    model, encoder, _ = load_model(folder)

    @torch.inference_mode()
    def answer(row: Columns) -> torch.Tensor:
        batch = encoder.batch(encoder.rows(row))
        logits = model(**{name: torch.from_numpy(value) for name, value in batch.items()})
        return torch.softmax(logits, dim=-1)

    return latency_ms(answer, columns)[0]


if __name__ == "__main__":
    folder, rows, out = map(Path, sys.argv[1:4])
    columns = json.loads(rows.read_text(encoding="utf-8"))
    out.write_text(json.dumps(eager_p50_ms(folder, columns)), encoding="utf-8")
