"""Rows without labels in a training: the teacher's term alone, the same batches, the same end."""

from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, rel_entr, softmax
from torch.nn import functional

from tasks.artifacts import DatasetRef
from tasks.compression.distil_config import DistilConfig
from tasks.sweep.apart import why_apart
from tasks.training.absent import UNLABELLED, absent, is_labelled
from tasks.training.answers import logits_of
from tasks.training.architectures import NgramBag
from tasks.training.course import Course, Setting
from tasks.training.examples import Batch, Examples, drawn_rows, stratified_rows
from tasks.training.image_architectures import ImageAugmentConfig
from tasks.training.image_augment import ImageAugment
from tasks.training.job import Rows, first_state, material_of
from tasks.training.loop import train
from tasks.training.losses import DistilLoss, NumberLoss, label_loss
from tasks.training.recipes import Lesson, student_job
from tasks.training.text_architectures import Transformer
from tests.in_process import CPU, site_of
from tests.tasks.training.killed_training import undisturbed_and_resumed

LOSS = DistilLoss(temperature=2.0, weight=0.7, smoothing=0.1)
STUDENT = Transformer(
    name="small", layers=1, width=16, heads=2, feed_forward=32, epochs=2, vocab_size=256,
    batch_size=16,
)  # fmt: skip


def numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_what_has_no_label_has_the_teachers_term_alone() -> None:
    logits, teacher = numbers(4, 3, seed=1), numbers(4, 3, seed=2)
    labels = torch.tensor([2, UNLABELLED, 0, UNLABELLED])
    own, theirs = logits.double().numpy(), teacher.double().numpy()
    soft = 4 * rel_entr(softmax(theirs / 2, axis=1), softmax(own / 2, axis=1)).sum(1)
    truth = np.eye(3)[[2, 0, 0, 0]] * 0.9 + 0.1 / 3
    hard = -(truth * log_softmax(own, axis=1)).sum(1) * np.array([1, 0, 1, 0])
    np.testing.assert_allclose(LOSS(logits, labels, teacher), 0.7 * soft + 0.3 * hard, rtol=1e-5)


def test_its_gradient_is_that_of_the_softened_answer() -> None:
    """T w (p - q), where p and q are softened by T: the closed form of arXiv:1503.02531."""
    logits, teacher = numbers(2, 3, seed=3).requires_grad_(), numbers(2, 3, seed=4)
    LOSS(logits, torch.tensor([UNLABELLED, UNLABELLED]), teacher).sum().backward()
    expected = 2 * 0.7 * ((logits.detach() / 2).softmax(1) - (teacher / 2).softmax(1))
    torch.testing.assert_close(logits.grad, expected)


def test_shares_of_classes_may_be_missing_in_part() -> None:
    """A picture that is a third of a labelled one has a third of its term, smoothed or not."""
    logits = numbers(3, 4, seed=5)
    whole = functional.one_hot(torch.tensor([1, 2, 0]), 4).float()
    for smoothing in (0.0, 0.2):
        of_labels = label_loss(logits, torch.tensor([1, 2, 0]), smoothing)
        torch.testing.assert_close(label_loss(logits, whole, smoothing), of_labels)
        torch.testing.assert_close(label_loss(logits, whole / 3, smoothing), of_labels / 3)
        assert label_loss(logits, whole * 0, smoothing).tolist() == [0.0] * 3


def test_a_number_that_is_missing_is_learned_from_the_teacher() -> None:
    found, teacher = numbers(3, 1, seed=6).requires_grad_(), numbers(3, 1, seed=7)
    labels = torch.tensor([0.5, float("nan"), float("nan")])
    loss = NumberLoss(weight=0.6)(found, labels, teacher)
    loss.sum().backward()
    apart = (found - teacher).detach()[:, 0]
    own = (found.detach()[:, 0] - labels).nan_to_num()
    torch.testing.assert_close(loss.detach(), 0.6 * apart**2 + 0.4 * own**2)
    assert found.grad is not None
    torch.testing.assert_close(found.grad[:, 0], 2 * (0.6 * apart + 0.4 * own))


def test_mixed_pictures_keep_the_share_of_what_has_a_label() -> None:
    pixels, teacher = numbers(6, 1, 8, 8, seed=8), numbers(6, 3, seed=9)
    labels = torch.tensor([0, UNLABELLED, 2, UNLABELLED, 1, UNLABELLED])
    batch = Batch({"pixels": pixels}, labels, teacher)
    augment = ImageAugment(ImageAugmentConfig(mixup=0.4), 3)
    mixed = augment(batch, np.random.default_rng(3))
    shares, known = mixed.labels.sum(1), (labels >= 0).float()
    assert ((shares > 0) & (shares < 1)).any()
    mixed_all = augment(replace(batch, labels=labels.clamp(min=0)), np.random.default_rng(3))
    torch.testing.assert_close(mixed_all.labels.sum(1), torch.ones(6))
    assert (mixed.labels <= mixed_all.labels + 1e-6).all()
    assert float(shares.sum()) == pytest.approx(float(known.sum()), abs=1.5)


@pytest.mark.parametrize("like", [np.zeros(1, np.int64), np.zeros(1, np.float32)])
def test_a_missing_label_is_told_from_every_label(like: np.ndarray) -> None:
    labels = np.append(like, absent(2, like))
    assert labels.dtype == like.dtype
    assert is_labelled(labels).tolist() == [True, False, False]


def test_fewer_rows_are_drawn_in_the_same_share_of_both() -> None:
    labels = np.append(np.arange(100) % 4, np.full(300, UNLABELLED))
    chosen = drawn_rows(labels, 40, seed=5)
    np.testing.assert_array_equal(chosen[:40], stratified_rows(labels[:100], 40, 5))
    assert len(chosen) == 160
    assert len(set(chosen.tolist())) == 160
    assert drawn_rows(labels, None, seed=5).tolist() == list(range(400))
    own = labels[:100]
    np.testing.assert_array_equal(drawn_rows(own, 40, 5), stratified_rows(own, 40, 5))


def test_rows_are_joined_behind_the_labelled_ones() -> None:
    rows = Rows({"text": ["a", "b"]}, np.array([1, 0]), weights=np.array([2.0, 3.0]))
    both = rows.with_unlabelled({"text": ["c"], "other": ["x"]})
    assert both.columns == {"text": ["a", "b", "c"]}
    assert both.labels.tolist() == [1, 0, UNLABELLED]
    assert both.weights is not None
    assert both.weights.tolist() == [2, 3, 1]
    assert both.labelled.columns == rows.columns
    assert rows.labelled is rows
    assert rows.with_unlabelled({}) is rows


def lesson_for(dataset: DatasetRef, rows: int = 60, **distil: float) -> Lesson:
    """A teacher that goes by the first word, whatever a row's label says."""
    texts = [f"{['awful', 'usual', 'lovely'][row % 3]} crew {row} zebra" for row in range(rows)]
    answers = np.zeros((dataset.rows["train"] + rows, 3), np.float32)
    answers[np.arange(len(answers)), np.arange(len(answers)) % 3] = 6.0
    return Lesson(DistilConfig.model_validate(distil), answers, {"text": texts})


def test_a_student_has_its_controls_shape_and_more_rows(
    small_dataset: tuple[Path, DatasetRef],
) -> None:
    site, dataset = site_of(*small_dataset), small_dataset[1]
    job, control = student_job(STUDENT, lesson_for(dataset), site), student_job(STUDENT, None, site)
    assert job.blueprint == control.blueprint
    assert (len(job.train), len(control.train)) == (150, 90)
    assert (~is_labelled(job.train.labels)).sum() == 60
    few = student_job(STUDENT.model_copy(update={"max_rows": 30}), lesson_for(dataset), site)
    assert is_labelled(few.train.labels).sum() == 30
    assert len(few.train) == 50
    assert "rows without labels" in str(why_apart([job, job]))
    short = replace(lesson_for(dataset), unlabelled={"text": ["one"]})
    with pytest.raises(ValueError, match=r"\(150, 3\), 91 rows are taught, with 3 answers each"):
        student_job(STUDENT, short, site)


def test_a_killed_training_goes_on_bit_by_bit(small_dataset: tuple[Path, DatasetRef]) -> None:
    config = STUDENT.model_validate(
        STUDENT.model_dump() | {"augment": {"token_dropout": 0.1, "token_swap": 0.1}}
    )
    job = student_job(config, lesson_for(small_dataset[1]), site_of(*small_dataset))
    whole, resumed = undisturbed_and_resumed(job, step=7)
    assert whole.history == [
        {**point, "time_ms": mine["time_ms"]}
        for point, mine in zip(resumed.history, whole.history, strict=True)
    ]
    for name, weight in whole.trained_weights().items():
        assert torch.equal(weight, resumed.trained_weights()[name])
    assert all(np.isfinite(point["train/loss"]) for point in whole.history)


def test_a_student_learns_from_rows_without_labels_what_few_labels_do_not_tell(
    toy: ModuleType,
) -> None:
    """The toy's class is the remainder of the first id; twelve rows do not tell that."""
    few, many = toy.toy_examples(12, seed=21), toy.toy_examples(400, seed=22)
    both = Examples(
        [*few.rows, *many.rows],
        [*few.lengths, *many.lengths],
        np.append(few.labels, absent(400, few.labels)),
        np.concatenate([few.teacher, many.teacher]),
    )
    asked, found = toy.toy_examples(300, seed=23), []
    for examples, epochs in ((few, 340), (both, 10)):
        course = Course(epochs=epochs, batch_size=12, lr=5e-3, seed=7, loss=LOSS)
        state = toy.toy_state(course, dropout=0.0)
        material = replace(toy.toy_material(), train=examples)
        train(state, course, material, Setting(CPU))
        answers = logits_of(state.model, material.encoder, asked, Setting(CPU))
        found.append((answers.argmax(1) == asked.labels).mean())
    assert found[1] > found[0] + 0.1


def test_hints_are_learned_from_them_too(small_dataset: tuple[Path, DatasetRef]) -> None:
    lesson = lesson_for(small_dataset[1], features=1.0, relations=0.5)
    random = np.random.default_rng(3)
    said = np.concatenate([lesson.logits, random.normal(size=(150, 5))], 1, dtype=np.float32)
    bag = NgramBag(name="bag", epochs=2, batch_size=16, buckets=1024, width=8)
    job = student_job(bag, replace(lesson, logits=said), site_of(*small_dataset))
    state = first_state(job, CPU)
    train(state, job.course, material_of(job), Setting(CPU))
    assert all(np.isfinite(point["train/loss"]) for point in state.history)
    assert job.train.teacher is not None
    assert job.train.teacher.shape == (150, 8)
    np.testing.assert_allclose(job.train.teacher[:, 3:].mean(0), 0, atol=1e-5)
