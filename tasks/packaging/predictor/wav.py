"""WAV files to samples and back, in numpy alone: RIFF chunks as in the Multimedia Programming
Interface (IBM and Microsoft 1991), with A-law and mu-law of ITU-T G.711.

Shapes: S steps in time, C channels.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

MOST_CHANNELS = 64
SLOWEST, FASTEST = 100, 768_000
"""Samples a second that are believed."""
LOUDEST = 16.0
"""Of samples that are floats, whose full scale is 1: 24 dB of headroom, more is another scale."""
PCM, FLOAT, A_LAW, MU_LAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
HEADER_BYTES, RATE_AT = 44, 24
"""Of the files that `wav_bytes` makes."""
STREAMED = (0, 0x7FFFFFFF, 0xFFFFFFFF)
"""What stands for the length of the sound where a recorder never knew it: all that follows."""
TAKEN = "PCM of 8, 16, 24 or 32 bits, float of 32 or 64, A-law or mu-law"
OTHERS = {
    b"ID3": "MP3",
    b"\xff\xfb": "MP3",
    b"\xff\xf3": "MP3",
    b"\xff\xf2": "MP3",
    b"OggS": "Ogg",
    b"fLaC": "FLAC",
    b"FORM": "AIFF",
    b"RF64": "RF64",
    b"RIFX": "RIFX",
    b"\x1aE\xdf\xa3": "WebM",
}
"""How files of other sorts begin that are at times called .wav."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What stands in a file."""

    samples_SC: np.ndarray
    """float32, full scale is 1."""
    rate: int
    """Samples a second."""
    seconds: float
    """Of the whole file, what was not read included."""


@dataclass(frozen=True, slots=True)
class _Form:
    tag: int
    channels: int
    rate: int
    width: int
    """Bytes of one sample."""

    @property
    def block(self) -> int:
        """Bytes of one step in time."""
        return self.channels * self.width


def read_wav(data: bytes, most_seconds: float) -> Sound:
    """The first `most_seconds` of a file's sound; ValueError, one sentence, for what is none."""
    chunks = _chunks(data)
    for name in ("fmt ", "data"):
        if name.encode() not in chunks:
            raise ValueError(f"damaged (no chunk {name.strip()!r})")
    form = _form(data, *chunks[b"fmt "])
    start, promised = chunks[b"data"]
    there = len(data) - start
    size = there if promised in STREAMED else promised
    if size > there:
        raise ValueError(f"truncated ({there:,} of {size:,} bytes of sound)")
    steps = size // form.block
    if not steps:
        raise ValueError("holds no sample")
    count = min(steps, int(most_seconds * form.rate) + 1) * form.channels
    raw = np.frombuffer(data, np.uint8, count * form.width, start)
    samples_SC = _DECODERS[form.tag, form.width](raw).reshape(-1, form.channels)
    return Sound(samples_SC, form.rate, steps / form.rate)


def check_samples(samples: np.ndarray) -> None:
    """Pass when all are finite and their full scale can be 1; ValueError else."""
    loudest = float(np.abs(samples).max()) if samples.size else 0.0
    if not np.isfinite(loudest):
        raise ValueError("holds samples that are not finite")
    if loudest > LOUDEST:
        raise ValueError(f"holds samples up to {loudest:g}, the full scale of floats is 1")


def check_rate(rate: float) -> None:
    """Pass when so many samples a second can be; ValueError else."""
    if not SLOWEST <= rate <= FASTEST:
        raise ValueError(f"{rate:,} samples a second, {SLOWEST} to {FASTEST:,} are taken")


def wav_bytes(samples_S: np.ndarray, rate: int) -> bytes:
    """A WAV file of one channel from int16 samples."""
    body = samples_S.astype("<i2").tobytes()
    form = struct.pack("<HHIIHH", PCM, 1, rate, 2 * rate, 2, 16)
    head = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data"
    size = struct.pack("<I", len(head) + 4 + len(body))
    return b"RIFF" + size + head + struct.pack("<I", len(body)) + body


def _chunks(data: bytes) -> dict[bytes, tuple[int, int]]:
    """Start and promised length of each chunk, of the first of a name."""
    if not data:
        raise ValueError("the file is empty")
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        other = next((name for start, name in OTHERS.items() if data.startswith(start)), "")
        raise ValueError(f"no WAV file{f' but {other}' if other else ''}")
    found: dict[bytes, tuple[int, int]] = {}
    place = 12
    while place + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, place)
        found.setdefault(name, (place + 8, size))
        place += 8 + size + size % 2
    return found


def _form(data: bytes, start: int, size: int) -> _Form:
    """What the header says; ValueError for what it may not say."""
    if size < 16 or start + size > len(data):
        raise ValueError(f"damaged (a chunk 'fmt' of {size} bytes)")
    tag, channels, rate, _, block, bits = struct.unpack_from("<HHIIHH", data, start)
    if tag == EXTENSIBLE and size >= 26:
        (tag,) = struct.unpack_from("<H", data, start + 24)  # the first bytes of a GUID
    if not 1 <= channels <= MOST_CHANNELS:
        raise ValueError(f"{channels:,} channels, 1 to {MOST_CHANNELS} are taken")
    check_rate(rate)
    width, rest = divmod(block, channels)
    if (tag, width) not in _DECODERS or bits > 8 * width:
        raise ValueError(f"format {tag:#06x} of {bits} bits in {block} bytes, taken are {TAKEN}")
    if rest:
        raise ValueError(f"damaged ({channels} channels in {block} bytes)")
    return _Form(tag, channels, rate, width)


def _unsigned(raw: np.ndarray) -> np.ndarray:
    return (raw.astype(np.float32) - 128) / 128


def _three_bytes(raw: np.ndarray) -> np.ndarray:
    wide = np.zeros((len(raw) // 3, 4), np.uint8)
    wide[:, 1:] = raw.reshape(-1, 3)
    return _whole("<i4")(wide.reshape(-1))


def _whole(kind: str) -> Callable[[np.ndarray], np.ndarray]:
    scale = float(2 ** (8 * np.dtype(kind).itemsize - 1))
    return lambda raw: (raw.view(kind) / scale).astype(np.float32)


def _real(kind: str) -> Callable[[np.ndarray], np.ndarray]:
    def decoded(raw: np.ndarray) -> np.ndarray:
        samples = raw.view(kind)
        check_samples(samples)
        return samples.astype(np.float32)

    return decoded


def _mu_law(raw: np.ndarray) -> np.ndarray:
    """G.711, table 2: a sign, three bits of exponent, four of mantissa, all inverted."""
    code = ~raw
    exponent, mantissa = (code >> 4) & 7, (code & 15).astype(np.int32)
    size = ((2 * mantissa + 33) << exponent) - 33
    return np.where(code & 128, -size, size).astype(np.float32) / 8192


def _a_law(raw: np.ndarray) -> np.ndarray:
    """G.711, table 1: as above, every second bit inverted."""
    code = raw ^ 0x55
    exponent, mantissa = ((code >> 4) & 7).astype(np.int32), (code & 15).astype(np.int32)
    size = np.where(exponent, (2 * mantissa + 33) << np.maximum(exponent - 1, 0), 2 * mantissa + 1)
    return np.where(code & 128, size, -size).astype(np.float32) / 4096


_DECODERS: dict[tuple[int, int], Callable[[np.ndarray], np.ndarray]] = {
    (PCM, 1): _unsigned,
    (PCM, 2): _whole("<i2"),
    (PCM, 3): _three_bytes,
    (PCM, 4): _whole("<i4"),
    (FLOAT, 4): _real("<f4"),
    (FLOAT, 8): _real("<f8"),
    (A_LAW, 1): _a_law,
    (MU_LAW, 1): _mu_law,
}
"""By format and bytes of a sample."""
