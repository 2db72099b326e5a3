"""Each variation of training texts by its property; labels and padding stay as they are."""

from collections import Counter
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from tasks.training.architectures import (
    EmbeddingPool,
    Lstm,
    MiniLM,
    NgramBag,
    PretrainedEncoder,
    Transformer,
)
from tasks.training.augments import augment_of
from tasks.training.config import TrainConfig
from tasks.training.course import Setting
from tasks.training.examples import Batch
from tasks.training.loop import train
from tasks.training.resume import restore
from tasks.training.text_architectures import BagAugmentConfig, TextAugmentConfig
from tasks.training.text_augment import TextAugment
from tests.in_process import Stop, StopAt

LENGTHS = [1, 2, 3, 4, 5, 9, 17, 40]


def batch(times: int = 1) -> Batch:
    """Rows of distinct ids from 1, padded with zeros."""
    lengths = LENGTHS * times
    ids, mask = np.zeros((len(lengths), 40), np.int64), np.zeros((len(lengths), 40), np.float32)
    for row, length in enumerate(lengths):
        ids[row, :length] = np.arange(1, length + 1)
        mask[row, :length] = 1
    inputs = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
    return Batch(inputs, torch.arange(len(lengths)) % 3, None)


def rows_of(varied: Batch) -> list[list[int]]:
    """The tokens of each row; padding must stand behind them, with id 0."""
    rows = []
    for ids, mask in zip(varied.inputs["input_ids"], varied.inputs["attention_mask"], strict=True):
        count = int((mask != 0).sum())
        assert (mask[:count] == 1).all()
        assert not ids[count:].any()
        rows.append(ids[:count].tolist())
    return rows


def varied(config: BagAugmentConfig, seed: int = 0, times: int = 1) -> Batch:
    return TextAugment(config, 3)(batch(times), np.random.default_rng(seed))


def test_dropout_leaves_out_about_its_share_and_keeps_the_order() -> None:
    rows = rows_of(varied(BagAugmentConfig(token_dropout=0.3), times=50))
    for row, length in zip(rows, LENGTHS * 50, strict=True):
        assert row == sorted(set(row))
        assert set(row) <= set(range(1, length + 1))
        assert row
    longest = [len(row) for row, length in zip(rows, LENGTHS * 50, strict=True) if length == 40]
    assert np.mean(longest) == pytest.approx(28, abs=1.5)


def test_the_first_and_the_last_token_of_an_ordered_text_stay() -> None:
    rows = rows_of(varied(TextAugmentConfig(token_dropout=0.5, token_swap=0.5), times=20))
    for row, length in zip(rows, LENGTHS * 20, strict=True):
        assert (row[0], row[-1]) == (1, length)
        assert length < 3 or len(row) >= 3


def test_swaps_exchange_neighbours_alone() -> None:
    moved = 0
    for row, length in zip(
        rows_of(varied(TextAugmentConfig(token_swap=0.4), times=50)), LENGTHS * 50, strict=True
    ):
        assert Counter(row) == Counter(range(1, length + 1))
        shifts = np.array(row) - np.arange(1, length + 1)
        assert np.abs(shifts).max() <= 1
        moved += int((shifts != 0).sum()) if length == 40 else 0
    # 19 pairs at most in 38 inner tokens, four in ten of them exchanged, two tokens each.
    assert moved / 50 == pytest.approx(0.4 * 38, abs=2)


def test_labels_and_teacher_stay() -> None:
    given = replace(batch(), teacher=torch.randn(8, 3))
    config = TextAugmentConfig(token_dropout=0.5, token_swap=0.5)
    found = TextAugment(config, 3)(given, np.random.default_rng(0))
    assert found.labels is given.labels
    assert found.teacher is given.teacher
    assert torch.equal(given.inputs["input_ids"], batch().inputs["input_ids"]), "not in place"


def test_the_same_draws_give_the_same_batch_and_others_another() -> None:
    config = TextAugmentConfig(token_dropout=0.3, token_swap=0.3)
    assert rows_of(varied(config, 1)) == rows_of(varied(config, 1))
    assert rows_of(varied(config, 1)) != rows_of(varied(config, 2))


@pytest.mark.parametrize("config", [MiniLM, Transformer, Lstm, NgramBag, EmbeddingPool])
def test_nothing_is_varied_unless_asked_for(config: type[TrainConfig]) -> None:
    assert augment_of(config(), None) is None


def test_order_says_nothing_to_a_bag() -> None:
    for config in (NgramBag, EmbeddingPool):
        assert config(augment={"token_dropout": 0.1}).augment.token_dropout == 0.1
        with pytest.raises(ValidationError, match="token_swap"):
            config(augment={"token_swap": 0.1})
    for config in (MiniLM, Transformer, Lstm):
        assert config(augment={"token_swap": 0.1}).augment.token_swap == 0.1
    assert PretrainedEncoder(pretrained="x", augment={"token_swap": 0.1}).augment.token_swap == 0.1


@pytest.mark.parametrize("value", [-0.1, 0.95])
def test_a_share_has_limits(value: float) -> None:
    with pytest.raises(ValidationError, match="token_dropout"):
        TextAugmentConfig(token_dropout=value)


def test_a_training_that_went_on_ends_as_one_that_never_stopped(toy: ModuleType) -> None:
    varies = TextAugment(TextAugmentConfig(token_dropout=0.2, token_swap=0.2), 3)
    course, material = replace(toy.toy_course(), augment=varies), toy.toy_material()

    whole, stop = toy.toy_state(course), StopAt(7)
    train(whole, course, material, Setting(toy.CPU))
    with pytest.raises(Stop):
        train(toy.toy_state(course), course, material, Setting(toy.CPU, observer=stop))
    resumed = toy.toy_state(course)
    restore(resumed, stop.checkpoint)
    train(resumed, course, material, Setting(toy.CPU))
    for name, weight in whole.trained_weights().items():
        assert torch.equal(weight, resumed.trained_weights()[name]), name
    plain = toy.toy_state(course)
    train(plain, toy.toy_course(), material, Setting(toy.CPU))
    assert not torch.equal(whole.model.head.weight, plain.model.head.weight)
