"""Series from columns to answers: scores, gaps, padding, bad cells, and the way to a bundle."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tasks.artifacts import DatasetRef
from tasks.data.config import DataConfig
from tasks.data.snapshot import split_rows
from tasks.evaluation.baseline import save_baseline
from tasks.evaluation.scoring import score_file
from tasks.packaging.export import export_bundle, prove_parity
from tasks.packaging.predictor import Predictor, load_encoder
from tasks.training.architectures import StudentConfig
from tasks.training.blueprint import first_model
from tasks.training.blueprints import blueprint_of
from tasks.training.job import Rows
from tasks.training.model_folder import card_of, save_model
from tasks.training.series_architectures import SeriesCnn, SeriesGru, SeriesLstm, SeriesRnn
from tests.in_process import quantized, snapshot

CONFIG: dict[str, Any] = {
    "kind": "series",
    "channels": [
        {"name": "x", "mean": 1.0, "deviation": 2.0, "missing": True},
        {"name": "y", "mean": 0.0, "deviation": 1.0, "missing": False},
    ],
    "layout": {"id": "id", "time": "when"},
    "max_length": 4,
}


def test_a_step_is_scores_and_gaps() -> None:
    encoder = load_encoder(CONFIG, Path())
    (row,) = encoder.rows({"x": [[3, None]], "y": [[5, 6]]})
    assert row.tolist() == [[1.0, 5.0, 0.0], [0.0, 6.0, 1.0]]


def test_padding_stands_behind() -> None:
    encoder = load_encoder(CONFIG, Path())
    batch = encoder.batch(encoder.rows({"x": [[3], [3, 3, 3]], "y": [[1], [1, 1, 1]]}))
    assert batch["values"].shape == (2, 3, 3)
    assert batch["mask"].tolist() == [[1, 0, 0], [1, 1, 1]]
    assert not batch["values"][0, 1:].any()


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"x": [[1]]}, "column 'y' is missing; found x"),
        ({"x": [[1]], "y": [[1, 2]]}, "row 0: channels of 1 and 2 values"),
        ({"x": [[]], "y": [[]]}, "row 0: channels of 0 values, one length from 1 to 4"),
        ({"x": [[1] * 5], "y": [[1] * 5]}, "row 0: channels of 5 values, one length from 1 to 4"),
        ({"x": [["a"]], "y": [[1]]}, r"column 'x', row 0: \['a'\] must be a list of finite"),
        ({"x": [[[1]]], "y": [[1]]}, "must be a list of finite numbers"),
        ({"x": [None], "y": [[1]]}, "column 'x', row 0: None must be a list"),
        ({"x": [3], "y": [[1]]}, "column 'x', row 0: 3 must be a list"),
        ({"x": [[float("inf")]], "y": [[1]]}, "must be a list of finite numbers"),
        ({"x": [{"a": 1}], "y": [[1]]}, "must be a list of finite numbers"),
    ],
    ids=range(10),
)
def test_what_is_no_series_is_one_sentence(columns: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        load_encoder(CONFIG, Path()).rows(columns)


@pytest.fixture(scope="module")
def waves(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DatasetRef]:
    """A long table of slow and fast waves with gaps, prepared."""
    folder = tmp_path_factory.mktemp("waves")
    (folder / "waves.csv").write_text(long_table(range(150)))
    settings = {"series": {"id": "id", "time": "when"}, "target": "speed", "kind": "series"}
    config = DataConfig.model_validate({"source": "waves.csv", **settings})
    return folder, snapshot(config, folder, folder, "waves")


def long_table(ids: range) -> str:
    lines = ["id,when,x,y,speed"]
    for i in ids:
        speed = 0.4 + 0.9 * (i % 2)
        for step in range(6 + i % 7):
            x = "" if step == 2 and i % 3 == 0 else f"{np.sin(speed * step + i):.4f}"
            lines.append(f"{i},{step},{x},{np.cos(speed * step + i):.4f},{'sf'[i % 2]}")
    return "\n".join(lines) + "\n"


def model_folder(config: StudentConfig, waves: tuple[Path, DatasetRef], target: Path) -> Path:
    train = split_rows(*waves, "train")
    blueprint = blueprint_of(config, waves[1], Rows(train.columns, train.labels))
    model = first_model(blueprint, seed=3)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(2)
    save_model(target, model.state_dict(), card_of(model, blueprint, waves[1].classes), {}, [])
    return target


@pytest.mark.parametrize(
    "config",
    [
        SeriesRnn(width=12),
        SeriesLstm(width=12, layers=2),
        SeriesGru(width=12, pooling="last"),
        SeriesGru(width=12, bidirectional=False),
        SeriesCnn(width=12),
    ],
    ids=["rnn", "lstm of 2 layers", "last gru", "gru one way", "cnn"],
)
def test_graph_and_model_agree_and_neighbours_change_no_bit(
    config: StudentConfig, waves: tuple[Path, DatasetRef], tmp_path: Path
) -> None:
    model, bundle = model_folder(config, waves, tmp_path / "model"), tmp_path / "bundle"
    columns = split_rows(*waves, "valid").columns
    export_bundle(model, bundle, "speed", columns)
    predictor = Predictor.load(bundle)
    found = predictor.probabilities(columns)
    assert prove_parity(model, bundle, columns, found).max_difference < 1e-5
    alone = [
        predictor.probabilities({name: [cells[row]] for name, cells in columns.items()})[0]
        for row in range(len(found))
    ]
    np.testing.assert_array_equal(found, alone)


@pytest.mark.parametrize(
    "config", [SeriesLstm(width=64), SeriesGru(width=64, layers=2)], ids=lambda c: c.model
)
def test_int8_survives_shared_weights(
    config: StudentConfig, waves: tuple[Path, DatasetRef], tmp_path: Path
) -> None:
    """The exporter names equal tensors once, behind Identity nodes."""
    columns = split_rows(*waves, "valid").columns
    model = model_folder(config, waves, tmp_path / "model")
    export_bundle(model, tmp_path / "bundle", "speed", columns)
    quantized(waves, tmp_path / "bundle", tmp_path / "int8")
    before, after = (
        Predictor.load(tmp_path / name).probabilities(columns) for name in ("bundle", "int8")
    )
    np.testing.assert_allclose(after, before, atol=0.05)


def test_the_baseline_is_the_one_of_scikit_learn_and_scores_a_long_table(
    waves: tuple[Path, DatasetRef], tmp_path: Path
) -> None:
    name, _, _ = save_baseline(*waves, tmp_path / "model")
    assert name == "statistics-logreg"
    test = split_rows(*waves, "test")
    export_bundle(tmp_path / "model", tmp_path / "bundle", "speed", test.columns)
    found = Predictor.load(tmp_path / "bundle").probabilities(test.columns)
    assert (found.argmax(axis=1) == test.labels).mean() > 0.9
    (tmp_path / "new.csv").write_text(long_table(range(200, 220)).replace(",speed", ",other"))
    assert score_file(tmp_path / "bundle", tmp_path / "new.csv", tmp_path / "out.jsonl") == 20
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == [str(i) for i in range(200, 220)]
    assert np.mean([row["label"] == row["other"] for row in rows]) > 0.9
