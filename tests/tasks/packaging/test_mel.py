"""Log-mel and resampling against other ways to compute them."""

import numpy as np
import pytest
from scipy import signal

from tasks.packaging.predictor.mel import (
    FAINTEST,
    MelForm,
    hertz_of,
    log_mel,
    mel_bands,
    mel_of,
    resampled,
)

FORM = MelForm(rate=8000, mels=20, window=200, hop=80)
NOISE = np.random.default_rng(0).normal(0, 0.1, 4000).astype(np.float32)


def tone(hertz: float, rate: int, seconds: float = 0.5) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)


def by_hand(hertz: float, low: float, middle: float, high: float) -> float:
    """The triangle of one band at one frequency."""
    if low < hertz <= middle:
        return (hertz - low) / (middle - low)
    return (high - hertz) / (high - middle) if middle < hertz < high else 0.0


def test_log_mel_is_that_of_scipys_spectrogram_and_triangles_by_hand() -> None:
    window = signal.get_window("hann", 200)  # periodic
    _, _, spectra_FT = signal.stft(
        NOISE, window=window, nperseg=200, noverlap=120, nfft=256, boundary=None, padded=False
    )
    power_TF = np.abs(spectra_FT.T) ** 2 * window.sum() ** 2 / (window**2).sum()
    edges = [700 * (10 ** (m / 2595) - 1) for m in np.linspace(0, 2595 * np.log10(1 + 4 / 0.7), 22)]
    expected = np.empty((len(power_TF), 20))
    for band in range(20):
        weights = np.array([by_hand(k * 8000 / 256, *edges[band : band + 3]) for k in range(129)])
        expected[:, band] = power_TF @ (weights / weights.sum())
    found = log_mel(NOISE, FORM)
    assert (found.shape, found.dtype) == ((48, 20), np.float32)
    np.testing.assert_allclose(found, np.log10(expected + FAINTEST), atol=1e-4)


def test_white_noise_is_as_loud_in_every_band() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 80_000)
    power = (10.0 ** log_mel(noise, FORM)).mean(0)
    np.testing.assert_allclose(power, 0.01, rtol=0.15)  # the variance of the noise


def test_ten_times_the_power_is_one_bel() -> None:
    np.testing.assert_allclose(
        log_mel(NOISE * np.sqrt(10), FORM) - log_mel(NOISE, FORM), 1, atol=1e-3
    )


@pytest.mark.parametrize("hertz", [150, 440, 1000, 3000])
def test_a_tone_stands_in_its_band(hertz: float) -> None:
    bands = np.linspace(0, float(mel_of(4000)), 22)[1:-1]
    loudest = log_mel(tone(hertz, 8000), FORM).mean(0).argmax()
    assert abs(hertz_of(bands[loudest]) - hertz) <= 0.6 * (hertz_of(bands[0]) + 0.15 * hertz)


def test_a_kilohertz_is_a_thousand_mel_and_back() -> None:
    assert float(mel_of(1000)) == pytest.approx(1000, abs=0.1)
    np.testing.assert_allclose(hertz_of(mel_of(np.arange(9000))), np.arange(9000), atol=1e-6)


def test_narrow_bands_take_the_nearest_frequency() -> None:
    bands_FM = mel_bands(MelForm(8000, 60, 128, 64), 128)
    np.testing.assert_allclose(bands_FM.sum(0), 1)
    assert (bands_FM >= 0).all()


@pytest.mark.parametrize(("steps", "frames"), [(1, 1), (200, 1), (279, 1), (280, 2), (1000, 11)])
def test_a_frame_begins_every_hop_and_a_short_sound_is_one(steps: int, frames: int) -> None:
    assert log_mel(NOISE[:steps], FORM).shape == (frames, 20)


def test_silence_is_the_faintest_there_is() -> None:
    np.testing.assert_allclose(log_mel(np.zeros(400), FORM), np.log10(FAINTEST), rtol=1e-6)


RATES = [
    (44_100, 16_000), (48_000, 16_000), (22_050, 8000), (8000, 16_000), (11_025, 16_000),
    (44_056, 16_000), (16_000, 16_000), (96_000, 8000), (44_101, 16_000),
]  # fmt: skip


@pytest.mark.parametrize(("rate", "wanted"), RATES)
@pytest.mark.parametrize("hertz", [100, 440, 1500, 3300])
def test_a_tone_keeps_its_pitch_its_size_and_its_place(
    rate: int, wanted: int, hertz: float
) -> None:
    found = resampled(tone(hertz, rate), rate, wanted)
    assert len(found) == -(-round(rate / 2) * wanted // rate)
    middle = slice(wanted // 8, 3 * wanted // 8)
    np.testing.assert_allclose(found[middle], tone(hertz, wanted)[middle], atol=2e-3)


@pytest.mark.parametrize(("rate", "wanted"), [(44_100, 16_000), (48_000, 8000), (22_050, 8000)])
def test_what_is_too_high_for_the_rate_is_gone(rate: int, wanted: int) -> None:
    found = resampled(tone(wanted / 2 * 1.1, rate), rate, wanted)
    assert np.abs(found[wanted // 8 : 3 * wanted // 8]).max() < 1e-3


@pytest.mark.parametrize(("rate", "wanted"), [(44_100, 16_000), (8000, 16_000), (48_000, 16_000)])
def test_a_sound_below_the_limit_is_resampled_as_scipy_does(rate: int, wanted: int) -> None:
    low = signal.sosfiltfilt(
        signal.butter(8, 3000, fs=rate, output="sos"), np.random.default_rng(2).normal(size=rate)
    )
    common = np.gcd(rate, wanted)
    expected = signal.resample_poly(low, wanted // common, rate // common)
    found = resampled(low, rate, wanted)[: len(expected)]
    inside = slice(1000, -1000)
    assert np.abs(found - expected)[inside].max() < 0.01 * np.abs(expected).max()


def test_pieces_leave_no_seam() -> None:
    long = tone(440, 44_100, 3)
    found = resampled(long, 44_100, 16_000)
    np.testing.assert_allclose(found[1000:-1000], tone(440, 16_000, 3)[1000:-1000], atol=2e-3)
