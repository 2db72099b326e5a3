"""Each variation of training sounds by its property; none ever reaches a validation row."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from models.build import build_model
from tasks.packaging.predictor.audio import AudioRows, cell_of
from tasks.packaging.predictor.mel import MelForm
from tasks.training.answers import logits_of
from tasks.training.audio_architectures import AudioAugmentConfig
from tasks.training.audio_augment import (
    QUIETER_DB,
    AudioAugment,
    moved,
    noisy,
    without_pitch,
    without_time,
)
from tasks.training.course import Course, Material, Setting, new_state
from tasks.training.examples import Batch, encode, make_batch
from tasks.training.loop import train, varied
from tasks.training.losses import LabelLoss
from tests.in_process import CPU

NOTHING = AudioAugmentConfig(shift=0, noise=0, masks=0)
ALL = AudioAugmentConfig(shift=0.3, noise=1, snr_db=5, time_mask=0.3, pitch_mask=0.3, masks=2)
LENGTHS = [30, 12, 1, 25]


def random(seed: int = 3) -> np.random.Generator:
    return np.random.default_rng(seed)


def sounds(lengths: list[int] = LENGTHS, bands: int = 10) -> tuple[Tensor, Tensor]:
    """Bels and mask; padding holds zeros."""
    torch.manual_seed(0)
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).float()
    return torch.randn(len(lengths), max(lengths), bands) * mask[:, :, None], mask


def batch() -> Batch:
    mels, mask = sounds()
    return Batch({"mels": mels, "mask": mask}, torch.arange(4) % 3, torch.eye(4)[:, :3])


def test_nothing_asked_is_nothing_done() -> None:
    found = AudioAugment(NOTHING, 3)(batch(), random())
    assert torch.equal(found.inputs["mels"], batch().inputs["mels"])


def test_labels_mask_and_padding_stay_as_they_are() -> None:
    found = AudioAugment(ALL, 3)(batch(), random())
    mels, mask = sounds()
    assert torch.equal(found.inputs["mask"], mask)
    assert torch.equal(found.labels, batch().labels)
    assert not (found.inputs["mels"] * (1 - mask[:, :, None])).any()
    assert torch.isfinite(found.inputs["mels"]).all()
    assert not torch.equal(found.inputs["mels"], mels)


def test_the_same_draws_give_the_same_batch_and_others_another() -> None:
    first, again, other = (
        AudioAugment(ALL, 3)(batch(), random(seed)).inputs["mels"] for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_shift_moves_frames_within_the_sound_and_the_rest_is_its_quietest() -> None:
    lengths = [20, 10] * 100
    mask = (torch.arange(20) < torch.tensor(lengths)[:, None]).float()
    mels = (torch.arange(20.0)[None, :, None] + 5) * mask[:, :, None]
    found = moved(mels, mask, 0.25, random())[:, :, 0]
    shifts: dict[int, set[int]] = {20: set(), 10: set()}
    for row, length in zip(found, lengths, strict=True):
        steps = (row[:length] - (torch.arange(length) + 5)).tolist()
        kept = [int(step) for step, value in zip(steps, row[:length], strict=True) if value > 5]
        assert len(set(kept)) == 1, "all frames move alike"
        shifts[length].add(-kept[0])
        assert len(kept) >= length - abs(kept[0]) - 1
    assert shifts[20] == set(range(-5, 6))
    assert shifts[10] == set(range(-2, 3))


def test_noise_lifts_silence_to_its_level_and_leaves_what_is_loud() -> None:
    loud, silent = 2.0, -6.0
    mels = torch.full((400, 50, 10), silent)
    mels[:, :, :5] = loud
    mask = torch.ones(400, 50)
    config = AudioAugmentConfig(noise=0.5, snr_db=10)
    found = noisy(mels, mask, config, random())
    is_hit = (found != mels).any(1).any(1)
    assert 150 < int(is_hit.sum()) < 250
    mean_power = 0.5 * 10**loud
    level = (10.0 ** found[is_hit][:, :, 5:]).mean((1, 2)).log10() - np.log10(mean_power)
    assert -0.1 * (10 + QUIETER_DB) - 0.1 <= level.min() < -2.5
    assert -1.5 < level.max() <= -1.0 + 0.1
    assert (found[is_hit][:, :, :5] - loud).abs().max() < 0.3
    assert torch.equal(found[~is_hit], mels[~is_hit])


def test_padding_has_no_part_in_the_level_of_the_noise() -> None:
    mels, mask = sounds([10, 10])
    longer = torch.nn.functional.pad(mels, (0, 0, 0, 30), value=9.0)
    config = AudioAugmentConfig(noise=1, snr_db=0)
    power = [
        (10 ** noisy(m, torch.nn.functional.pad(mask, (0, m.shape[1] - 10)), config, random())
         [:, :10]).mean()
        for m in (mels, longer)
    ]  # fmt: skip
    assert abs(float(power[0].log10() - power[1].log10())) < 0.2


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_a_time_mask_is_one_run_of_whole_frames_within_the_sound(share: float) -> None:
    lengths = [40, 10] * 100
    mels, mask = sounds(lengths)
    found = without_time(mels + 0.5, mask, share, random())
    is_blank = (found == 0).all(2)
    assert torch.equal((found == 0).any(2), is_blank)
    runs = []
    for blank, length in zip(is_blank, lengths, strict=True):
        places = blank.nonzero().flatten().tolist()
        assert places == list(range(places[0], places[0] + len(places))) if places else True
        assert all(place < length for place in places)
        runs.append((length, len(places)))
    for length in (40, 10):
        found_runs = {run for other, run in runs if other == length}
        assert max(found_runs) == int(share * length)
        assert min(found_runs) == 0 or share == 1.0


def test_a_pitch_mask_is_one_run_of_bands_through_all_frames() -> None:
    mels, _ = sounds([20] * 200, bands=20)
    is_blank = without_pitch(mels, 0.25, random()) == 0
    assert torch.equal(is_blank.any(1), is_blank.all(1))
    runs = set()
    for blank in is_blank.all(1):
        places = blank.nonzero().flatten().tolist()
        assert places == list(range(places[0], places[0] + len(places))) if places else True
        runs.add(len(places))
    assert runs == set(range(6))


def material() -> Material:
    form = MelForm(rate=4000, mels=8, window=100, hop=40)
    encoder = AudioRows("clip", form, 1.0, -4.0)
    draws = random(0)
    clips = [
        cell_of(draws.normal(0, 3000, int(draws.integers(300, 900))).astype(np.int16), 4000)
        for _ in range(60)
    ]
    labels = draws.integers(0, 3, 60)
    return Material(
        encoder=encoder,
        train=encode(encoder, {"clip": clips[:40]}, labels[:40]),
        valid=encode(encoder, {"clip": clips[40:]}, labels[40:]),
    )


class Watcher:
    """An augmentation that remembers what it was given, and blanks it."""

    def __init__(self) -> None:
        self.seen: list[Tensor] = []

    def __call__(self, batch: Batch, random: np.random.Generator) -> Batch:
        del random
        self.seen += [m[k.bool()] for m, k in zip(*batch.inputs.values(), strict=True)]
        return replace(batch, inputs=batch.inputs | {"mels": batch.inputs["mels"] * 0})


def course(augment: AudioAugment | Watcher) -> Course:
    return Course(
        epochs=2, batch_size=16, lr=1e-3, seed=5, loss=LabelLoss(), augment=augment
    )  # fmt: skip


def test_training_rows_alone_are_varied() -> None:
    watcher, found = Watcher(), material()
    watched = course(watcher)
    torch.manual_seed(1)
    model = build_model("audio_cnn", {"num_classes": 3, "mels": 8, "widths": (8, 8)})
    state = new_state(model, watched, CPU)
    train(state, watched, found, Setting(CPU))
    own = [torch.from_numpy(row) for row in found.train.rows]
    assert len(watcher.seen) == 2 * 40
    assert all(any(torch.equal(row, other) for other in own) for row in watcher.seen)
    # Validation heard its sounds as they are: blanked ones would all have one and the same answer.
    logits = logits_of(state.model, found.encoder, found.valid, Setting(CPU))
    assert len(np.unique(logits.round(4), axis=0)) > 1


def test_a_step_is_varied_alike_whatever_was_before_it() -> None:
    found = material()
    rows = np.arange(8)
    given = make_batch(found.encoder, found.train.take(rows), torch.device("cpu"))
    made = [
        varied(given, course(AudioAugment(ALL, 3)), step, rows).inputs["mels"] for step in (4, 9, 4)
    ]
    assert torch.equal(made[0], made[2])
    assert not torch.equal(made[0], made[1])
