"""Attention as one node: the answers of torch, whatever the shape, padded or not."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnxruntime import InferenceSession

from models.build import build_model
from tasks.compression.precisions import WRITERS, layers_of, prepared
from tasks.packaging.export import export_graph
from tasks.packaging.predictor import Encoder

SHAPES: dict[str, dict[str, Any]] = {
    "plain": {},
    "shared layers": {"share_layers": True},
    "narrow heads": {"head_width": 4},
    "fewer heads": {"heads": 2, "head_width": 8},
    "low rank": {"linear_rank": 4},
}
LENGTHS = (9, 5, 1)
FUSED_LAYERS = {"low rank": 0}
APART = ("int8-static", "int8-weights", "int4-weights")


class Ids:
    """Rows are ids already."""

    names = ("input_ids", "attention_mask")
    batch_rows = 8
    ragged_axes = (1,)

    def rows(self, columns: Any) -> Any:
        raise NotImplementedError

    def length(self, row: Any) -> int:
        return len(row)

    def batch(self, rows: Any) -> dict[str, np.ndarray]:
        ids = np.zeros((len(rows), max(map(len, rows))), np.int64)
        for index, row in enumerate(rows):
            ids[index, : len(row)] = row
        return {"input_ids": ids, "attention_mask": (ids > 0).astype(np.int64)}


ENCODER: Encoder = Ids()
RANDOM = np.random.default_rng(2)
ROWS = [RANDOM.integers(1, 50, length).tolist() for length in LENGTHS]


@pytest.fixture(params=SHAPES)
def exported(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, torch.nn.Module, Path]:
    torch.manual_seed(4)
    shape = {"vocab_size": 50, "layers": 2, "width": 32, "heads": 4, "feed_forward": 32}
    model = build_model("text_encoder", shape | SHAPES[request.param] | {"num_classes": 3}).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(3)
    export_graph(model, ENCODER, ROWS, tmp_path / "model.onnx")
    return request.param, model, tmp_path / "model.onnx"


def answers(path: Path, rows: list[list[int]]) -> np.ndarray:
    found: np.ndarray = InferenceSession(str(path)).run(None, ENCODER.batch(rows))[0]
    return found


def test_one_node_answers_as_twenty(exported: tuple[str, torch.nn.Module, Path]) -> None:
    name, model, path = exported
    kinds = [node.op_type for node in onnx.load(path).graph.node]
    assert kinds.count("Attention") == FUSED_LAYERS.get(name, 2)
    batch = {key: torch.from_numpy(value) for key, value in ENCODER.batch(ROWS).items()}
    with torch.no_grad():
        expected = model(**batch).numpy()  # by the model as it is again, not by the fused one
    np.testing.assert_allclose(answers(path, ROWS), expected, atol=1e-5)
    alone = np.concatenate([answers(path, [row]) for row in ROWS])
    np.testing.assert_allclose(alone, expected, atol=1e-5)


@pytest.mark.parametrize("precision", WRITERS)
def test_every_form_knows_it_or_takes_it_apart(
    precision: Any,
    exported: tuple[str, torch.nn.Module, Path],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    name, _, path = exported
    model = prepared(path, precision)
    feeds = [ENCODER.batch([row]) for row in ROWS]
    WRITERS[precision](model, (), feeds, tmp_path / "form.onnx")
    found = np.concatenate([answers(tmp_path / "form.onnx", [row]) for row in ROWS])
    expected = np.concatenate([answers(path, [row]) for row in ROWS])
    assert np.abs(found - expected).max() < (0.5 if "int4" in precision else 0.2)
    kinds = {node.op_type for node in onnx.load(tmp_path / "form.onnx").graph.node}
    assert ("MultiHeadAttention" in kinds) == (precision in APART and name not in FUSED_LAYERS)
    assert caplog.records == []
    left = layers_of(onnx.load(tmp_path / "form.onnx"), precision)
    assert [name for name in left if not name.endswith("Gather")] == []  # of bytes, in some forms
    assert len(set(layers_of(model, precision))) == len(layers_of(model, precision))
