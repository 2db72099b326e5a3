"""int8 of layers that share their weights, read by one name or behind Identity: `python -m` this.

Four layers of MiniLM's shape with one layer's weights, untrained, 32 tokens, one thread; CPU time
in turn, the median of 60 calls. Prints a Markdown table. No service is needed.
"""

import tempfile
from collections import Counter
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any
from unittest.mock import patch

import numpy as np
import onnx
import onnxruntime
import torch

from models.build import build_model
from tasks.compression import precisions
from tasks.compression.precisions import dynamic_int8, prepared
from tasks.packaging.export import export_graph

SHAPE = {"num_classes": 3, "vocab_size": 2000, "layers": 4, "share_layers": True}
CALLS = 60


class Rows:
    """Rows that are encoded already."""

    names, ragged_axes = ("input_ids", "attention_mask"), (1,)

    def batch(self, rows: list[int]) -> dict[str, Any]:
        ids = np.random.default_rng(1).integers(1, 2000, (len(rows), 32))
        return {"input_ids": ids, "attention_mask": np.ones_like(ids)}


def session_of(graph: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(graph), options)


def main(work: Path) -> None:
    torch.manual_seed(1)
    model, graph = build_model("text_encoder", SHAPE).eval(), work / "float.onnx"
    export_graph(model, Rows(), [0, 1], graph)  # type: ignore[arg-type]
    forms = {"float32": graph, "behind Identity": work / "1.onnx", "by one name": work / "2.onnx"}
    with patch.object(precisions, "_share_weights", lambda _: None):
        dynamic_int8(prepared(graph, "int8"), (), [], forms["behind Identity"])
    dynamic_int8(prepared(graph, "int8"), (), [], forms["by one name"])
    sessions = {name: session_of(path) for name, path in forms.items()}
    seconds: dict[str, list[float]] = {name: [] for name in forms}
    for _ in range(CALLS):
        for name, session in sessions.items():
            begin = process_time()
            session.run(None, Rows().batch([0]))
            seconds[name].append(process_time() - begin)
    print("| graph | MB | products in float | CPU ms |\n|---|---|---|---|")
    for name, path in forms.items():
        kinds = Counter(node.op_type for node in onnx.load(path).graph.node)
        floats = kinds["MatMul"] + kinds["Gemm"] + kinds["Attention"]
        size, ms = path.stat().st_size / 1e6, median(seconds[name]) * 1e3
        print(f"| {name} | {size:.2f} | {floats} | {ms:.2f} |")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder))
