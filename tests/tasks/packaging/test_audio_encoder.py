"""The encoder of sounds: every form of a cell is the same sound, every bad one is named."""

import base64
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import wavfile

from tasks.packaging.predictor import load_encoder
from tasks.packaging.predictor.audio import cell_of, samples_of, stored_samples
from tasks.packaging.predictor.mel import MelForm, log_mel

CONFIG: dict[str, Any] = {
    "kind": "audio", "column": "clip", "sample_rate": 8000, "seconds": 0.5, "mels": 16,
    "window_ms": 25.0, "hop_ms": 10.0, "mean": -4.0,
}  # fmt: skip
SOUND = (np.random.default_rng(0).normal(0, 4000, 2000)).astype(np.int16)


def packed(samples: np.ndarray, rate: int = 8000) -> bytes:
    stream = io.BytesIO()
    wavfile.write(stream, rate, samples)
    return stream.getvalue()


def encoded(cell: Any, **changes: Any) -> np.ndarray:
    found: np.ndarray = load_encoder(CONFIG | changes, Path()).rows({"clip": [cell]})[0]
    return found


def test_every_form_of_a_sound_is_the_same_sound(tmp_path: Path) -> None:
    path = tmp_path / "a.WAV"
    path.write_bytes(packed(SOUND))
    floats = (SOUND / 32768).tolist()
    forms = [
        str(path), packed(SOUND), bytearray(packed(SOUND)),
        base64.b64encode(packed(SOUND)).decode(), cell_of(SOUND, 8000),
        packed((SOUND / 32768).astype(np.float32)),
        packed(np.stack([SOUND, SOUND], axis=1)),
        {"rate": 8000, "samples": floats}, {"rate": 8000.0, "samples": np.array(floats)},
        {"rate": 8000, "samples": [[value, value] for value in floats], "label": "x"},
    ]  # fmt: skip
    expected = log_mel(SOUND / 32768, MelForm(8000, 16, 200, 80)) + 4
    for cell in forms:
        np.testing.assert_allclose(encoded(cell), expected, atol=1e-4)
        assert np.array_equal(encoded(cell), encoded(forms[0]))


def test_a_stored_cell_loses_nothing() -> None:
    samples, rate = stored_samples(cell_of(SOUND, 11_025))
    assert rate == 11_025
    assert np.array_equal(samples, SOUND)


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("kind", [np.int16, np.float32])
def test_what_the_snapshot_holds_is_what_serving_makes_of_the_file(
    rate: int, channels: int, kind: type
) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, (rate, channels))
    data = packed((noise * (32768 if kind is np.int16 else 1)).astype(kind), rate)
    stored = cell_of(samples_of(data, 8000, 0.5), 8000)
    assert len(stored_samples(stored)[0]) == 4000
    assert np.array_equal(encoded(stored), encoded(data))


def test_opposite_channels_are_silence() -> None:
    found = samples_of(packed(np.stack([SOUND, -SOUND], axis=1)), 8000, 1)
    assert not found.any()


def test_what_is_too_loud_is_cut_off_not_wrapped() -> None:
    found = samples_of({"rate": 8000, "samples": [1.5, -1.5, 0.0]}, 8000, 1)
    assert found.tolist() == [32767, -32768, 0]


def test_a_batch_is_padded_behind_its_rows() -> None:
    encoder = load_encoder(CONFIG, Path())
    rows = encoder.rows({"clip": [cell_of(SOUND[:count], 8000) for count in (2000, 400)]})
    assert [encoder.length(row) for row in rows] == [23, 3]
    batch = encoder.batch(rows)
    assert {name: (a.shape, a.dtype.name) for name, a in batch.items()} == {
        "mels": ((2, 23, 16), "float32"),
        "mask": ((2, 23), "float32"),
    }
    assert np.array_equal(batch["mels"][1, :3], rows[1])
    assert not batch["mels"][1, 3:].any()
    assert batch["mask"].sum(1).tolist() == [23, 3]


GOOD = [0.0, 0.5]


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        (None, "None must be a path"),
        (float("nan"), "nan must be a path"),
        (7, "7 must be a path"),
        ("", "the file is empty"),
        ("what?", "'what[?]' must be a path"),
        ("gone.wav", "gone.wav: no such file"),
        ("song.mp3", "'song.mp3' must be a path"),
        (".wav", ".wav: no such file"),
        ("\0.wav", "no such file|cannot be read"),
        (b"", "the file is empty"),
        (b"hello", "no WAV file"),
        (b"ID3\3", "no WAV file but MP3"),
        (packed(SOUND)[:70], r"truncated \(26 of 4,000 bytes of sound\)"),
        (packed(SOUND[:0]), "holds no sample"),
        ("aGVsbG8=", "no WAV file"),
        ([0.0, 0.5], "must be a path"),
        ([], "must be a path"),
        ({}, "must be a path"),
        ({"samples": GOOD}, "must be a path"),
        ({"rate": 8000}, "must be a path"),
        ({"rate": 0, "samples": GOOD}, "0 samples a second, 100 to 768,000 are taken"),
        ({"rate": -8000, "samples": GOOD}, "-8,000 samples a second"),
        ({"rate": 10**9, "samples": GOOD}, "1,000,000,000 samples a second"),
        ({"rate": 8000.5, "samples": GOOD}, "rate 8000.5 must be a whole number"),
        ({"rate": float("nan"), "samples": GOOD}, "rate nan must be a whole number"),
        ({"rate": float("inf"), "samples": GOOD}, "rate inf must be a whole number"),
        ({"rate": "8000", "samples": GOOD}, "rate '8000' must be a whole number"),
        ({"rate": True, "samples": GOOD}, "rate True must be a whole number"),
        ({"rate": 8000, "samples": []}, "holds no sample"),
        ({"rate": 8000, "samples": [[], []]}, "holds no sample"),
        ({"rate": 8000, "samples": 0.5}, "samples 0.5 must be a list of numbers"),
        ({"rate": 8000, "samples": "x"}, "samples 'x' must be a list of numbers"),
        ({"rate": 8000, "samples": [[1], [1, 2]]}, "must be a list of numbers"),
        ({"rate": 8000, "samples": [[[0.1]]]}, "must be a list of numbers"),
        ({"rate": 8000, "samples": [0.1, None]}, "holds samples that are not finite"),
        ({"rate": 8000, "samples": [float("nan")]}, "holds samples that are not finite"),
        ({"rate": 8000, "samples": [1, 300]}, "holds samples up to 300, the full scale"),
        ({"rate": 8000, "samples": [[0.1] * 65]}, "65 channels, 1 to 64 are taken"),
    ],
    ids=lambda value: repr(value)[:25],
)
def test_a_bad_cell_is_named(cell: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=rf"^column 'clip', row 1: .*({sentence})") as raised:
        load_encoder(CONFIG, Path()).rows({"clip": [cell_of(SOUND, 8000), cell]})
    assert "\n" not in str(raised.value)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match="column 'clip' is missing; found text"):
        load_encoder(CONFIG, Path()).rows({"text": ["x"]})


def test_numpy_is_all_that_is_needed() -> None:
    script = (
        "import sys; from pathlib import Path; from tasks.packaging.predictor import load_encoder;"
        f"load_encoder({CONFIG!r}, Path()).rows({{'clip': [{cell_of(SOUND[:300], 8000)!r}]}});"
        "sys.exit('scipy' in sys.modules or 'PIL' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
