"""Layers that add nothing are not missed; what a layer is worth is the slope of the loss."""

from collections.abc import Iterator
from dataclasses import asdict

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.build import build_model
from tasks.compression.pruning_layers import layer_importance, without_layers

SHAPE = {"num_classes": 3, "vocab_size": 10, "layers": 3, "width": 8, "heads": 2,
         "feed_forward": 6, "max_positions": 8}  # fmt: skip
IDS = torch.tensor([[5, 9, 3, 1], [7, 2, 4, 8]])
BATCH = {"input_ids": IDS, "attention_mask": torch.ones_like(IDS)}


def test_a_layer_that_adds_nothing_is_not_missed() -> None:
    model = _model()
    with torch.no_grad():
        for module in (model.layers[1].attention.output, model.layers[1].contract):
            module.weight.zero_()
            module.bias.zero_()
    config, weights = without_layers(asdict(model.config), model.state_dict(), [0, 2])
    smaller = build_model("text_encoder", config).eval()
    smaller.load_state_dict(weights)
    assert config["layers"] == 2
    # A token that was just normalised is normalised once more: no change but rounding.
    assert torch.allclose(smaller(**BATCH), model(**BATCH), atol=1e-6)


@pytest.mark.parametrize("how", ["taylor", "activation", "magnitude"])
def test_a_layer_that_adds_nothing_is_worth_least(how: str) -> None:
    model = _model()
    with torch.no_grad():
        for module in (model.layers[1].attention.output, model.layers[1].contract):
            module.weight.zero_()
            module.bias.zero_()
    worth = layer_importance(model, how, _losses)  # type: ignore[arg-type]
    assert worth.argmin() == 1
    assert worth[1] < 1e-4


def test_worth_is_the_slope_of_the_loss_in_a_gate_before_what_the_layer_adds() -> None:
    model = _model().double()
    worth = layer_importance(model, "taylor", _losses)
    expected = []
    for index, layer in enumerate(model.layers):
        whole = layer.forward
        sides = []
        for gate in (1 + 1e-5, 1 - 1e-5):
            layer.forward = lambda x, *rest, w=whole, g=gate: x + g * (w(x, *rest) - x)
            sides.append(next(_losses(model)).detach().numpy())
        layer.forward = whole
        expected.append(np.abs((sides[0] - sides[1]) / 2e-5).mean())
        assert index < 3
    np.testing.assert_allclose(worth.numpy(), expected, rtol=1e-4)


def _model() -> nn.Module:
    torch.manual_seed(0)
    model = build_model("text_encoder", SHAPE).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "norm" not in name:
                weight.add_(torch.randn_like(weight) * 0.2)
    return model


def _losses(model: nn.Module) -> Iterator[Tensor]:
    yield functional.cross_entropy(model(**BATCH), torch.tensor([0, 2]), reduction="none")
