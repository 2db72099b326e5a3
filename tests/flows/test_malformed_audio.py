"""Malformed sounds: each is refused in one sentence, by the command with exit code 2."""

import io
import json
import wave
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

Case = tuple[dict[str, bytes | str], dict[str, Any]]
"""Files by name, and what `data` of the project file says beside source, kind and target."""
RATE = 4000
FORM = {"sample_rate": RATE, "seconds": 0.2, "mels": 16}


def tone(index: int) -> np.ndarray:
    time, random = np.arange(600) / RATE, np.random.default_rng(index)
    pitch = (900 if index % 2 else 300) * random.uniform(0.9, 1.1)
    return 0.3 * np.sin(2 * np.pi * pitch * time) + random.normal(0, 0.01, len(time))


def wav(samples: np.ndarray, rate: int = RATE) -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.rint(samples * 32767).astype("<i2").tobytes())
    return stream.getvalue()


SOUNDS: dict[str, bytes | str] = {
    f"sounds/{('low', 'high')[i % 2]}/{i:02}.wav": wav(tone(i)) for i in range(60)
}
PATHS = "file,y\n" + "".join(f"{name},{name.split('/')[1]}\n" for name in SOUNDS)
SI = {"source": "sounds", "target": "label", "audio": FORM}


def with_file(content: bytes, name: str = "bad.wav") -> Case:
    return {**SOUNDS, f"sounds/low/{name}": content}, SI


def with_row(line: str, **settings: Any) -> Case:
    return {**SOUNDS, "rows.csv": PATHS + line + "\n"}, {"audio": FORM, **settings}


def cells(bad: Any, **settings: Any) -> Case:
    values = [{"rate": RATE, "samples": tone(i).tolist()} for i in range(60)]
    values[7] = bad
    lines = [
        json.dumps({"clip": cell, "y": ("low", "high")[i % 2]}) for i, cell in enumerate(values)
    ]
    return {"rows.jsonl": "\n".join(lines) + "\n"}, {
        "source": "rows.jsonl",
        "audio": FORM,
        **settings,
    }


def form(**settings: Any) -> Case:
    return SOUNDS, SI | {"audio": {**FORM, **settings}}


MALFORMED: dict[str, tuple[Case, str]] = {
    "an empty file": (with_file(b""), "low/bad.wav (the file is empty)"),
    "text as sound": (with_file(b"hello"), "low/bad.wav (no WAV file)"),
    "an MP3": (with_file(b"ID3\4" + b"\0" * 50), "low/bad.wav (no WAV file but MP3)"),
    "a WAV cut short": (
        with_file(wav(tone(1))[:300]),
        "low/bad.wav (truncated (256 of 1,200 bytes of sound))",
    ),
    "a head alone": (with_file(wav(tone(1))[:30]), "low/bad.wav (damaged (no chunk 'data'))"),
    "no sample": (with_file(wav(tone(1)[:0])), "low/bad.wav (holds no sample)"),
    "a rate of one": (
        with_file(wav(tone(1), rate=1)),
        "low/bad.wav (1 samples a second, 100 to 768,000 are taken)",
    ),
    "compressed samples": (
        with_file(wav(tone(1))[:20] + b"\2\0" + wav(tone(1))[22:]),
        "low/bad.wav (format 0x0002 of 16 bits in 2 bytes, taken are PCM of 8, 16, 24 or 32",
    ),
    "no folder": (({}, SI), "project.yaml:3: data.source 'sounds': no such file"),
    "an empty folder": (
        ({"sounds/readme.txt": "x"}, SI),
        "sounds holds no file that ends in .wav, .wave; a folder with a folder of files for each",
    ),
    "a folder of one class": (
        ({n: c for n, c in SOUNDS.items() if "low" in n}, SI),
        "sounds: data.target 'label' has only the class 'low', at least two are needed",
    ),
    "a class of one sound": (
        ({**SOUNDS, "sounds/other/1.wav": wav(tone(99))}, SI),
        "data.target 'label': too rare to stand in train, valid and test, which takes at least 3",
    ),
    "files without a class": (
        (
            {
                **{n: c for n, c in SOUNDS.items() if "low" in n},
                **{f"sounds/{i}.wav": wav(tone(i)) for i in range(60, 90)},
            },
            SI,
        ),
        "sounds, row 1: data.target 'label' is missing here and in 30 of 60 rows, at most 5% may",
    ),
    "an unknown target": (
        (SOUNDS, SI | {"target": "pitch"}),
        "data.target 'pitch' is not a column of sounds, did you mean path? columns: path, label",
    ),
    "the label as input": (
        (SOUNDS, SI | {"inputs": ["label"]}),
        "data.inputs 'label' is the target too, which would be leaked",
    ),
    "an unknown input": (
        (SOUNDS, SI | {"inputs": ["clip"]}),
        "data.inputs 'clip' is not a column of sounds; columns: path, label",
    ),
    "an input that is not there": (
        with_row("", inputs=["file", "y2"]),
        "data.inputs 'y2' is not a column of rows.csv, did you mean y? columns: file, y",
    ),
    "a path that leads out": (
        with_row("../a.wav,low"),
        "rows.csv:62: 'file' is '../a.wav', a path from",
    ),
    "an absolute path": (
        with_row("/etc/a.wav,low"),
        "rows.csv:62: 'file' is '/etc/a.wav', a path from",
    ),
    "a file that is not there": (
        with_row("sounds/low/none.wav,low"),
        "sounds/low/none.wav (none.wav: no such file)",
    ),
    "a cell that is no path": (
        with_row("a song,low"),
        "data.inputs: rows.csv has no column of files that end in .wav, .wave (columns: file, y)",
    ),
    "no column of sounds": (
        (
            {"rows.csv": "a,y\n" + "".join(f"{i},{'lh'[i % 2]}\n" for i in range(60))},
            {"audio": FORM},
        ),
        "data.inputs: rows.csv has no column of files that end in .wav, .wave (columns: a, y)",
    ),
    "a rate that is a word": (
        cells({"rate": "fast", "samples": [0.1, 0.2]}),
        "{'rate': 'fast', 'samples': [0.1, 0.2]} (rate 'fast' must be a whole number of samples",
    ),
    "a rate of no whole number": (
        cells({"rate": 0.5, "samples": [0.1, 0.2]}),
        "{'rate': 0.5, 'samples': [0.1, 0.2]} (rate 0.5 must be a whole number of samples a",
    ),
    "samples that are words": (
        cells({"rate": RATE, "samples": ["a"]}),
        "{'rate': 4000, 'samples': ['a']} (samples ['a'] must be a list of numbers from -1 to 1)",
    ),
    "samples of another scale": (
        cells({"rate": RATE, "samples": [3000, -2000]}),
        "{'rate': 4000, 'samples': [3000, -2000]} (holds samples up to 3000, the full scale of",
    ),
    "samples without a rate": (
        cells([0.1, 0.2]),
        "data.inputs: rows.jsonl has no column of files that end in .wav, .wave (columns: clip,",
    ),
    "a number as sound": (
        cells(3),
        "data.inputs: rows.jsonl has no column of files that end in .wav, .wave (columns: clip,",
    ),
    "an unknown setting": (
        form(mel=16),
        "project.yaml:10: data.audio.mel: unknown field, did you mean mels? allowed:",
    ),
    "a rate of nothing": (
        form(sample_rate=0),
        "project.yaml:7: data.audio.sample_rate: 0 must be greater than or equal to 1000",
    ),
    "seconds in words": (
        form(seconds="ten"),
        "project.yaml:8: data.audio.seconds: 'ten' must be a valid number",
    ),
    "more bands than a window tells apart": (
        form(mels=200),
        "project.yaml:6: data.audio: mels 200 must be at most 50: so many frequencies does a",
    ),
    "steps longer than a window": (
        form(hop_ms=60),
        "project.yaml:6: data.audio: hop_ms 60 must be at most window_ms 25: what lies between",
    ),
    "another kind's settings": (
        (SOUNDS, SI | {"image": {"size": 8}}),
        "project.yaml:2: data: data.image is for kind image, data.kind is audio",
    ),
    "a window of days": (
        (SOUNDS, SI | {"window": "7d"}),
        "data: window is for kinds text, table, series, interactions, data.kind is audio",
    ),
    "ranking of sounds": (
        (SOUNDS, SI | {"task": "ranking"}),
        "project.yaml:2: data: data.task ranking is for kind interactions, data.kind is audio",
    ),
    "too many corrupt allowed": (
        (SOUNDS, SI | {"max_corrupt": 2}),
        "project.yaml:10: data.max_corrupt: 2 must be less than or equal to 1",
    ),
    "weights of an unknown class": (
        (SOUNDS, SI | {"class_weights": {"other": 2}}),
        "data.class_weights 'other' is no class, allowed: high, low",
    ),
    "a regression of names": (
        (SOUNDS, SI | {"task": "regression"}),
        "sounds, row 1: data.target 'label' is 'high', task regression takes finite numbers",
    ),
    "an unknown slice": (
        (SOUNDS, SI | {"beside": ["camera"]}),
        "evaluate.slices 'camera' is not a column of sounds; columns: path, label",
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_it_is_one_sentence(is_one_sentence: Callable[..., None], name: str) -> None:
    is_one_sentence("audio", *MALFORMED[name])


@pytest.mark.parametrize("name", ["an MP3", "an unknown setting", "a class of one sound"])
def test_the_command_refuses_it(is_bad_input: Callable[..., None], name: str) -> None:
    is_bad_input("audio", *MALFORMED[name])
