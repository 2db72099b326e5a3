"""EfficientNet-Lite0: the paper's figures, TensorFlow's padding, and the weights of the package."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from models.build import build_model
from models.efficientnet_lite import (
    FEATURES,
    Backbone,
    EfficientNetLite,
    EfficientNetLiteConfig,
    pretrained_efficientnet,
    same_padding,
)

CONFIG = EfficientNetLiteConfig(num_classes=3, channels=3, resolution=32)


@pytest.fixture(scope="module")
def pretrained() -> nn.Module:
    torch.manual_seed(0)
    return pretrained_efficientnet(CONFIG).eval()


def test_size_and_arithmetic_are_the_published_ones() -> None:
    """Lite0 has 4.7 million parameters, 1.3 of them in the head of 1,000 classes, and 407 million
    multiply-adds."""
    backbone = Backbone(224).eval()
    parameters = sum(weight.numel() for weight in backbone.parameters())
    assert parameters + 1000 * (FEATURES + 1) == pytest.approx(4.7e6, rel=0.02)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        backbone(torch.zeros(1, 3, 224, 224))
    assert counter.get_total_flops() / 2 + 1000 * FEATURES == pytest.approx(407e6, rel=0.06)


@pytest.mark.parametrize(
    ("side", "kernel", "stride", "padding"),
    [(224, 3, 2, (0, 1)), (112, 5, 2, (1, 2)), (7, 3, 2, (1, 1)), (14, 5, 1, (2, 2))],
)
def test_padding_is_that_of_tensorflow(
    side: int, kernel: int, stride: int, padding: tuple[int, int]
) -> None:
    assert same_padding(side, kernel, stride) == padding


def test_every_weight_of_the_backbone_comes_from_the_package(pretrained: nn.Module) -> None:
    torch.manual_seed(1)
    other = pretrained_efficientnet(CONFIG)
    different = [
        name
        for name, weight in other.state_dict().items()
        if not torch.equal(weight, pretrained.state_dict()[name])
    ]
    assert different == ["head.weight", "head.bias"]
    variances = [v for n, v in other.state_dict().items() if n.endswith("running_var")]
    assert all((variance != 1).any() for variance in variances)


def test_a_row_does_not_depend_on_its_neighbours_and_a_grey_one_is_shown_three_times(
    pretrained: nn.Module,
) -> None:
    grey = pretrained_efficientnet(
        EfficientNetLiteConfig(num_classes=3, channels=1, resolution=32)
    ).eval()
    grey.load_state_dict(pretrained.state_dict())
    pixels = torch.randn(4, 1, 16, 16)
    with torch.no_grad():
        together, alone = grey(pixels), grey(pixels[1:2])
        colour = pretrained(pixels.repeat(1, 3, 1, 1))
    torch.testing.assert_close(together[1:2], alone)
    torch.testing.assert_close(together, colour)


@pytest.mark.parametrize("frozen", [True, False])
def test_a_frozen_backbone_keeps_its_running_means(frozen: bool) -> None:
    shape = {"num_classes": 2, "channels": 3, "resolution": 32, "frozen": frozen}
    model = build_model("efficientnet_lite", shape).train()
    before = model.state_dict()["backbone.stem.norm.running_mean"].clone()
    model(torch.randn(4, 3, 32, 32)).sum().backward()
    after = model.state_dict()["backbone.stem.norm.running_mean"]
    assert torch.equal(before, after) == frozen
    assert (model.backbone.stem.conv.weight.grad is None) == frozen  # type: ignore[union-attr]


def test_a_frozen_backbone_goes_by_its_own_means_from_the_first_step_on() -> None:
    model = EfficientNetLite(EfficientNetLiteConfig(num_classes=2, channels=1, resolution=32))
    assert model.training
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    model(torch.randn(4, 1, 32, 32))
    assert all(torch.equal(before[name], w) for name, w in model.state_dict().items())
