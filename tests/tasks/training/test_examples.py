"""Choosing rows by class."""

from types import ModuleType

import numpy as np
import pytest
import torch

from tasks.training.examples import Examples, make_batch, stratified_rows

LABELS = np.array([0] * 600 + [1] * 300 + [2] * 100)


@pytest.mark.parametrize("max_rows", [50, 100, 333])
def test_each_class_keeps_its_share(max_rows: int) -> None:
    chosen = stratified_rows(LABELS, max_rows, seed=7)
    assert len(chosen) == max_rows
    assert (np.diff(chosen) > 0).all()
    counts = np.bincount(LABELS[chosen])
    assert np.abs(counts - max_rows * np.array([0.6, 0.3, 0.1])).max() <= 1


def test_fewer_rows_are_among_more() -> None:
    few, more = stratified_rows(LABELS, 100, seed=7), stratified_rows(LABELS, 200, seed=7)
    assert set(few) <= set(more)


@pytest.mark.parametrize("max_rows", [None, 1000, 5000])
def test_without_a_limit_all_stay(max_rows: int | None) -> None:
    assert stratified_rows(LABELS, max_rows, seed=7).tolist() == list(range(1000))


def test_ragged_batches_are_as_wide_as_a_multiple_of_eight(toy: ModuleType) -> None:
    examples = toy.toy_examples(10, seed=1)
    batch = make_batch(toy.ToyEncoder(), examples, torch.device("cpu"))
    assert batch.inputs["input_ids"].shape == (10, 16)
    assert batch.inputs["attention_mask"][:, max(examples.lengths) :].sum() == 0


def test_rows_of_one_length_are_left_alone(toy: ModuleType) -> None:
    examples = Examples([[1, 2, 3]] * 4, [3] * 4, np.zeros(4, dtype=np.int64))
    batch = make_batch(toy.ToyEncoder(), examples, torch.device("cpu"))
    assert batch.inputs["input_ids"].shape == (4, 3)
