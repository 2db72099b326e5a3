"""Texts from a project's words to a predictor that writes, and to the gate's decision."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tasks.artifacts import Candidate, Cost, DatasetRef, EvalReport, Latency
from tasks.compression.distil_config import DistilConfig
from tasks.data.config import DataConfig
from tasks.data.snapshot import split_rows
from tasks.evaluation.baseline import save_baseline
from tasks.evaluation.isolation import answers, cost_figures
from tasks.evaluation.quality import report_of
from tasks.evaluation.samples import write_samples
from tasks.evaluation.scoring import score_file
from tasks.packaging.bundle import bundle_bytes, read_facts
from tasks.packaging.card import card_text
from tasks.packaging.export import export_bundle, prove_parity
from tasks.packaging.predictor import Predictor
from tasks.promotion.bits import bits_difference
from tasks.promotion.config import GatePolicy
from tasks.promotion.sample_answer import example_and_answer, settings_of
from tasks.training.answers import logits_of
from tasks.training.architectures import StudentConfig
from tasks.training.course import Setting
from tasks.training.examples import encode
from tasks.training.job import TrainingJob
from tasks.training.language_architectures import CausalTransformer, LstmLanguage
from tasks.training.model_folder import load_model
from tasks.training.objectives import kept_for_students
from tasks.training.recipes import Lesson, student_job
from tests.in_process import CPU, quantized, site_of, snapshot, taught

Data = tuple[Path, DatasetRef]
WHO = ("the crew", "a pilot", "my bag", "our seat", "the gate")
WHAT = ("was late", "is lost", "had gone", "never came", "left at noon")
WHERE = ("in Boston", "near the door", "on Monday", "with the others", "again")
SMALL = CausalTransformer(
    name="small",
    epochs=12,
    vocab_size=300,
    layers=1,
    width=32,
    heads=2,
    feed_forward=64,
    dropout=0.0,
)
LSTM = LstmLanguage(name="lstm", epochs=2, vocab_size=300, embedding=16, width=32, dropout=0.0)


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Data:
    """A snapshot of 375 sentences of few words, and its reference."""
    folder = tmp_path_factory.mktemp("notes")
    lines = [
        f"{a} {b} {c}{'.' * (1 + n)}" for a in WHO for b in WHAT for c in WHERE for n in range(3)
    ]
    (folder / "notes.txt").write_text("\n\n".join(lines))
    config = DataConfig.model_validate(
        {"source": "notes.txt", "task": "generation", "split": {"group_by": None}}
    )
    return folder, snapshot(config, folder, folder, "notes")


def job_of(notes: Data, config: StudentConfig, lesson: Lesson | None = None) -> TrainingJob:
    return student_job(config, lesson, site_of(*notes))


@pytest.fixture(scope="module")
def teacher(notes: Data, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return taught(job_of(notes, SMALL), tmp_path_factory.mktemp("model"))


def exported(model: Path, bundle: Path, notes: Data) -> Path:
    export_bundle(model, bundle, "", split_rows(*notes, "valid").columns)
    return bundle


@pytest.fixture(scope="module")
def bundle(teacher: Path, notes: Data, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(teacher, tmp_path_factory.mktemp("bundle") / "small", notes)


@pytest.fixture(scope="module")
def floor(notes: Data, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The n-gram model as a bundle."""
    folder = tmp_path_factory.mktemp("floor")
    name, _, _ = save_baseline(*notes, folder / "model")
    assert name == "kneser-ney-trigram"
    return exported(folder / "model", folder / "bundle", notes)


def report_on(bundle: Path, notes: Data, found: np.ndarray) -> EvalReport:
    candidate = Candidate(
        name="small", role="student", parent="teacher", uri="", sha256="3" * 64,
        size_bytes=bundle_bytes(bundle), params=1, model_sha256="4" * 64,
    )  # fmt: skip
    cost = Cost(latency_ms=Latency(p50=0.5, p95=0.9), rows_per_second=9, peak_memory_mb=80)
    return report_of(candidate, cost, split_rows(*notes, "test"), notes[1], (found, ""), "test")


def test_a_model_learns_exports_and_is_as_likely_as_in_torch(
    notes: Data, teacher: Path, bundle: Path
) -> None:
    valid = split_rows(*notes, "valid")
    found = answers(bundle, valid.columns)
    assert found.shape == (len(valid), 3)
    assert prove_parity(teacher, bundle, valid.columns, found).differing == 0
    texts = valid.columns["text"]
    assert found[:, 2].tolist() == [len(text.encode()) for text in texts]
    history = json.loads((teacher / "history.json").read_text())
    losses = [point["valid/loss"] for point in history if "valid/loss" in point]
    assert min(losses) < 0.5 * losses[0]
    exact = found.sum(axis=0, dtype=np.float64)
    assert exact[0] / exact[1] == pytest.approx(min(losses), rel=1e-4)


def test_a_report_has_bits_perplexity_and_intervals(notes: Data, bundle: Path) -> None:
    found = answers(bundle, split_rows(*notes, "test").columns)
    report = report_on(bundle, notes, found)
    nats, tokens, many_bytes = found.sum(axis=0, dtype=np.float64)
    assert report.metrics["bits_per_byte"] == pytest.approx(nats / np.log(2) / many_bytes)
    assert report.metrics["bits_saved"] == pytest.approx(8 - report.metrics["bits_per_byte"])
    assert report.metrics["perplexity"] == pytest.approx(np.exp(nats / tokens))
    for name in ("bits_saved", "bits_per_byte", "perplexity"):
        low, high = report.intervals[name]
        assert low < report.metrics[name] < high
    text = card_text(bundle, notes[1], [report])
    for part in (
        "Goes on writing where a text in `text` ends",
        "| bits per byte |",
        "no statement",
    ):
        assert part in text
    assert "calibration" not in text


def test_the_gate_compares_bytes_whatever_the_tokens(
    notes: Data, bundle: Path, floor: Path
) -> None:
    columns = split_rows(*notes, "test").columns
    ours, theirs = answers(bundle, columns), answers(floor, columns)
    policy = GatePolicy(metric="bits_saved")
    difference = bits_difference(ours, theirs, policy)
    sums = [a.sum(axis=0, dtype=np.float64) for a in (ours, theirs)]
    expected = (sums[1][0] - sums[0][0]) / np.log(2) / sums[0][2]
    assert difference.value == pytest.approx(expected)
    assert difference.low < difference.value < difference.high
    back = bits_difference(theirs, ours, policy)
    assert (back.value, back.low) == pytest.approx((-difference.value, -difference.high), abs=1e-3)
    assert bits_difference(ours, ours, policy).high == 0
    assert "bits_saved" in str(difference)
    with pytest.raises(ValueError, match="needs the same texts, at least 2"):
        bits_difference(ours, theirs[::-1], policy)
    with pytest.raises(ValueError, match="needs the same texts"):
        bits_difference(ours[:1], theirs[:1], policy)


def test_a_student_learns_from_the_likeliest_tokens_of_its_teacher(
    notes: Data, teacher: Path, tmp_path: Path
) -> None:
    model, encoder, _ = load_model(teacher)
    rows = split_rows(*notes, "train")
    examples = encode(encoder, rows.columns, rows.labels)
    kept = kept_for_students("generation", max(examples.lengths))
    logits = logits_of(model, encoder, examples, Setting(CPU), kept)
    job = job_of(notes, LSTM, Lesson(DistilConfig(), logits))
    folder = taught(job, tmp_path / "student")
    found = answers(exported(folder, tmp_path / "bundle", notes), rows.columns)
    assert found[:, 0].sum() / found[:, 1].sum() < np.log(300)
    with pytest.raises(ValueError, match="rows are taught, with"):
        job_of(notes, LSTM, Lesson(DistilConfig(), logits[:9]))


def test_a_compressed_model_is_nearly_as_likely(notes: Data, bundle: Path, tmp_path: Path) -> None:
    columns = split_rows(*notes, "test").columns
    quantized(notes, bundle, tmp_path / "int8")
    assert read_facts(tmp_path / "int8").batch_rows == 1
    sums = [answers(b, columns).sum(axis=0) for b in (bundle, tmp_path / "int8")]
    assert sums[1][0] == pytest.approx(sums[0][0], rel=0.05)


def test_the_predictor_writes_and_is_told_how(bundle: Path) -> None:
    predictor = Predictor.load(bundle)
    prompt = {"text": ["the crew", ""]}
    greedy = predictor.answer(prompt, {"temperature": 0, "max_tokens": 30})
    assert (
        greedy["continuation"]
        == predictor.answer(prompt, {"top_k": 1, "max_tokens": 30})["continuation"]
    )
    known, strange = predictor.answer({"text": ["a pilot is lost again..", "zq xv kjw qqz"]})[
        "bits_per_byte"
    ]
    assert 2 * known < strange
    drawn = predictor.answer(prompt, {"seed": 1})
    assert drawn == predictor.answer(prompt, {"seed": 1})
    assert drawn["continuation"] != predictor.answer(prompt, {"seed": 2})["continuation"]
    assert list(drawn) == ["continuation", "bits_per_byte"]
    with pytest.raises(ValueError, match="'heat' is unknown, sampling takes"):
        predictor.answer(prompt, {"heat": 2})


def test_a_file_of_prompts_is_written_on(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "prompts.txt").write_text("the crew\n\na pilot")
    rows = score_file(bundle, tmp_path / "prompts.txt", tmp_path / "out.jsonl", {"max_tokens": 3})
    answered = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert rows == len(answered) == 2
    assert list(answered[0]) == ["text", "file", "continuation", "bits_per_byte"]
    with pytest.raises(ValueError, match="max_tokens -3 must be a whole number from 1 to 4096"):
        score_file(bundle, tmp_path / "prompts.txt", tmp_path / "x.csv", {"max_tokens": -3})
    assert not (tmp_path / "x.csv").exists()


def test_a_model_of_classes_takes_no_sampling(make_bundle: Any) -> None:
    predictor = Predictor.load(make_bundle("ngram_bag"))
    assert predictor.settings == {}
    with pytest.raises(ValueError, match="temperature is for models that write texts"):
        predictor.answer({"text": ["late"]}, {"temperature": 1})


def test_mlflow_hands_parameters_on(
    bundle: Path, notes: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.models import infer_signature
    from mlflow.pyfunc import PythonModelContext

    import tasks.packaging.predictor as package
    from infra.pyfunc_model import BundleModel

    monkeypatch.setitem(sys.modules, "predictor", package)
    model = BundleModel()
    model.load_context(PythonModelContext({"bundle": str(bundle)}, {"threads": 2}))
    frame = pd.DataFrame({"text": ["the crew"]})
    settings = settings_of(bundle)
    assert settings["temperature"] == 0.8
    told = model.predict(None, frame, settings | {"max_tokens": 1})
    assert (
        told["continuation"][0]
        == Predictor.load(bundle).answer({"text": ["the crew"]}, {"max_tokens": 1})["continuation"][
            0
        ]
    )
    example, answer = example_and_answer(bundle, *notes)
    signature = infer_signature(example, answer, settings)
    assert {p.name for p in signature.params} == set(settings)


def test_what_writing_costs_is_a_figure_of_its_own(bundle: Path, notes: Data) -> None:
    columns = split_rows(*notes, "valid").take(np.arange(9)).columns
    figures = cost_figures(bundle, columns)
    assert figures["tokens_per_second"] > 0
    assert set(figures) == {"tokens_per_second", "rows_per_second", "peak_memory_mb"}


def test_a_page_of_continuations(bundle: Path, notes: Data, tmp_path: Path) -> None:
    rows = split_rows(*notes, "valid")
    page = write_samples(bundle, rows, tmp_path / "a" / "page.md").read_text()
    assert page.count("\n> **") == 6
    assert page == write_samples(bundle, rows, tmp_path / "again.md").read_text()
