"""What sounds are asked about quality: slices, damage, parts."""

import numpy as np
import pytest

from tasks.data.audio import level_of
from tasks.data.audio_probe import CHANGES, MOST_PARTS
from tasks.data.probes import PROBES
from tasks.packaging.predictor.audio import cell_of, stored_samples

RATE = 8000
PROBE = PROBES["audio"]


def tone(hertz: float, seconds: float, size: float = 0.1) -> str:
    time = np.arange(round(seconds * RATE)) / RATE
    return cell_of(np.rint(32767 * size * np.sin(2 * np.pi * hertz * time)).astype(np.int16), RATE)


CLIPS = {
    "clip": [tone(440, 0.5), tone(3000, 0.2), tone(800, 0.01), cell_of(np.zeros(9, int), RATE)]
}


def damaged(name: str, column: str = "clip") -> list[np.ndarray]:
    found = PROBE.damaged(CLIPS, {}, 7)[name][column]
    return [stored_samples(cell)[0] for cell in found]


def before() -> list[np.ndarray]:
    return [stored_samples(cell)[0] for cell in CLIPS["clip"]]


def test_sounds_are_divided_by_length_and_loudness() -> None:
    training = {"clip": [tone(440, s, a) for s in (0.2, 0.4, 0.6) for a in (0.01, 0.1, 0.9)]}
    asked = {"clip": [tone(440, 0.1, 0.005), tone(440, 0.4, 0.1), tone(440, 0.9, 1.0)]}
    found = PROBE.slices(asked, training, {})
    assert found["length"] == ["up to 0.2 s", "over 0.2 to 0.4 s", "over 0.4 s"]
    assert found["loudness"] == ["up to -43 dB", "over -43 to -23 dB", "over -23 dB"]


def test_damage_is_the_same_for_a_seed_and_leaves_the_rows() -> None:
    kept = list(CLIPS["clip"])
    first, again, other = (PROBE.damaged(CLIPS, {}, seed) for seed in (7, 7, 8))
    assert first == again
    assert first != other
    assert CLIPS["clip"] == kept
    assert first.keys() == CHANGES.keys()
    assert all(len(columns["clip"]) == 4 for columns in first.values())
    assert all(len(stored_samples(c)[0]) for columns in first.values() for c in columns["clip"])


@pytest.mark.parametrize("snr", [20, 5])
def test_noise_stays_so_far_below_the_sound(snr: int) -> None:
    sound, noisy = before()[0], damaged(f"noise at {snr} dB")[0]
    noise = noisy.astype(float) - sound
    assert level_of(sound) - level_of(noise) == pytest.approx(snr, abs=0.3)


def test_a_level_changes_by_its_decibels_until_it_is_cut_off() -> None:
    quiet, loud = damaged("12 dB quieter")[0], damaged("20 dB too loud")[0]
    assert level_of(before()[0]) - level_of(quiet) == pytest.approx(12, abs=0.05)
    assert loud.max() == 32767
    assert loud.min() == -32768


def test_half_the_rate_keeps_low_tones_and_loses_high_ones() -> None:
    low, high, *_ = damaged("half the sample rate")
    assert [len(s) for s in (low, high)] == [len(s) for s in before()[:2]]
    assert level_of(low) == pytest.approx(level_of(before()[0]), abs=0.1)
    assert level_of(high[200:-200]) < level_of(before()[1]) - 30


def test_half_of_a_sound_is_its_beginning() -> None:
    for sound, half in zip(before(), damaged("second half lost"), strict=True):
        assert np.array_equal(half, sound[: -(-len(sound) // 2)])


@pytest.mark.parametrize(("seconds", "count"), [(0.5, 10), (2.0, MOST_PARTS), (0.01, 1)])
def test_the_parts_of_a_sound_are_stretches_of_time(seconds: float, count: int) -> None:
    cell = tone(440, seconds)
    parts = PROBE.parts({"clip": cell}, {})
    whole, _ = stored_samples(cell)
    assert len(parts) == count
    lost = np.zeros(len(whole), int)
    for _, row in parts:
        rest, rate = stored_samples(row["clip"])
        assert rate == RATE
        is_gone = rest != whole
        assert not rest[is_gone].any()
        lost += is_gone
    assert set(lost[whole != 0].tolist()) == {1}
    assert parts[0][0].startswith("0.00 to 0.")
