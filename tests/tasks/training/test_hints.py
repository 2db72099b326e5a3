"""Hints against closed forms, and a student that comes to see as its teacher does."""

from dataclasses import replace
from itertools import product
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from models.build import build_model
from tasks.training.answers import logits_of
from tasks.training.course import Course, Material, Setting
from tasks.training.hints import (
    PROJECTION,
    HintLoss,
    angles,
    feature_loss,
    mean_lesson,
    relation_loss,
    show_features,
    standard_features,
    without_projection,
)
from tasks.training.loop import train
from tasks.training.losses import DistilLoss, LabelLoss

DISTIL = DistilLoss(temperature=2.0, weight=0.8)
WIDTH = 16


def points(rows: int, width: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, width, generator=generator, dtype=torch.float64)


def huber(difference: float) -> float:
    return difference**2 / 2 if abs(difference) < 1 else abs(difference) - 0.5


def relations_by_hand(own: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Row by row, pair by pair, triple by triple, as the paper writes it."""
    rows = range(len(own))

    def distance(x: np.ndarray, i: int, j: int) -> float:
        mean = np.mean([np.linalg.norm(x[a] - x[b]) for a, b in product(rows, rows) if a != b])
        return float(np.linalg.norm(x[i] - x[j]) / mean)

    def cosine(x: np.ndarray, i: int, at: int, k: int) -> float:
        first, second = x[i] - x[at], x[k] - x[at]
        sizes = np.linalg.norm(first) * np.linalg.norm(second)
        return float(first @ second / sizes) if sizes else 0.0

    found = []
    for i in rows:
        apart = [huber(distance(own, i, j) - distance(seen, i, j)) for j in rows if j != i]
        turned = [
            huber(cosine(own, j, i, k) - cosine(seen, j, i, k)) for j, k in product(rows, rows)
        ]
        found.append(np.mean(apart) + 2 * np.mean(turned))
    return np.array(found)


def test_relations_are_those_of_every_pair_and_triple() -> None:
    own, seen = points(5, 3, 1), points(5, 7, 2)
    expected = relations_by_hand(own.numpy(), seen.numpy())
    np.testing.assert_allclose(relation_loss(own, seen).numpy(), expected, rtol=1e-5)


def test_turned_and_scaled_features_have_the_same_relations() -> None:
    seen = points(6, 4, 3)
    turn, _ = torch.linalg.qr(points(4, 4, 4))
    assert relation_loss(seen @ turn * 7 + 3, seen).abs().max() < 1e-5
    assert relation_loss(points(1, 4, 5), points(1, 9, 5)).tolist() == [0.0]


def test_gradients_of_hints_are_the_closed_forms() -> None:
    """Of mean((Wf - t)^2): 2/D (Wf - t) f' for W; of relations by finite differences."""
    features, target, weight = points(3, 4, 6), points(3, 5, 7), points(5, 4, 8)
    weight.requires_grad_()
    feature_loss(features @ weight.T, target).sum().backward()
    wrong = features @ weight.detach().T - target
    assert weight.grad is not None
    torch.testing.assert_close(weight.grad, 2 / 5 * wrong.T @ features, rtol=1e-5, atol=1e-6)
    own, seen = points(4, 3, 9).requires_grad_(), points(4, 6, 10)
    relation_loss(own, seen).sum().backward()
    step = 1e-3
    for row, column in product(range(4), range(3)):
        moved = torch.zeros(4, 3, dtype=torch.float64)
        moved[row, column] = step
        with torch.no_grad():
            up = relations_by_hand((own + moved).numpy(), seen.numpy()).sum()
            down = relations_by_hand((own - moved).numpy(), seen.numpy()).sum()
        assert own.grad is not None
        assert float(own.grad[row, column]) == pytest.approx(
            (up - down) / 2 / step, rel=1e-2, abs=1e-4
        )


def test_rows_that_fall_together_have_gradients() -> None:
    own = torch.zeros(3, 4, requires_grad=True)
    relation_loss(own, points(3, 4, 11)).sum().backward()
    assert own.grad is not None
    assert torch.isfinite(own.grad).all()
    assert torch.isfinite(angles(torch.ones(3, 4))).all()


def test_hints_are_added_to_the_distillation() -> None:
    logits, labels = points(4, 3, 12).float(), torch.tensor([0, 1, 2, 0])
    answers, seen = points(4, 3, 13).float(), points(4, 5, 14).float()
    projected, own = points(4, 5, 15).float(), points(4, 2, 16).float()
    said, teacher = torch.cat([logits, projected, own], 1), torch.cat([answers, seen], 1)
    loss = HintLoss(answers=DISTIL, num_answers=3, width=5, features=0.5, relations=0.25)
    expected = (
        DISTIL(logits, labels, answers)
        + 0.5 * feature_loss(projected, seen)
        + 0.25 * relation_loss(own, seen)
    )
    torch.testing.assert_close(loss(said, labels, teacher), expected)
    alike = replace(loss, relations=0.0)
    same = torch.cat([logits, seen, own], 1)
    torch.testing.assert_close(alike(same, labels, teacher), DISTIL(logits, labels, answers))


@pytest.mark.parametrize("family", ["mlp", "ngram_bag"])
def test_features_are_what_the_head_reads(family: str) -> None:
    shapes: dict[str, dict[str, object]] = {
        "mlp": {"numbers": 4, "hidden": (8, 6)},
        "ngram_bag": {"buckets": 64, "width": 8, "hidden": 6},
    }
    model = build_model(family, shapes[family] | {"num_classes": 3}).eval()
    inputs = INPUTS[family]
    with torch.no_grad():
        plain = model(**inputs)
        show_features(model)
        said = model(**inputs)
    head = model.head
    assert isinstance(head, nn.Linear)
    np.testing.assert_array_equal(said[:, :3], plain)
    torch.testing.assert_close(head(said[:, 3:]), plain)


INPUTS: dict[str, dict[str, Tensor]] = {
    "mlp": {"numbers": points(2, 4, 17).float()},
    "ngram_bag": {
        "input_ids": torch.tensor([[1, 2, 3], [4, 5, 6]]),
        "attention_mask": torch.ones(2, 3),
    },
}


def taught(toy: ModuleType, material: Material, features: float, relations: float) -> nn.Module:
    """A student of a few epochs with the teacher's answers and so much of its features."""
    answers = DistilLoss(temperature=2.0, weight=0.8)
    loss = HintLoss(
        answers=answers, num_answers=3, width=WIDTH, features=features, relations=relations
    )
    course = Course(epochs=60, batch_size=16, lr=5e-3, seed=7, loss=loss)
    state = toy.toy_state(course, dropout=0.0)
    train(state, course, material, Setting(toy.CPU))
    model: nn.Module = state.model
    return model.eval()


@pytest.fixture(scope="module")
def lesson(toy: ModuleType) -> Material:
    """Rows, and what a trained teacher of another width says of them and sees in them."""
    material = toy.toy_material()
    course = Course(epochs=20, batch_size=16, lr=5e-3, seed=3, loss=LabelLoss())
    torch.manual_seed(3)
    shape = toy.SHAPE | {"width": WIDTH, "dropout": 0.0, "layers": 2}
    state = toy.new_state(build_model("text_encoder", shape), course, toy.CPU)
    train(state, course, material, Setting(toy.CPU))
    show_features(state.model)
    said = logits_of(state.model, material.encoder, material.train, Setting(toy.CPU))
    assert said.shape == (len(material.train), 3 + WIDTH)
    taught = replace(material.train, teacher=standard_features(said, 3))
    return replace(material, train=taught)


def distance_of(toy: ModuleType, model: nn.Module, lesson: Material) -> tuple[float, float]:
    """What no linear map finds of the teacher's features in the student's; their relations."""
    plain = build_model("text_encoder", toy.SHAPE | {"dropout": 0.0})
    plain.load_state_dict(without_projection(model.state_dict()))
    show_features(plain.eval())
    own = logits_of(plain, lesson.encoder, lesson.train, Setting(toy.CPU))[:, 3:]
    assert lesson.train.teacher is not None
    seen = lesson.train.teacher[:, 3:]
    padded = np.concatenate([own, np.ones((len(own), 1), np.float32)], axis=1)
    left = seen - padded @ np.linalg.lstsq(padded, seen, rcond=None)[0]
    related = relation_loss(torch.from_numpy(own), torch.from_numpy(seen)).mean()
    return float((left**2).mean()), float(related)


def test_a_student_with_hints_sees_more_like_its_teacher(toy: ModuleType, lesson: Material) -> None:
    answers_alone = distance_of(toy, taught(toy, lesson, 0.0, 0.0), lesson)
    with_features = distance_of(toy, taught(toy, lesson, 2.0, 0.0), lesson)
    with_relations = distance_of(toy, taught(toy, lesson, 0.0, 4.0), lesson)
    assert with_features[0] < 0.5 * answers_alone[0]
    assert with_relations[1] < 0.5 * answers_alone[1]


def test_what_validates_and_is_kept_has_no_projection(toy: ModuleType, lesson: Material) -> None:
    model = taught(toy, lesson, 1.0, 0.0)
    assert logits_of(model, lesson.encoder, lesson.valid, Setting(toy.CPU)).shape == (30, 3)
    names = set(model.state_dict())
    kept = set(without_projection(model.state_dict()))
    assert names - kept == {f"{PROJECTION}.weight", f"{PROJECTION}.bias"}


def test_standard_features_leave_the_answers() -> None:
    said = np.array([[1, 2, 10, 5], [3, 4, 20, 5], [5, 6, 30, 5]], np.float32)
    found = standard_features(said, 2)
    np.testing.assert_array_equal(found[:, :2], said[:, :2])
    np.testing.assert_allclose(found[:, 2:].mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(found[:, 2].std(), 1, rtol=1e-6)
    assert (found[:, 3] == 0).all()


def test_a_student_of_the_teachers_own_shape_learns_from_it(
    toy: ModuleType, lesson: Material
) -> None:
    """Born-again networks (arXiv:1805.04770): the same loop, and no label at all."""
    assert lesson.train.teacher is not None
    answers = replace(lesson.train, teacher=lesson.train.teacher[:, :3])
    loss = DistilLoss(temperature=2.0, weight=1.0)
    course = Course(epochs=40, batch_size=16, lr=5e-3, seed=11, loss=loss)
    torch.manual_seed(11)
    shape = toy.SHAPE | {"width": WIDTH, "dropout": 0.0, "layers": 2}
    state = toy.new_state(build_model("text_encoder", shape), course, toy.CPU)
    unlabelled = replace(answers, labels=np.zeros_like(answers.labels))
    train(state, course, replace(lesson, train=unlabelled), Setting(toy.CPU))
    found = logits_of(state.model, lesson.encoder, lesson.train, Setting(toy.CPU))
    assert (found.argmax(1) == answers.teacher.argmax(1)).mean() > 0.95


def test_several_teachers_are_the_mean_of_their_softened_answers() -> None:
    said = points(4, 3 * (3 + 2), 20).numpy().astype(np.float32)
    found = mean_lesson(said, 3, 3, temperature=2.0)
    blocks = [said[:, start : start + 5] for start in (0, 5, 10)]
    softened = np.mean([torch.tensor(b[:, :3] / 2).softmax(1).numpy() for b in blocks], axis=0)
    np.testing.assert_allclose(torch.tensor(found[:, :3] / 2).softmax(1), softened, rtol=1e-5)
    np.testing.assert_array_equal(found[:, 3:], np.concatenate([b[:, 3:] for b in blocks], 1))
    numbers = np.array([[1, 7, 3, 8], [5, 9, 1, 6]], np.float32)
    np.testing.assert_array_equal(mean_lesson(numbers, 2, 1, 2.0), [[2, 7, 8], [3, 9, 6]])
    alike = np.tile(said[:, :3], (1, 4))
    np.testing.assert_allclose(
        torch.tensor(mean_lesson(alike, 4, 3, 5.0)).softmax(1),
        torch.tensor(said[:, :3]).softmax(1),
        rtol=1e-5,
    )
