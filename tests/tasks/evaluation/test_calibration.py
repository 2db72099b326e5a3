"""Temperature scaling against a second way to the same optimum, and what it may not change."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from tasks.artifacts import DatasetRef
from tasks.data.snapshot import split_rows
from tasks.evaluation.calibration import (
    MOST,
    calibration_of,
    fit_temperature,
    mean_loss,
    without_temperature,
)
from tasks.evaluation.metrics import calibration_error
from tasks.packaging.bundle import bundle_with_temperature, read_facts
from tasks.packaging.manifest import verify_manifest
from tasks.packaging.predictor import Predictor


def overconfident(rows: int, factor: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits, float32 probabilities of `factor` times the logits, labels drawn from the logits."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 1.5, (rows, 4))
    shares = softmax(logits, axis=1)
    labels = np.array([random.choice(4, p=share) for share in shares])
    return logits, softmax(logits * factor, axis=1).astype(np.float32), labels


def root_of_the_slope(logits: np.ndarray, labels: np.ndarray) -> float:
    """Where the loss is flat in 1 / T: the expected logit equals the mean logit of the labels."""
    told = logits[np.arange(len(labels)), labels].mean()

    def slope(inverse: float) -> float:
        return float((softmax(logits * inverse, axis=1) * logits).sum(axis=1).mean() - told)

    return 1 / float(brentq(slope, 1e-3, 1e3, xtol=1e-14))


@pytest.mark.parametrize("factor", [0.4, 1.0, 2.5, 6.0])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_temperature_is_where_the_loss_is_flat(factor: float, seed: int) -> None:
    logits, found, labels = overconfident(800, factor, seed)
    expected = root_of_the_slope(logits * factor, labels)
    assert fit_temperature(found, labels) == pytest.approx(expected, rel=1e-4)
    assert fit_temperature(found, labels) == pytest.approx(factor, rel=0.2), "what was done to it"


def test_a_grid_finds_nothing_likelier() -> None:
    logits, found, labels = overconfident(300, 3.0, 3)
    best = mean_loss(3 * logits / fit_temperature(found, labels), labels)
    grid = [mean_loss(3 * logits / t, labels) for t in np.geomspace(0.1, MOST, 2000)]
    assert best <= min(grid) + 1e-9


def test_it_is_never_worse_on_the_rows_that_it_was_fitted_on() -> None:
    for seed in range(20):
        _, found, labels = overconfident(40, 2.0 ** (seed % 5 - 2), seed)
        temperature = fit_temperature(found, labels)
        logits = np.log(found.astype(np.float64))
        assert mean_loss(logits / temperature, labels) <= mean_loss(logits, labels)


def test_rows_without_a_mistake_leave_confidence_as_it_is() -> None:
    found = np.array([[0.6, 0.4], [0.3, 0.7]], np.float32)
    assert fit_temperature(found, np.array([0, 1])) == 1.0
    assert fit_temperature(found, np.array([0, 0])) > 1.0


def test_a_probability_of_zero_is_survived() -> None:
    found = np.array([[1.0, 0.0]] * 5 + [[0.0, 1.0]], np.float32)
    assert fit_temperature(found, np.array([0, 0, 0, 0, 1, 0])) == pytest.approx(MOST)


def test_dividing_and_undoing_it_is_the_identity() -> None:
    logits, _, labels = overconfident(200, 1.0, 4)
    plain = softmax(logits, axis=1).astype(np.float32)
    divided = softmax(logits / 1.7, axis=1).astype(np.float32)
    np.testing.assert_allclose(without_temperature(divided, 1.7), plain, atol=1e-6)
    told = calibration_of(divided, labels, 1.7)
    assert told.error_before == pytest.approx(calibration_error(plain, labels), abs=1e-6)
    assert told.error_after == calibration_error(divided, labels)


@pytest.mark.parametrize("family", ["text_encoder", "ngram_bag"])
def test_a_bundle_divides_its_logits_and_keeps_its_answers(
    make_bundle: Callable[[str], Path],
    small_dataset: tuple[Path, DatasetRef],
    tmp_path: Path,
    family: str,
) -> None:
    source, rows = make_bundle(family), split_rows(*small_dataset, "valid")
    before = Predictor.load(source).probabilities(rows.columns)
    digest = bundle_with_temperature(source, tmp_path / "bundle", 2.5)
    verify_manifest(tmp_path / "bundle")
    assert digest != json.loads((source / "manifest.json").read_text())["digest"]
    after = Predictor.load(tmp_path / "bundle").probabilities(rows.columns)
    np.testing.assert_allclose(after, softmax(np.log(before) / 2.5, axis=1), atol=1e-6)
    np.testing.assert_array_equal(after.argmax(axis=1), before.argmax(axis=1))


def test_a_bundle_from_before_there_was_a_temperature_answers(
    make_bundle: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = shutil.copytree(make_bundle("ngram_bag"), tmp_path / "bundle")
    facts = json.loads((folder / "predictor.json").read_text())
    assert facts.pop("temperature") == 1.0
    (folder / "predictor.json").write_text(json.dumps(facts))
    assert read_facts(folder).temperature == 1.0
    assert Predictor.load(folder).answer({"text": ["late"]})["label"]


def test_a_real_model_that_is_too_sure_is_set_right_on_rows_it_never_saw() -> None:
    """Handwritten digits: a linear model without a penalty is surer than it is right."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(7).permutation(len(labels))
    train, valid, test = np.split(order, [400, 1000])
    model = LogisticRegression(C=1e4, max_iter=2000).fit(pixels[train] / 16, labels[train])
    found, unseen = (
        model.predict_proba(pixels[rows] / 16).astype(np.float32) for rows in (valid, test)
    )
    temperature = fit_temperature(found, labels[valid])
    divided = softmax(np.log(np.maximum(unseen, 1e-37)) / temperature, axis=1).astype(np.float32)
    told = calibration_of(divided, labels[test], temperature)
    assert temperature > 1.5
    assert told.error_after < 0.6 * told.error_before
    assert told.log_loss_after < told.log_loss_before
