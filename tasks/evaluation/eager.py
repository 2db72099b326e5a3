"""What float weights cost in eager torch: the only figures that are not of an exported artifact.

Run as `python -m tasks.evaluation.eager MODEL DEPLOY ROWS OUT` by `isolation.py`; DEPLOY is JSON:
`threads`, and `batch` for the rows of one call.
"""

import json
import sys
from pathlib import Path

import torch

from tasks.evaluation.measure import Columns, latency_ms, peak_memory_mb
from tasks.training.model_folder import load_model


def eager_cost(folder: Path, columns: Columns, batch: int, threads: int) -> dict[str, float]:
    """p50 of one call, preprocessing included, and peak memory of this process."""
    torch.set_num_threads(threads)
    model, encoder, _ = load_model(folder)

    @torch.inference_mode()
    def answer(row: Columns) -> torch.Tensor:
        batch = encoder.batch(encoder.rows(row))
        logits = model(**{name: torch.from_numpy(value) for name, value in batch.items()})
        return torch.softmax(logits, dim=-1)

    p50, _ = latency_ms(answer, columns, batch)
    return {"p50_ms": p50, "memory_mb": peak_memory_mb()}


if __name__ == "__main__":
    folder, deploy, rows, out = sys.argv[1:]
    columns, asked = json.loads(Path(rows).read_text(encoding="utf-8")), json.loads(deploy)
    found = eager_cost(Path(folder), columns, asked["batch"], asked["threads"])
    Path(out).write_text(json.dumps(found), encoding="utf-8")
