"""Shares of several teachers: those of a search over all mixtures, and what students are given."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax

from tasks.artifacts import DatasetRef
from tasks.compression.distil_config import DistilConfig
from tasks.training.architectures import NgramBag
from tasks.training.hints import mean_lesson
from tasks.training.recipes import Lesson, student_job
from tasks.training.teacher_shares import MOST_NUMBERS, shares_by_quality
from tests.in_process import site_of


def teachers(*noise: float, rows: int = 400, seed: int = 3) -> tuple[list[np.ndarray], np.ndarray]:
    """Logits [N, 3] of teachers that are so unsure, and the labels."""
    random = np.random.default_rng(seed)
    labels = random.integers(3, size=rows)
    right = 2.0 * np.eye(3)[labels]
    found = [(right + random.normal(0, each, (rows, 3))).astype(np.float32) for each in noise]
    return found, labels


def test_shares_are_the_best_of_all_mixtures() -> None:
    said, labels = teachers(1.0, 1.5, 2.5)
    shares = shares_by_quality(said, labels)
    assert sum(shares) == pytest.approx(1)
    probabilities, truth = [softmax(each, axis=1) for each in said], np.eye(3)[labels]

    def wrong(weights: tuple[float, ...]) -> float:
        mixed = sum(w * p for w, p in zip(weights, probabilities, strict=True))
        return float(((mixed - truth) ** 2).sum())

    grid = np.linspace(0, 1, 41)
    tried = [(a, b, 1 - a - b) for a, b in product(grid, grid) if a + b <= 1]
    best = min(tried, key=wrong)
    assert wrong(shares) <= wrong(best) + 1e-6
    np.testing.assert_allclose(shares, best, atol=0.03)
    assert shares[0] > shares[1] > shares[2]


def test_shares_of_numbers_are_the_closed_form_of_two() -> None:
    random = np.random.default_rng(4)
    truth = random.normal(size=300)
    first, second = truth + random.normal(0, 0.5, 300), truth + random.normal(0, 1, 300)
    apart = first - second
    expected = float(((truth - second) @ apart) / (apart @ apart))
    said = [each.astype(np.float32)[:, None] for each in (first, second)]
    shares = shares_by_quality(said, truth)
    np.testing.assert_allclose(shares, (expected, 1 - expected), atol=1e-4)
    # One that is the other and noise has nothing to say.
    worse = [said[0], said[0] + 3 * (said[0] - truth[:, None].astype(np.float32))]
    np.testing.assert_allclose(shares_by_quality(worse, truth), (1, 0), atol=1e-4)


def test_of_very_many_answers_some_are_looked_at() -> None:
    rows = MOST_NUMBERS // 3
    said, labels = teachers(1.0, 4.0, rows=rows)
    shares = shares_by_quality(said, labels)
    few = shares_by_quality([each[::4] for each in said], labels[::4])
    np.testing.assert_allclose(shares, few, atol=0.02)


def test_a_lesson_is_the_weighted_mean_of_softened_answers() -> None:
    said, _ = teachers(1.0, 1.5, 2.5, rows=20)
    shares = (0.5, 0.5, 0.0)
    mean = mean_lesson(np.concatenate(said, 1), 3, 3, 2.0, shares)
    expected = sum(w * softmax(each / 2, axis=1) for w, each in zip(shares, said, strict=True))
    np.testing.assert_allclose(softmax(mean / 2, axis=1), expected, rtol=1e-5)
    numbers = np.array([[1, 5], [2, 6]], np.float32)
    np.testing.assert_allclose(mean_lesson(numbers, 2, 1, 2.0, (0.25, 0.75)), [[4], [5]])
    even = mean_lesson(np.concatenate(said, 1), 3, 3, 2.0)
    thirds = mean_lesson(np.concatenate(said, 1), 3, 3, 2.0, (1 / 3, 1 / 3, 1 / 3))
    np.testing.assert_array_equal(even, thirds)


def test_a_student_is_taught_by_the_shares(small_dataset: tuple[Path, DatasetRef]) -> None:
    said, _ = teachers(1.0, 2.0, rows=small_dataset[1].rows["train"])
    lesson = Lesson(DistilConfig(teachers=2), np.concatenate(said, 1), shares=(0.0, 1.0))
    bag = NgramBag(name="bag", buckets=1024, width=8)
    given = student_job(bag, lesson, site_of(*small_dataset)).train.teacher
    assert given is not None
    np.testing.assert_allclose(softmax(given, axis=1), softmax(said[1], axis=1), atol=1e-5)
    alike = student_job(bag, replace(lesson, shares=()), site_of(*small_dataset)).train.teacher
    assert alike is not None
    assert np.abs(alike - given).max() > 0.1
