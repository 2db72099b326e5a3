"""From a float model in torch to a bundle with an ONNX graph, and the proof that they agree.

Shapes: B batch, C classes.
"""

import shutil
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tasks.artifacts import Task
from tasks.packaging.bundle import GRAPH, BundleFacts, note_export, write_bundle
from tasks.packaging.fused_attention import fused_attention
from tasks.packaging.predictor import Encoder, allowed, ragged_names
from tasks.training.answers import Kept
from tasks.training.examples import Examples, make_batch
from tasks.training.model_folder import (
    ModelCard,
    encoder_paths,
    is_network,
    load_card,
    load_model,
)
from tasks.training.objectives import OBJECTIVES

OPSET = 20
MOST_DIFFERENCE = 1e-4
"""Of a probability between torch and ONNX Runtime; float32 gives about 1e-6."""
_BATCH_ROWS = 8
_ONE_AT_A_TIME = threading.Lock()  # the exporter keeps its state in module globals
Columns = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Parity:
    """How far the exported graph and the model in torch are apart."""

    rows: int
    differing: int
    """Rows whose likeliest class is not the same; of numbers, beyond what is allowed."""
    max_difference: float
    """Largest absolute difference of a probability, or of a standard score."""
    allowed: float = MOST_DIFFERENCE


def export_bundle(model_folder: Path, bundle_folder: Path, target: str, columns: Columns) -> str:
    """Fill `bundle_folder` from a float model; its digest. `columns` hold example rows."""
    card = load_card(model_folder)
    bundle_folder.mkdir(parents=True, exist_ok=True)
    if is_network(model_folder):
        _export_network(model_folder, columns, bundle_folder / GRAPH)
    else:
        shutil.copyfile(model_folder / GRAPH, bundle_folder / GRAPH)
    facts = BundleFacts(
        encoder=card.encoder,
        task=card.task,
        classes=card.classes,
        inputs=card.inputs,
        target=target,
        scale=card.scale,
    )
    return write_bundle(bundle_folder, facts, encoder_paths(model_folder))


def prove_parity(
    model_folder: Path, bundle_folder: Path, columns: Columns, found: NDArray[np.float32]
) -> Parity:
    """Compare what the bundle answered with the model, and note it in the bundle's export.json.

    Raises ValueError when the graph answers otherwise than the model.
    """
    model, encoder, card = load_model(model_folder)
    rows = encoder.rows(columns)
    logits = torch_logits(model, encoder, rows, OBJECTIVES[card.task].kept)
    return prove_alike(bundle_folder, allowed(encoder, rows, logits), found, card)


def prove_alike(
    bundle_folder: Path, logits: NDArray[np.float32], found: NDArray[np.float32], card: ModelCard
) -> Parity:
    """Compare what the bundle answered with the model's own logits of the same rows, and note it.

    Raises ValueError when they are further apart than rounding puts them.
    """
    parity = PARITIES[card.task](logits, found, card)
    check_parity(parity, bundle_folder.name)
    note_export(bundle_folder, {"parity": asdict(parity)})
    return parity


def _export_network(model_folder: Path, columns: Columns, path: Path) -> None:
    model, encoder, _ = load_model(model_folder)
    rows = encoder.rows(columns)
    longest = max(range(len(rows)), key=lambda index: encoder.length(rows[index]))
    export_graph(model, encoder, [rows[longest], rows[0]], path)


def export_graph(model: nn.Module, encoder: Encoder, rows: Sequence[Any], path: Path) -> None:
    """Write the checked ONNX graph of `model`, free in its rows and in the encoder's ragged axes.

    `rows` are encoded examples, one at least as long as two items.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    batch = {name: torch.from_numpy(value) for name, value in encoder.batch(list(rows)).items()}
    lengths = {axis: f"length_{axis}" for axis in encoder.ragged_axes}
    ragged = ragged_names(encoder)
    axes = {n: {0: "rows"} | (lengths if n in ragged else {}) for n in encoder.names}
    answered = lengths if getattr(encoder, "has_ragged_answers", False) else {}
    with (
        _ONE_AT_A_TIME,
        fused_attention(model) as domains,
        warnings.catch_warnings(),
        torch.inference_mode(),
    ):
        # The exporter by tracing is deprecated, and takes 0.9 s where the one by torch.export takes
        # 4 (7 the first time), for a graph of the same speed: 0.92 against 0.94 ms at int8.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            (),
            str(path),
            kwargs=batch,
            dynamo=False,
            input_names=list(encoder.names),
            output_names=["logits"],
            dynamic_axes={**axes, "logits": {0: "rows"} | answered},
            opset_version=OPSET,
            custom_opsets=domains,
        )
    onnx.checker.check_model(str(path), full_check=True)


@torch.inference_mode()
def torch_logits(
    model: nn.Module, encoder: Encoder, rows: Sequence[Any], kept: Kept | None = None
) -> NDArray[np.float32]:
    """The float model's answers [rows, classes], or what is kept of them, in row order."""
    lengths = [encoder.length(row) for row in rows]
    examples = Examples(rows, lengths, np.zeros(len(rows), dtype=np.int64))
    order = sorted(range(len(rows)), key=lambda index: lengths[index])
    found: list[Tensor] = []
    for start in range(0, len(order), _BATCH_ROWS):
        chosen = np.array(order[start : start + _BATCH_ROWS])
        batch = make_batch(encoder, examples.take(chosen), torch.device("cpu"))
        logits_BC = model(**batch.inputs).float()
        found.append(kept(logits_BC, batch, encoder) if kept else logits_BC)
    in_order = torch.empty(len(order), found[0].shape[1])
    in_order[torch.tensor(order)] = torch.cat(found)
    answers: NDArray[np.float32] = in_order.numpy()
    return answers


def class_parity(
    logits: NDArray[np.float32], found: NDArray[np.float32], card: ModelCard
) -> Parity:
    """Compare probabilities [rows, classes] of the same rows."""
    del card
    expected = torch.softmax(torch.from_numpy(logits), dim=1).numpy()
    return Parity(
        rows=len(expected),
        differing=int((expected.argmax(1) != found.argmax(1)).sum()),
        max_difference=float(np.abs(expected - found).max()),
    )


def score_parity(
    expected: NDArray[np.float32], found: NDArray[np.float32], card: ModelCard
) -> Parity:
    """Compare numbers [rows, 1], in units of their deviation.

    Numbers far from zero are no closer than float32 has them: one of its steps is allowed.
    """
    assert card.scale is not None, "numbers are learned as standard scores"
    mean, deviation = card.scale
    differences = np.abs((found - mean) / deviation - expected)
    step = float(np.spacing(np.abs(found).max())) / deviation
    allowed = max(MOST_DIFFERENCE, step)
    differing = int((differences > allowed).sum())
    return Parity(len(expected), differing, float(differences.max()), allowed)


def item_parity(logits: NDArray[np.float32], found: NDArray[np.float32], card: ModelCard) -> Parity:
    """Compare shares: those of the items that were named, and the largest ones."""
    del card
    top = found.shape[1] // 2
    expected = torch.softmax(torch.from_numpy(logits), dim=1).nan_to_num().numpy()
    named = np.take_along_axis(expected, found[:, :top].astype(np.int64), axis=1)
    largest = -np.sort(-expected, axis=1)[:, :top]
    differences = np.maximum(np.abs(named - found[:, top:]), np.abs(largest - found[:, top:]))
    differing = int((differences.max(axis=1) > MOST_DIFFERENCE).sum())
    return Parity(len(expected), differing, float(differences.max()))


def text_parity(
    expected: NDArray[np.float32], found: NDArray[np.float32], card: ModelCard
) -> Parity:
    """Compare sums [rows, 3]: the mean loss of a token of each row."""
    del card
    differences = np.abs(expected[:, 0] - found[:, 0]) / found[:, 1]
    differing = int((differences > MOST_DIFFERENCE).sum())
    return Parity(len(expected), differing, float(differences.max()))


PARITIES: dict[Task, Callable[[NDArray[np.float32], NDArray[np.float32], ModelCard], Parity]] = {
    "classification": class_parity,
    "regression": score_parity,
    "ranking": item_parity,
    "generation": text_parity,
}
"""From what the model in torch says, what the bundle says, and the model's card."""


def check_parity(parity: Parity, name: str) -> None:
    """ValueError when the difference is more than rounding."""
    if parity.max_difference > parity.allowed:
        raise ValueError(
            f"{name}: the exported graph differs from the model by {parity.max_difference:.2g} "
            f"({parity.differing} of {parity.rows} answers), at most {parity.allowed:.2g} is "
            "allowed"
        )
