"""WAV files: every width is the same sound, and every damage is one sentence."""

import io
import struct
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import wavfile

from tasks.packaging.predictor.wav import (
    A_LAW,
    EXTENSIBLE,
    FLOAT,
    MU_LAW,
    PCM,
    read_wav,
    wav_bytes,
)

RATE = 8000
TONE = np.sin(2 * np.pi * 440 * np.arange(RATE // 10) / RATE) * 0.5


def header(
    tag: int = PCM, channels: int = 1, rate: int = RATE, bits: int = 16, block: int | None = None
) -> bytes:
    block = channels * bits // 8 if block is None else block
    return struct.pack("<HHIIHH", tag, channels, rate, (rate * block) % 2**32, block, bits)


def chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    return name + struct.pack("<I", len(body) if size is None else size) + body


def riff(*chunks: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 4 + sum(map(len, chunks))) + b"WAVE" + b"".join(chunks)


def file_of(body: bytes, **form: int) -> bytes:
    return riff(chunk(b"fmt ", header(**form)), chunk(b"data", body))


def by_scipy(samples: np.ndarray, rate: int = RATE) -> bytes:
    stream = io.BytesIO()
    wavfile.write(stream, rate, samples)
    return stream.getvalue()


def test_every_width_is_the_same_sound() -> None:
    whole = np.rint(TONE * 32767)
    three = np.rint(TONE * 8388607).astype("<i4")
    forms = {
        "8 bits": (by_scipy(np.rint(TONE * 127 + 128).astype(np.uint8)), 0.01),
        "16 bits": (by_scipy(whole.astype(np.int16)), 1e-4),
        "24 bits": (file_of(three.view(np.uint8).reshape(-1, 4)[:, :3].tobytes(), bits=24), 1e-6),
        "32 bits": (by_scipy(np.rint(TONE * 2147483647).astype(np.int32)), 1e-6),
        "float 32": (by_scipy(TONE.astype(np.float32)), 1e-6),
        "float 64": (by_scipy(TONE), 1e-6),
    }
    for name, (data, error) in forms.items():
        sound = read_wav(data, 10)
        assert (sound.rate, sound.seconds, sound.samples_SC.shape) == (RATE, 0.1, (800, 1)), name
        assert sound.samples_SC.dtype == np.float32
        np.testing.assert_allclose(sound.samples_SC[:, 0], TONE, atol=error, err_msg=name)


@pytest.mark.parametrize(
    ("tag", "codes"),
    [
        (MU_LAW, {0xFF: 0, 0x7F: 0, 0x80: 32124, 0x00: -32124, 0xFE: 8, 0xEF: 132, 0x6F: -132}),
        (A_LAW, {0xD5: 8, 0x55: -8, 0xAA: 32256, 0x2A: -32256, 0xD4: 24, 0xC5: 264}),
    ],
    ids=["mu-law", "A-law"],
)
def test_telephone_codes_are_those_of_the_standard(tag: int, codes: dict[int, int]) -> None:
    found = read_wav(file_of(bytes(codes), tag=tag, bits=8), 10).samples_SC[:, 0]
    assert (found * 32768).tolist() == list(codes.values())


def test_mu_law_is_nearly_a_logarithm() -> None:
    size = np.log1p(255 * np.abs(TONE)) / np.log(256)  # G.711 is this curve in straight pieces
    code = np.rint(size * 127).astype(np.uint8) | np.where(TONE < 0, 128, 0).astype(np.uint8)
    data = file_of((~code).tobytes(), tag=MU_LAW, bits=8)
    np.testing.assert_allclose(read_wav(data, 10).samples_SC[:, 0], TONE, atol=0.03)


def test_chunks_that_say_other_things_are_passed_over(tmp_path: Path) -> None:
    body = np.arange(10, dtype="<i2").tobytes()
    extended = struct.pack("<HHIH", 22, 16, 4, PCM) + b"\0" * 14
    data = riff(
        chunk(b"LIST", b"odd") + b"\0",
        chunk(b"fmt ", header(tag=EXTENSIBLE, channels=2) + extended),
        chunk(b"data", body),
        chunk(b"id3 ", b"12345"),
    )
    sound = read_wav(data, 10)
    assert (sound.samples_SC * 32768).tolist() == np.arange(10).reshape(5, 2).tolist()


@pytest.mark.parametrize("size", [0, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_recorder_that_never_knew_the_length_is_read_to_the_end(size: int) -> None:
    data = riff(chunk(b"fmt ", header()), chunk(b"data", b"\1\0\2\0\3\0", size))
    assert (read_wav(data, 10).samples_SC[:, 0] * 32768).tolist() == [1, 2, 3]


def test_no_more_is_unpacked_than_is_asked_for() -> None:
    sound = read_wav(by_scipy(np.zeros((RATE * 3, 2), np.int16)), 0.5)
    assert (len(sound.samples_SC), sound.seconds) == (4001, 3.0)


def test_what_is_written_is_what_the_standard_library_reads() -> None:
    samples = np.array([0, -32768, 32767, 5], np.int16)
    with wave.open(io.BytesIO(wav_bytes(samples, 16_000))) as file:
        assert file.getparams()[:4] == (1, 2, 16_000, 4)
        assert np.frombuffer(file.readframes(9), "<i2").tolist() == samples.tolist()
    assert (read_wav(wav_bytes(samples, 100), 10).samples_SC[:, 0] * 32768).tolist() == [
        *samples.tolist()
    ]


GOOD = file_of(b"\0" * 100)
FORM = chunk(b"fmt ", header())
SOUND = chunk(b"data", b"\0" * 8)


def floats(*values: float) -> bytes:
    return file_of(np.array(values, "<f4").tobytes(), tag=FLOAT, bits=32)


BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "the file is empty"),
    "text": (b"hello, world", "no WAV file"),
    "mp3 renamed": (b"ID3\4\0\0\0\0\0\0", "no WAV file but MP3"),
    "mp3 without tags": (b"\xff\xfb\x90\0" * 9, "no WAV file but MP3"),
    "ogg renamed": (b"OggS\0\2" + b"\0" * 20, "no WAV file but Ogg"),
    "flac renamed": (b"fLaC\0\0\0\x22", "no WAV file but FLAC"),
    "aiff renamed": (b"FORM\0\0\0\4AIFF", "no WAV file but AIFF"),
    "big-endian": (b"RIFX\0\0\0\4WAVE", "no WAV file but RIFX"),
    "more than 4 GB": (b"RF64\xff\xff\xff\xffWAVE", "no WAV file but RF64"),
    "avi": (b"RIFF\4\0\0\0AVI ", "no WAV file"),
    "riff alone": (b"RIFF", "no WAV file"),
    "no chunk": (riff(), "damaged (no chunk 'fmt')"),
    "no form": (riff(SOUND), "damaged (no chunk 'fmt')"),
    "no sound": (riff(FORM), "damaged (no chunk 'data')"),
    "short form": (riff(chunk(b"fmt ", header()[:14]), SOUND), "a chunk 'fmt' of 14 bytes"),
    "form beyond the end": (riff(SOUND, chunk(b"fmt ", b"", 16)), "a chunk 'fmt' of 16 bytes"),
    "cut in the sound": (GOOD[:100], "truncated (56 of 100 bytes of sound)"),
    "cut in the header": (GOOD[:40], "damaged (no chunk 'data')"),
    "zero length": (file_of(b""), "holds no sample"),
    "half a sample": (file_of(b"\0"), "holds no sample"),
    "0 channels": (file_of(b"\0" * 8, channels=0, block=2), "0 channels, 1 to 64 are taken"),
    "1,000 channels": (file_of(b"\0" * 2000, channels=1000), "1,000 channels, 1 to 64"),
    "0 Hz": (file_of(b"\0" * 8, rate=0), "0 samples a second, 100 to 768,000 are taken"),
    "4 GHz": (file_of(b"\0" * 8, rate=4_000_000_000), "4,000,000,000 samples a second"),
    "adpcm": (file_of(b"\0" * 8, tag=2, bits=4, block=1), "format 0x0002 of 4 bits in 1 bytes"),
    "mp3 inside": (file_of(b"\0" * 8, tag=0x55, bits=0, block=1), "format 0x0055 of 0 bits"),
    "12 bytes a sample": (file_of(b"\0" * 24, bits=96), "format 0x0001 of 96 bits in 12 bytes"),
    "float of 16 bits": (file_of(b"\0" * 8, tag=FLOAT), "format 0x0003 of 16 bits in 2 bytes"),
    "block of 0": (file_of(b"\0" * 8, block=0), "format 0x0001 of 16 bits in 0 bytes"),
    "crooked block": (file_of(b"\0" * 10, channels=2, block=5), "damaged (2 channels in 5 bytes)"),
    "more bits than bytes": (file_of(b"\0" * 8, bits=24, block=2), "of 24 bits in 2 bytes"),
    "not a number": (floats(0, float("nan")), "holds samples that are not finite"),
    "infinite": (floats(0, float("inf")), "holds samples that are not finite"),
    "another scale": (floats(0, 32767), "holds samples up to 32767, the full scale of floats is 1"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_sound_is_one_sentence(name: str) -> None:
    data, sentence = BAD[name]
    with pytest.raises(ValueError, match=r".") as raised:
        read_wav(data, 10)
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)


def refusal(data: bytes) -> str:
    """Why no sound is in these bytes; nothing when one is."""
    try:
        read_wav(data, 10)
    except ValueError as error:
        return str(error)
    return ""


@given(st.integers(0, 143), st.integers(0, 255))
def test_any_byte_may_be_wrong(place: int, value: int) -> None:
    data = bytearray(GOOD)
    data[place] = value
    assert "\n" not in refusal(bytes(data))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_sound_or_one_sentence(body: bytes) -> None:
    assert "\n" not in refusal(b"RIFF\0\0\0\0WAVE" + body)
