"""Sounds: what is read, what is skipped, what is the same, and what is said of the rest."""

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.io import wavfile
from scipy.signal import resample_poly

from tasks.data.audio import level_of
from tasks.data.config import DataConfig
from tasks.data.guessing import guess_data
from tasks.data.prepare import Prepared, prepare_rows
from tasks.data.report import data_report
from tasks.data.same_sound import same_sounds
from tasks.data.source_table import source_digest
from tasks.packaging.predictor.audio import samples_of, stored_samples
from tests.tasks.data.spoiled import (
    Spoil,
    as_they_are,
    emptied,
    files_in,
    linked,
    listed_with,
    unlabelled,
    without,
)

RATE = 4000
FORM = {"sample_rate": RATE, "seconds": 0.5, "mels": 16}


def sound(index: int, rate: int = RATE, seconds: float = 0.3) -> np.ndarray:
    """A low or a high tone that swells at its own speed, with noise of its own."""
    random = np.random.default_rng(index)
    time = np.arange(round(rate * seconds)) / rate
    swell = 0.5 + 0.4 * np.sin(2 * np.pi * random.uniform(2, 20) * time + random.uniform(0, 6))
    tone = np.sin(2 * np.pi * (900 if index % 2 else 300) * random.uniform(0.9, 1.1) * time)
    return 0.3 * swell * tone + random.normal(0, 0.003, len(time))


def packed(samples: np.ndarray, rate: int = RATE, kind: type = np.int16) -> bytes:
    scaled = {
        np.uint8: lambda x: np.rint(x * 127 + 128),
        np.int16: lambda x: np.rint(x * 32767),
        np.int32: lambda x: np.rint(x * 2147483647),
        np.float32: lambda x: x,
    }[kind](samples)
    stream = io.BytesIO()
    wavfile.write(stream, rate, scaled.astype(kind))
    return stream.getvalue()


def recordings(folder: Path, count: int = 60, ending: str = "wav") -> Path:
    """A folder with the folders `high` and `low`."""
    root = folder / "sounds"
    for index in range(count):
        side = root / ("high" if index % 2 else "low")
        side.mkdir(parents=True, exist_ok=True)
        (side / f"{index:03}.{ending}").write_bytes(packed(sound(index)))
    return root


def prepared(folder: Path, **settings: Any) -> Prepared:
    given = {"source": "sounds", "target": "label", "audio": FORM, **settings}
    return prepare_rows(DataConfig.model_validate({"kind": "audio", **given}), folder)


@pytest.mark.parametrize("ending", ["wav", "WAV", "wave"])
def test_a_folder_of_classes_is_read(tmp_path: Path, ending: str) -> None:
    recordings(tmp_path, ending=ending)
    found = prepared(tmp_path)
    assert (found.config.inputs, found.classes) == (("path",), ("high", "low"))
    for cell, label in zip(found.inputs["path"], found.rows.labels, strict=True):
        samples, rate = stored_samples(cell)
        assert (len(samples), rate) == (1200, RATE)
        pitch = np.abs(np.fft.rfft(samples)).argmax() * RATE / 1200
        assert (pitch > 600) == (label == "high")


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_a_table_of_paths_is_read(tmp_path: Path, form: str) -> None:
    root = recordings(tmp_path)
    rows = [
        {"file": path.relative_to(tmp_path).as_posix(), "pitch": path.parent.name}
        for path in sorted(root.rglob("*.wav"))
    ]
    source = tmp_path / f"rows.{form}"
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), source)
    elif form == "jsonl":
        source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        source.write_text(
            "file,pitch\n" + "".join(f"{row['file']},{row['pitch']}\n" for row in rows)
        )
    found = prepared(tmp_path, source=source.name, target="pitch")
    assert (found.config.inputs, len(found.rows)) == (("file",), 60)


CELLS: dict[str, Callable[[int], Any]] = {
    "bytes": lambda index: packed(sound(index)),
    "base64": lambda index: base64.b64encode(packed(sound(index))).decode(),
    "samples": lambda index: {"rate": RATE, "samples": sound(index).tolist()},
}


@pytest.mark.parametrize("form", CELLS)
def test_a_table_may_hold_the_sounds_themselves(tmp_path: Path, form: str) -> None:
    rows = [{"clip": CELLS[form](i), "pitch": "lh"[i % 2]} for i in range(60)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    found = prepared(tmp_path, source="rows.parquet", target="pitch")
    assert (found.config.inputs, len(found.rows)) == (("clip",), 60)
    assert guess_data(tmp_path / "rows.parquet")["kind"].value == "audio"


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.int32, np.float32])
@pytest.mark.parametrize(("rate", "channels"), [(4000, 1), (11_025, 2), (44_100, 3)])
def test_any_rate_width_and_channels_become_one_form(
    tmp_path: Path, kind: type, rate: int, channels: int
) -> None:
    root = recordings(tmp_path)
    clip = np.repeat(sound(1, rate)[:, None], channels, axis=1)
    (root / "high" / "a.wav").write_bytes(packed(clip, rate, kind))
    found = prepared(tmp_path)
    row = found.table.columns["label"].index("high")
    samples, stored_rate = stored_samples(found.table.columns["path"][row + 30])
    assert stored_rate == RATE
    assert abs(len(samples) - 1200) <= 1
    pitch = np.abs(np.fft.rfft(samples)).argmax() * RATE / len(samples)
    assert pitch > 600


def test_long_sounds_are_cut_and_counted(tmp_path: Path) -> None:
    root = recordings(tmp_path)
    for index in range(3):
        (root / "low" / f"long-{index}.wav").write_bytes(packed(sound(2 * index, seconds=2)))
    report = data_report(prepared(tmp_path))
    assert report["source"]["cut_at_data_audio_seconds"] == 3
    assert report["audio"]["train"]["sample_rate"] == RATE
    assert max(report["audio"][split]["seconds"][-1] for split in ("train", "test")) == 0.5


def test_corrupt_files_are_skipped_listed_and_counted(tmp_path: Path) -> None:
    root = recordings(tmp_path, 98)
    (root / "low" / "a.wav").write_bytes(packed(sound(3))[:200])
    (root / "low" / "b.wav").write_text("hello")
    report = data_report(prepared(tmp_path, max_corrupt=0.02))
    assert report["rows"]["dropped"]["corrupt file"] == 2
    assert report["source"]["corrupt"] == [
        "low/a.wav (truncated (156 of 2,400 bytes of sound))",
        "low/b.wav (no WAV file)",
    ]


def test_equal_sounds_are_kept_once_and_contradicted_ones_not_at_all(tmp_path: Path) -> None:
    root = recordings(tmp_path)
    (root / "low" / "again.wav").write_bytes(packed(sound(0)))
    (root / "low" / "other.wav").write_bytes(packed(sound(1)))
    found = prepared(tmp_path)
    assert found.rows.dropped["exact duplicate"] == 1
    assert found.rows.dropped["conflicting labels"] == 2


def test_copies_stand_on_one_side(tmp_path: Path) -> None:
    root = recordings(tmp_path)
    for index in range(20):
        name = root / ("high" if index % 2 else "low") / f"copy-{index}.wav"
        name.write_bytes(packed(0.3 * sound(index), kind=np.float32))
    found = prepared(tmp_path)
    sides: dict[int, set[int]] = {}
    for group, side in zip(found.groups.tolist(), found.sides.tolist(), strict=True):
        sides.setdefault(group, set()).add(side)
    assert len(sides) <= len(found.rows) - 20
    assert all(len(each) == 1 for each in sides.values())


def test_the_same_sound_is_known_in_another_form_and_others_are_not() -> None:
    first, rate = sound(4, 16_000), 16_000
    forms = [
        packed(first, rate), packed(0.2 * first, rate), packed(first, rate, np.uint8),
        packed(resample_poly(first, 1, 2), 8000), packed(resample_poly(first, 441, 160), 44_100),
    ]  # fmt: skip
    others = [packed(sound(index, rate), rate) for index in range(6, 46)]
    sounds = [(samples_of(data, rate, 1), rate) for data in (*forms, *others)]
    silence = (np.zeros(100, np.int16), rate)
    groups = same_sounds([*sounds, silence, silence])
    assert len(set(groups[:5])) == 1
    assert len(set(groups)) == 1 + 40 + 1
    assert same_sounds([]).tolist() == []


def test_a_full_scale_sine_has_minus_three_decibels() -> None:
    sine = np.rint(32767 * np.sin(np.arange(8000) / 7)).astype(np.int16)
    assert level_of(sine) == pytest.approx(-3.01, abs=0.01)
    assert level_of(np.zeros(5, np.int16)) == pytest.approx(-100)


def test_numbers_are_learned_from_sounds_too(tmp_path: Path) -> None:
    recordings(tmp_path)
    names = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.wav"))
    lines = "".join(f"{name},{0.5 * i}\n" for i, name in enumerate(names))
    (tmp_path / "rows.csv").write_text("file,height\n" + lines)
    found = prepared(tmp_path, source="rows.csv", target="height", task="regression")
    assert found.classes == ()
    assert found.rows.labels[:2] == [0.0, 0.5]


def test_the_digest_is_that_of_the_sounds_too(tmp_path: Path) -> None:
    root = recordings(tmp_path, 4)
    (tmp_path / "rows.csv").write_text("file,y\nsounds/low/000.wav,a\nsounds/high/001.wav,b\n")
    configs = [
        DataConfig(source=source, kind="audio", target="y") for source in ("rows.csv", "sounds")
    ]
    before = [source_digest(config, tmp_path) for config in configs]
    (root / "low" / "000.wav").write_bytes(packed(sound(77)))
    after = [source_digest(config, tmp_path) for config in configs]
    assert len({*before, *after}) == 4


def test_init_takes_a_folder(tmp_path: Path) -> None:
    guesses = guess_data(recordings(tmp_path))
    found = (guesses["kind"].value, guesses["inputs"].value, guesses["target"].value)
    assert found == ("audio", ("path",), "label")


BAD_FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "the file is empty"),
    "text": (b"hello", "no WAV file"),
    "mp3": (b"ID3\4" + b"\0" * 50, "no WAV file but MP3"),
    "truncated": (packed(sound(1))[:1000], "truncated (956 of 2,400 bytes of sound)"),
    "header alone": (packed(sound(1))[:30], "damaged (no chunk 'data')"),
    "no sample": (packed(sound(1)[:0]), "holds no sample"),
    "not a number": (packed(np.full(9, np.nan), kind=np.float32), "samples that are not finite"),
    "another scale": (packed(np.full(9, 9e3), kind=np.float32), "holds samples up to 9000"),
    "65 channels": (packed(np.zeros((9, 65))), "65 channels, 1 to 64 are taken"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_is_no_sound_is_one_sentence(tmp_path: Path, name: str) -> None:
    content, reason = BAD_FILES[name]
    root = recordings(tmp_path)
    (root / "low" / "bad.wav").write_bytes(content)
    with pytest.raises(ValueError, match=r".") as raised:
        prepared(tmp_path)
    assert str(raised.value).startswith(
        "sounds: 1 of 61 sounds cannot be read, data.max_corrupt 0.01 allows 0: low/bad.wav ("
    )
    assert reason in str(raised.value)
    assert "\n" not in str(raised.value)


def renamed(root: Path) -> None:
    for path in files_in(root):
        path.rename(path.with_suffix(".mp3"))


ROWS = {"source": "rows.csv", "target": "side"}
BAD_SOURCES: dict[str, tuple[Spoil, dict[str, Any], str]] = {
    "empty folder": (emptied, {}, "sounds holds no file that ends in .wav, .wave"),
    "wrong suffix": (renamed, {}, "sounds holds no file that ends in .wav, .wave"),
    "one class": (without("high"), {}, "only the class 'low', at least two are needed"),
    "no class": (unlabelled("low"), {}, "data.target 'label' is missing here and in 30 of 60 rows"),
    "a link outside": (
        linked("low", "link.wav", packed(sound(5))),
        {},
        "a link that leads out of sounds/",
    ),
    "unknown target": (as_they_are, {"target": "labl"}, "did you mean label"),
    "two inputs": (as_they_are, {"inputs": ("path", "x")}, "'x' is not a column"),
    "target as input": (as_they_are, {"inputs": ("label",)}, "is the target too"),
    "types": (as_they_are, {"columns": {"path": "number"}}, "kind audio has no types"),
    "dots": (listed_with("../x.wav,low"), ROWS, "'../x.wav', a path from .* without '..'"),
    "absolute": (listed_with("/etc/x.wav,low"), ROWS, "'/etc/x.wav', a path from .* without '..'"),
    "missing": (listed_with("sounds/gone.wav,low"), ROWS, r"gone.wav \(gone.wav: no such file\)"),
    "no path": (listed_with("nothing,low"), ROWS | {"inputs": ("file",)}, "must be a path"),
    "no column": (listed_with("x,low"), ROWS, "has no column of files that end in .wav, .wave"),
    "no folder": (as_they_are, {"source": "tones"}, "no such file"),
    "0 Hz": (as_they_are, {"audio": {"sample_rate": 0}}, "greater than or equal to 1000"),
    "no length": (as_they_are, {"audio": {"seconds": 0}}, "greater than 0"),
    "an hour": (as_they_are, {"audio": {"seconds": 3600}}, "less than or equal to 120"),
    "a gap": (
        as_they_are,
        {"audio": {"hop_ms": 40}},
        "hop_ms 40 must be at most window_ms 25: what lies between two frames",
    ),
    "too many bands": (
        as_they_are,
        {"audio": {"sample_rate": 4000}},
        "mels 64 must be at most 50: so many frequencies does a window of 25 ms tell apart",
    ),
    "a typo": (as_they_are, {"audio": {"n_mels": 64}}, "Extra inputs are not permitted"),
}


@pytest.mark.parametrize("name", BAD_SOURCES)
def test_a_bad_source_is_one_sentence(tmp_path: Path, name: str) -> None:
    spoil, settings, sentence = BAD_SOURCES[name]
    root = recordings(tmp_path)
    spoil(root)
    with pytest.raises(ValueError, match=sentence):
        prepared(tmp_path, **settings)


@pytest.mark.parametrize("kind", ["text", "table", "image", "series"])
def test_other_kinds_have_no_audio(kind: Any) -> None:
    with pytest.raises(ValueError, match=rf"data\.audio is for kind audio, data.kind is {kind}"):
        DataConfig(source="x.csv", target="y", kind=kind, audio={"seconds": 1})  # type: ignore[arg-type]
