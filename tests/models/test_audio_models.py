"""Networks that hear sounds: padding decides nothing, and the arithmetic is the textbook's."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy.fft import dct as reference_dct

from models.build import build_model
from models.mfcc_statistics import dct, deltas, mfcc_statistics

SHAPES: list[tuple[str, dict[str, Any]]] = [
    ("audio_cnn", {}),
    ("audio_cnn", {"widths": (8, 8)}),
    ("mfcc_statistics", {"coefficients": 13}),
]


def padded(lengths: list[int], frames: int, mels: int = 20) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    mask = (torch.arange(frames) < torch.tensor(lengths)[:, None]).float()
    values = torch.zeros(len(lengths), frames, mels)
    values[:, : max(lengths)] = torch.randn(len(lengths), max(lengths), mels, generator=generator)
    return values * mask[:, :, None], mask


def model_of(family: str, shape: dict[str, Any]) -> torch.nn.Module:
    torch.manual_seed(0)
    model = build_model(family, {"num_classes": 4, "mels": 20, **shape})
    if family == "audio_cnn":  # running statistics that are not those of a fresh network
        with torch.no_grad():
            for _ in range(3):
                model(*padded([30, 17], 30))
    return model.eval()


@pytest.mark.parametrize(("family", "shape"), SHAPES, ids=str)
def test_padding_never_changes_an_answer(family: str, shape: dict[str, Any]) -> None:
    model = model_of(family, shape)
    lengths = [13, 1, 30, 8]
    with torch.inference_mode():
        short, long = (model(*padded(lengths, frames)) for frames in (30, 47))
        torch.testing.assert_close(short, long, atol=1e-5, rtol=1e-5)
        for row, length in enumerate(lengths):
            values, mask = padded(lengths, 30)
            alone = model(values[row : row + 1, :length], mask[row : row + 1, :length])
            torch.testing.assert_close(alone, short[row : row + 1], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("family", "shape"), SHAPES, ids=str)
def test_what_stands_in_padding_is_not_looked_at(family: str, shape: dict[str, Any]) -> None:
    model = model_of(family, shape)
    values, mask = padded([5, 1, 9], 16)
    noise = torch.randn(values.shape) * (1 - mask[:, :, None])
    with torch.inference_mode():
        assert torch.equal(model(values, mask), model(values + noise, mask))


def test_coefficients_are_those_of_scipys_cosine_transform() -> None:
    bands = np.random.default_rng(0).normal(size=(5, 40))
    expected = reference_dct(bands, type=2, norm="ortho", axis=1)[:, :13]
    np.testing.assert_allclose(bands @ dct(40, 13).numpy(), expected, atol=1e-5)


def test_a_change_is_the_slope_of_a_line_through_five_frames() -> None:
    values, mask = padded([9], 12, 3)
    found = deltas(values, mask)[0, :9].numpy()
    longer = np.pad(values[0, :9].numpy(), ((2, 2), (0, 0)), mode="edge")
    expected = [np.polyfit(np.arange(5), longer[frame : frame + 5], 1)[0] for frame in range(9)]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_statistics_are_those_of_numpy() -> None:
    values, mask = padded([7], 12)
    coefficients = reference_dct(values[0, :7].numpy(), type=2, norm="ortho", axis=1)[:, :5]
    change = deltas(torch.tensor(coefficients).float()[None], torch.ones(1, 7))[0].numpy()
    expected = [*(coefficients.mean(0), coefficients.std(0)), *(change.mean(0), change.std(0))]
    found = mfcc_statistics(values, mask, 5)[0].numpy()
    np.testing.assert_allclose(found, np.concatenate(expected), atol=1e-5)
