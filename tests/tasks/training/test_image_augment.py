"""Each variation of training pictures by its property; none ever reaches a validation row."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from models.build import build_model
from tasks.packaging.predictor.image import ImageRows
from tasks.training.answers import logits_of
from tasks.training.course import Course, Material, Setting, TrainState, new_state
from tasks.training.examples import Batch, encode
from tasks.training.image_architectures import ImageAugmentConfig
from tasks.training.image_augment import ImageAugment, cutmix, erased, mixup, moved, tinted
from tasks.training.loop import remaining_batches, take_batch, train, varied
from tasks.training.losses import DistilLoss, LabelLoss
from tasks.training.schedule import scheduled_lr
from tests.in_process import CPU

NOTHING = ImageAugmentConfig(shift=0, rotate=0)
ALL = ImageAugmentConfig(
    shift=0.2, rotate=20, flip=True, colour=0.3, erase=0.5, mixup=0.4, cutmix=1.0
)


def random() -> np.random.Generator:
    return np.random.default_rng(3)


def pictures(count: int = 8, channels: int = 1, side: int = 8) -> Tensor:
    torch.manual_seed(0)
    return torch.randn(count, channels, side, side)


def batch(channels: int = 1) -> Batch:
    labels = torch.arange(8) % 3
    teacher = torch.nn.functional.one_hot(labels, 3).float() * 5
    return Batch({"pixels": pictures(channels=channels)}, labels, teacher)


def test_nothing_asked_is_nothing_done() -> None:
    found = ImageAugment(NOTHING, 3)(batch(), random())
    assert torch.equal(found.inputs["pixels"], batch().inputs["pixels"])
    assert torch.equal(found.labels, batch().labels)


def test_the_same_draws_give_the_same_batch_and_others_another() -> None:
    first, again, other = (
        ImageAugment(ALL, 3)(batch(), np.random.default_rng(seed)).inputs["pixels"]
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_shift_moves_whole_pixels() -> None:
    single = torch.zeros(50, 1, 8, 8)
    single[:, :, 4, 4] = 1.0
    found = moved(single, ImageAugmentConfig(shift=0.25, rotate=0), random())
    assert torch.allclose(found.sum((1, 2, 3)), torch.ones(50), atol=1e-4)
    places = found.flatten(1).argmax(1)
    rows, columns = places // 8, places % 8
    assert set(rows.tolist()) == set(columns.tolist()) == {2, 3, 4, 5, 6}


def test_a_turn_keeps_the_middle_and_stays_below_its_limit() -> None:
    disc = torch.zeros(20, 1, 33, 33)
    disc[:, :, 14:19, 14:19] = 1.0
    found = moved(disc, ImageAugmentConfig(shift=0, rotate=30), random())
    assert found[:, :, 16, 16].min() > 0.99
    bar = torch.zeros(40, 1, 33, 33)
    bar[:, :, 16, :] = 1.0
    turned = moved(bar, ImageAugmentConfig(shift=0, rotate=10), random())
    # At 14 pixels from the middle, 10 degrees are 2.5 pixels.
    reached = turned[:, 0, :, 30].amax(0).nonzero().flatten() - 16
    assert 1 <= reached.abs().max() <= 3


def test_a_mirror_is_its_own_inverse_and_comes_to_half() -> None:
    config = ImageAugmentConfig(shift=0, rotate=0, flip=True)
    once = moved(pictures(200), config, random())
    twice = moved(once, config, random())
    assert torch.allclose(twice, pictures(200), atol=1e-4)
    same = torch.isclose(once, pictures(200), atol=1e-4).all(1).all(1).all(1)
    assert 70 < int(same.sum()) < 130


def colours(pixels: Tensor) -> Tensor:
    """What is not grey in each picture, [B, numbers]."""
    return (pixels - pixels.mean(1, keepdim=True)).flatten(1)


def test_saturation_stretches_colours_and_nothing_else() -> None:
    before = pictures(200, channels=3)
    after = tinted(before, 0.3, random())
    contrast = after.mean(1).flatten(1).std(1) / before.mean(1).flatten(1).std(1)
    stretch = (colours(after) * colours(before)).sum(1) / colours(before).square().sum(1)
    assert torch.allclose(colours(after), stretch[:, None] * colours(before), atol=1e-5)
    saturation = stretch / contrast - 1
    assert float(saturation.abs().max()) <= 0.3 + 1e-4
    assert float(saturation.min()) < -0.25
    assert float(saturation.max()) > 0.25
    assert abs(float(torch.corrcoef(torch.stack([saturation, contrast]))[0, 1])) < 0.2
    grey = pictures(8, channels=1).expand(-1, 3, -1, -1)
    assert torch.allclose(colours(tinted(grey, 0.3, random())), torch.zeros(8, 192), atol=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_tint_is_affine_in_each_picture_and_bounded(channels: int) -> None:
    before = pictures(channels=channels)
    after = tinted(before, 0.2, random())
    assert not torch.allclose(before, after)
    grey, tinted_grey = before.mean(1).flatten(1), after.mean(1).flatten(1)
    for x, y in zip(grey, tinted_grey, strict=True):
        assert abs(float(torch.corrcoef(torch.stack([x, y]))[0, 1]) - 1) < 1e-4
        assert abs(float(y.mean() - x.mean())) <= 0.2 + 1e-5
        assert 0.8 - 1e-4 <= float(y.std() / x.std()) <= 1.2 + 1e-4


def test_a_blank_is_one_rectangle_of_the_mean_in_some_pictures() -> None:
    found = erased(torch.ones(300, 2, 16, 16), 0.5, random())
    is_blank = (found == 0).all(1)
    hit = is_blank.any(1).any(1)
    assert 110 < int(hit.sum()) < 190
    for mask in is_blank[hit]:
        rows, columns = mask.any(1), mask.any(0)
        assert int(mask.sum()) == int(rows.sum()) * int(columns.sum())
    assert torch.equal((found == 0).any(1), is_blank)


@pytest.mark.parametrize("way", [mixup, cutmix])
def test_labels_are_mixed_in_the_share_of_the_pictures(way: object) -> None:
    flat = torch.arange(8.0).view(8, 1, 1, 1).expand(8, 1, 16, 16)
    labels = torch.arange(8)
    given = Batch({"pixels": flat}, labels, torch.eye(8) * 4)
    found = way(given, 1.0, 8, random())  # type: ignore[operator]
    assert torch.allclose(found.labels.sum(1), torch.ones(8))
    # Every pixel holds its own class's number, so the mean picture says what the label should be.
    expected = (found.labels * torch.arange(8.0)).sum(1)
    assert torch.allclose(found.inputs["pixels"].mean((1, 2, 3)), expected, atol=1e-4)
    assert torch.allclose(found.teacher, found.labels * 4, atol=1e-5)
    for loss in (LabelLoss(), DistilLoss(temperature=2.0, weight=0.5)):
        assert loss(torch.zeros(8, 8), found.labels, found.teacher).shape == (8,)


def test_numbers_are_mixed_too() -> None:
    given = Batch({"pixels": pictures()}, torch.arange(8.0), None)
    assert mixup(given, 1.0, 1, random()).labels.shape == (8,)


def material() -> Material:
    encoder = ImageRows("photo", (8, 1), [100.0], [50.0])
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (60, 8, 8)).tolist()
    labels = random.integers(0, 3, 60)
    train_rows = encode(encoder, {"photo": pixels[:40]}, labels[:40])
    return Material(
        encoder=encoder,
        train=train_rows,
        valid=encode(encoder, {"photo": pixels[40:]}, labels[40:]),
    )


def course(epochs: int = 2) -> Course:
    return Course(
        epochs=epochs, batch_size=16, lr=1e-3, seed=5, loss=LabelLoss(),
        augment=ImageAugment(ALL, 3),
    )  # fmt: skip


def start(course: Course) -> TrainState:
    torch.manual_seed(1)
    return new_state(build_model("small_lenet", {"num_classes": 3, "size": 8}), course, CPU)


class Watcher:
    """An augmentation that remembers what it was given."""

    def __init__(self) -> None:
        self.seen: list[Tensor] = []

    def __call__(self, batch: Batch, random: np.random.Generator) -> Batch:
        del random
        self.seen.append(batch.inputs["pixels"])
        return replace(batch, inputs={"pixels": torch.zeros_like(batch.inputs["pixels"])})


def test_training_rows_alone_are_varied() -> None:
    watcher, found = Watcher(), material()
    watched = replace(course(), augment=watcher)
    state = start(watched)
    train(state, watched, found, Setting(CPU))
    rows = torch.cat(watcher.seen)
    own = torch.from_numpy(found.encoder.batch(found.train.rows)["pixels"])
    assert len(rows) == 2 * 40
    assert all(any(torch.equal(row, other) for other in own) for row in rows)
    # Validation saw its rows as they are: blanked ones would all have one and the same answer.
    logits = logits_of(state.model, found.encoder, found.valid, Setting(CPU))
    pixels = torch.from_numpy(found.encoder.batch(found.valid.rows)["pixels"])
    with torch.no_grad():
        assert np.allclose(logits, state.model.eval()(pixels).numpy(), atol=1e-5)
    assert len(np.unique(logits.round(4), axis=0)) > 1
    assert len(watcher.seen) == 2 * 3


def test_a_step_is_varied_alike_whatever_was_before_it() -> None:
    found = [varied(batch(), course(), step, np.arange(8)).inputs["pixels"] for step in (4, 9, 4)]
    assert torch.equal(found[0], found[2])
    assert not torch.equal(found[0], found[1])


def test_a_training_that_went_on_ends_as_one_that_never_stopped() -> None:
    whole, parts = start(course()), start(course())
    train(whole, course(), material(), Setting(CPU))
    for row_ids in remaining_batches(parts, course(), material())[:2]:
        parts.lr = scheduled_lr(parts.step, 6, course().lr, course().technique)
        take_batch(parts, row_ids, course(), material(), Setting(CPU))
    torch.rand(17)  # what another process drew meanwhile
    train(parts, course(), material(), Setting(CPU))
    for name, weight in whole.trained_weights().items():
        assert torch.equal(weight, parts.trained_weights()[name]), name
