"""Networks for pictures, and HOG as a graph."""

from typing import Any

import numpy as np
import pytest
import torch
from skimage.feature import hog as reference_hog
from torch.utils.flop_counter import FlopCounterMode

from models.build import build_model
from models.hog_linear import hog

SHAPES: dict[str, dict[str, Any]] = {
    "lenet": {"size": 16},
    "small_lenet": {"size": 16},
    "shared_kernel_cnn": {},
    "resnet": {},
    "hog_linear": {"size": 16, "cell": 4},
}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("family", SHAPES)
def test_logits_of_rows_do_not_depend_on_their_neighbours(family: str, channels: int) -> None:
    torch.manual_seed(0)
    own = {} if family == "hog_linear" else {"channels": channels}
    model = build_model(family, {"num_classes": 3, **SHAPES[family], **own}).eval()
    pixels = torch.randn(6, channels, 16, 16)
    with torch.no_grad():
        together, alone = model(pixels=pixels), model(pixels=pixels[2:3])
    assert together.shape == (6, 3)
    assert torch.allclose(together[2:3], alone, atol=1e-5)


def multiply_adds(family: str, size: int) -> int:
    own = {"size": size} if "size" in SHAPES[family] else {}
    model = build_model(family, {"num_classes": 10, **own})
    with FlopCounterMode(display=False) as counter:
        model(pixels=torch.zeros(1, 1, size, size))
    return int(counter.get_total_flops() // 2)


@pytest.mark.parametrize("size", [8, 16, 32])
def test_the_small_lenet_takes_at_most_half_of_the_multiply_adds(size: int) -> None:
    assert multiply_adds("small_lenet", size) <= 0.5 * multiply_adds("lenet", size)


def test_layers_that_share_kernels_add_hardly_a_parameter() -> None:
    sizes = [
        sum(
            weight.numel()
            for weight in build_model(
                "shared_kernel_cnn", {"num_classes": 10, "layers": layers}
            ).parameters()
        )
        for layers in (2, 6)
    ]
    assert sizes[1] - sizes[0] == 4 * 2 * 16


@pytest.mark.parametrize(
    ("family", "config", "sentence"),
    [
        ("shared_kernel_cnn", {"width": 30}, "width 30 must be a multiple of 4"),
        ("resnet", {"widths": (16, 30)}, r"widths \(16, 30\) must be multiples of 4"),
    ],
)
def test_a_width_that_no_groups_divide(family: str, config: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        build_model(family, {"num_classes": 2, **config})


@pytest.mark.parametrize(("size", "cell"), [(8, 2), (16, 4), (32, 4), (15, 4)])
@pytest.mark.parametrize("channels", [1, 3])
def test_hog_is_that_of_scikit_image(size: int, cell: int, channels: int) -> None:
    random = np.random.default_rng(size)
    pictures = random.integers(0, 256, (4, size, size, channels)) / 255
    pictures[0] = 0.5  # no gradient anywhere
    pictures[1, :, : size // 2] = 0.0  # upright edges: gradients of angle 0
    found = hog(torch.from_numpy(pictures.transpose(0, 3, 1, 2)), cell).numpy()
    for picture, features in zip(pictures, found, strict=True):
        expected = reference_hog(
            picture, 9, (cell, cell), (2, 2), block_norm="L2-Hys", channel_axis=2
        )
        np.testing.assert_allclose(features, expected, atol=1e-9)
