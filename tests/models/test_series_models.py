"""Networks over series: padding decides nothing, and the arithmetic is that of the textbook."""

from typing import Any

import numpy as np
import pytest
import torch

from models.build import build_model
from models.series_statistics import statistics_of

SHAPES: list[tuple[str, dict[str, Any]]] = [
    ("recurrent_series", {"cell": "rnn"}),
    ("recurrent_series", {"cell": "lstm", "layers": 2}),
    ("recurrent_series", {"cell": "gru", "pooling": "last"}),
    ("recurrent_series", {"cell": "gru", "bidirectional": False, "pooling": "last"}),
    ("series_cnn", {}),
    ("series_statistics", {}),
]


def padded(lengths: list[int], steps: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    mask = (torch.arange(steps) < torch.tensor(lengths)[:, None]).float()
    values = torch.zeros(len(lengths), steps, 3)
    values[:, : max(lengths)] = torch.randn(len(lengths), max(lengths), 3, generator=generator)
    return values * mask[:, :, None], mask


@pytest.mark.parametrize(("family", "shape"), SHAPES, ids=str)
def test_longer_padding_leaves_every_bit(family: str, shape: dict[str, Any]) -> None:
    torch.manual_seed(0)
    model = build_model(family, {"num_classes": 4, "channels": 3, **shape}).eval()
    with torch.inference_mode():
        short, long = (model(*padded([5, 1, 9], steps)) for steps in (9, 16))
    assert torch.equal(short, long)


@pytest.mark.parametrize(("family", "shape"), SHAPES, ids=str)
def test_what_stands_in_padding_is_not_looked_at(family: str, shape: dict[str, Any]) -> None:
    torch.manual_seed(0)
    model = build_model(family, {"num_classes": 4, "channels": 3, **shape}).eval()
    values, mask = padded([5, 1, 9], 9)
    noise = torch.randn(values.shape) * (1 - mask[:, :, None])
    with torch.inference_mode():
        assert torch.equal(model(values, mask), model(values + noise, mask))


def test_both_directions_are_those_of_torch() -> None:
    torch.manual_seed(0)
    ours = build_model("recurrent_series", {"num_classes": 4, "channels": 3, "width": 6}).eval()
    theirs = torch.nn.GRU(3, 6, batch_first=True, bidirectional=True)
    layers = ours.recurrent
    state = dict(layers.forward_layers[0].state_dict())  # type: ignore[index, union-attr]
    back = layers.backward_layers[0].state_dict()  # type: ignore[index, union-attr]
    theirs.load_state_dict(state | {f"{name}_reverse": weight for name, weight in back.items()})
    values, mask = padded([7, 7], 7)
    with torch.inference_mode():
        expected = ours.head(theirs(values)[0].mean(1))  # type: ignore[operator]
        torch.testing.assert_close(ours(values, mask), expected)


def test_statistics_are_those_of_numpy() -> None:
    values, mask = padded([6], 8)
    series = values[0, :6].numpy()
    change = np.diff(series, axis=0, prepend=series[:1])
    expected = [
        *(series.mean(0), series.std(0), series.min(0), series.max(0), series[0], series[-1]),
        *(np.abs(change).mean(0), change.std(0)),
    ]
    found = statistics_of(values, mask)[0].numpy()
    np.testing.assert_allclose(found, np.concatenate(expected), rtol=1e-5, atol=1e-6)
