"""A model that learns with its form's rounding answers as that form does, and leaves no trace."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnxruntime import InferenceSession
from pydantic import ValidationError

from models.build import build_model
from tasks.artifacts import DatasetRef
from tasks.compression.config import (
    TRAINED_FOR,
    AwareConfig,
    CompressConfig,
    Precision,
    QuantizeConfig,
)
from tasks.compression.distil_config import DistilConfig
from tasks.compression.parts import AWARE, check_aware
from tasks.compression.precisions import WRITERS, prepared
from tasks.data.snapshot import split_rows
from tasks.packaging.export import export_graph
from tasks.packaging.predictor import Predictor
from tasks.training.architectures import Resnet, SmallLenet, Transformer
from tasks.training.course import Setting
from tasks.training.fake_quantization import fake_quantize
from tasks.training.job import first_state, material_of
from tasks.training.loop import train
from tasks.training.losses import LabelLoss
from tasks.training.model_folder import load_model, trained_blueprint
from tasks.training.recipes import Lesson, aware_job, student_job
from tests.in_process import CPU, exported, quantized, site_of, taught

ROWS = 5
DRAW = np.random.default_rng(1)
Feeds = Mapping[str, NDArray[Any]]
TOKENS: Feeds = {
    "input_ids": DRAW.integers(1, 64, (ROWS, 9)),
    "attention_mask": np.ones((ROWS, 9), np.int64),
}
BAG: Feeds = {**TOKENS, "attention_mask": DRAW.random((ROWS, 9), np.float32)}
TABLE: Feeds = {
    "numbers": DRAW.standard_normal((ROWS, 5), np.float32),
    "categories": DRAW.integers(0, 3, (ROWS, 2)),
}
PIXELS: Feeds = {"pixels": DRAW.random((ROWS, 1, 8, 8), np.float32)}
ENCODER = {"vocab_size": 64, "layers": 2, "width": 32, "heads": 4, "feed_forward": 64}
COLUMNS = {"numbers": 5, "categories": (3, 4)}
CASES: dict[str, tuple[str, dict[str, Any], Feeds]] = {
    **dict.fromkeys(("minilm", "encoder", "transformer"), ("text_encoder", ENCODER, TOKENS)),
    "shared": ("text_encoder", {**ENCODER, "share_layers": True}, TOKENS),
    "narrow": ("text_encoder", {**ENCODER, "embedding_rank": 8, "linear_rank": 8}, TOKENS),
    **{
        cell: ("recurrent_text", {"vocab_size": 64, "cell": cell}, TOKENS)
        for cell in ("rnn", "lstm", "gru")
    },
    "embedding_pool": ("embedding_pool", {"vocab_size": 64, "width": 32, "hidden": 8}, TOKENS),
    "ngram_bag": ("ngram_bag", {"buckets": 64, "width": 16, "hidden": 8}, BAG),
    "mlp": ("mlp", COLUMNS, TABLE),
    "mlp with texts": ("mlp", {**COLUMNS, "buckets": 64}, {**TABLE, **BAG}),
    "table_resnet": ("table_resnet", COLUMNS, TABLE),
    "ft_transformer": ("ft_transformer", {**COLUMNS, "width": 16}, TABLE),
    "lenet": ("lenet", {"size": 8}, PIXELS),
    "small_lenet": ("small_lenet", {"size": 8}, PIXELS),
}


class Fixed:
    """An encoder whose rows are encoded."""

    def __init__(self, feeds: Feeds) -> None:
        self._feeds, self.names = feeds, tuple(feeds)
        self.ragged_axes = (1,) if "input_ids" in feeds else ()

    def batch(self, rows: list[int]) -> Feeds:
        return {name: array[rows] for name, array in self._feeds.items()}


@pytest.mark.parametrize("precision", TRAINED_FOR)
@pytest.mark.parametrize("case", CASES)
def test_training_computes_what_the_form_does(
    case: str, precision: Precision, tmp_path: Path
) -> None:
    """Each row of a batch as the form answers it alone, and much nearer than in float."""
    family, shape, feeds = CASES[case]
    torch.manual_seed(1)
    model = build_model(family, {**shape, "num_classes": 3}).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(2)
    floats, whole = tmp_path / "float.onnx", tmp_path / "int8.onnx"
    export_graph(model, Fixed(feeds), list(range(ROWS)), floats)  # type: ignore[arg-type]
    WRITERS[precision](prepared(floats, precision), (), [], whole)
    graph = onnx.load(whole).graph
    floats = [w.name for w in graph.initializer if w.data_type == onnx.TensorProto.FLOAT]
    products = [node.input[1] for node in graph.node if node.op_type in ("MatMul", "Attention")]
    assert not set(products) & set(floats), "layers that share their weights are all in int8"
    session, encoder = InferenceSession(str(whole)), Fixed(feeds)
    found = np.concatenate([session.run(None, encoder.batch([row]))[0] for row in range(ROWS)])
    inputs = {name: torch.from_numpy(array) for name, array in feeds.items()}
    with torch.no_grad():
        before = model(**inputs).numpy()
        fake_quantize(model, precision)
        after = model(**inputs).numpy()
    # Numbers on the verge between two steps may fall to either side, by the last bit.
    assert (np.abs(after - found) < 1e-5).mean() >= 0.8
    assert np.abs(after - found).max() < 0.1 * np.abs(before - found).max()


def test_every_model_that_is_offered_was_compared() -> None:
    assert set(CASES) >= AWARE


CONFIG = Transformer(name="small", layers=1, width=32, heads=2, feed_forward=32, epochs=2)


@pytest.fixture(scope="module")
def made(
    small_dataset: tuple[Path, DatasetRef], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """A student, and what it became when it learned on with rounding."""
    work, site = tmp_path_factory.mktemp("aware"), site_of(*small_dataset)
    said = np.eye(3, dtype=np.float32)[split_rows(*small_dataset, "train").labels] * 4
    lesson = Lesson(DistilConfig(), said)
    student = taught(student_job(CONFIG, lesson, site), work / "student")
    form = QuantizeConfig(aware=AwareConfig(epochs=2, lr=1e-3))
    job = aware_job(CONFIG, form, lesson, site, trained_blueprint(student))
    assert (job.course.epochs, job.course.lr) == (2, 1e-3)
    return {"student": student, "aware": taught(job, work / "aware")}


def test_the_control_learns_as_one_whose_teacher_has_no_say(
    small_dataset: tuple[Path, DatasetRef], made: dict[str, Path]
) -> None:
    """As many steps with the same rounding, bit by bit."""
    site, student = site_of(*small_dataset), trained_blueprint(made["student"])
    form = QuantizeConfig(aware=AwareConfig(epochs=2, lr=1e-3))
    said = np.zeros((small_dataset[1].rows["train"], 3), np.float32)
    silent = aware_job(CONFIG, form, Lesson(DistilConfig(weight=0), said), site, student)
    control = aware_job(CONFIG, form, None, site, student)
    assert control.course == replace(silent.course, loss=LabelLoss())
    assert control.course.fake_quantized == "int8"
    weights = []
    for job in (control, silent):
        state = first_state(job, CPU)
        train(state, job.course, material_of(job), Setting(CPU))
        weights.append(state.trained_weights())
    for name, weight in weights[0].items():
        assert torch.equal(weight, weights[1][name])


def test_nothing_of_the_training_is_deployed(
    made: dict[str, Path], small_dataset: tuple[Path, DatasetRef], tmp_path: Path
) -> None:
    names = [set(load_model(folder)[0].state_dict()) for folder in made.values()]
    assert names[0] == names[1]
    for name, folder in made.items():
        exported(*small_dataset, folder, tmp_path / name)
    sizes = [(tmp_path / name / "model.onnx").stat().st_size for name in made]
    assert sizes[0] == sizes[1]


def test_the_bundle_answers_as_it_was_trained_to(
    made: dict[str, Path],
    small_dataset: tuple[Path, DatasetRef],
    tmp_path: Path,
) -> None:
    exported(*small_dataset, made["aware"], tmp_path / "float")
    quantized(small_dataset, tmp_path / "float", tmp_path / "int8")
    columns = split_rows(*small_dataset, "valid").columns
    found = Predictor.load(tmp_path / "int8").probabilities(columns)
    before = Predictor.load(tmp_path / "float").probabilities(columns)
    model, encoder, _ = load_model(made["aware"])
    fake_quantize(model, "int8")
    rows = encoder.rows(columns)
    batches = [encoder.batch(rows[place : place + 1]) for place in range(len(rows))]
    with torch.no_grad():
        answers = [model(**{n: torch.from_numpy(a) for n, a in b.items()}) for b in batches]
    trained = torch.cat(answers).softmax(1).numpy()
    assert np.abs(trained - found).max() < 0.05 * np.abs(before - found).max()


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ({"aware": True}, "int8-aware"),
        ({"aware": {"epochs": 2}}, "int8-aware"),
        ({"aware": False}, "int8"),
    ],
)
def test_a_form_may_be_trained_for(value: object, name: str) -> None:
    [form] = CompressConfig(quantize=value).quantize  # type: ignore[arg-type]
    assert form.name == name
    assert QuantizeConfig.model_validate(form.model_dump(mode="json")) == form


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"precision": "int8-static", "aware": True}, "aware of int8-static, keep none: training"),
        (
            {"aware": True, "keep": "auto"},
            "aware of int8, keep auto: training computes as int8 and int8-int4",
        ),
        ({"aware": {"epochs": 0}}, "greater than 0"),
        ([{"aware": True}, {"aware": {"epochs": 3}}], "int8-aware stands twice"),
    ],
)
def test_what_training_cannot_compute_is_refused(value: object, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        CompressConfig(quantize=value)  # type: ignore[arg-type]


def test_a_form_that_no_model_can_learn_for_is_refused() -> None:
    forms = [QuantizeConfig(aware=AwareConfig())]
    with pytest.raises(ValueError, match="aware: none of resnet can learn with the rounding"):
        check_aware(forms, [Resnet(name="res")])
    check_aware(forms, [Resnet(name="res"), SmallLenet(name="small")])
    check_aware([QuantizeConfig()], [Resnet(name="res")])
