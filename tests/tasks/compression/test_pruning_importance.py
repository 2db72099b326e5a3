"""What units are worth, against numpy and against differences of the loss itself."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.build import build_model
from tasks.compression.pruning_families import unit_groups
from tasks.compression.pruning_importance import (
    Losses,
    activations,
    gate_gradients,
    magnitudes,
)
from tasks.compression.pruning_units import Group

LABELS = torch.tensor([0, 2, 1, 1])
IDS = torch.tensor([[5, 9, 3, 1], [7, 2, 4, 8], [1, 1, 6, 2], [3, 9, 9, 5]])
SHAPES: dict[str, tuple[dict[str, Any], dict[str, Tensor]]] = {
    "text_encoder": (
        {"num_classes": 3, "vocab_size": 10, "layers": 2, "width": 8, "heads": 2,
         "feed_forward": 6, "max_positions": 8},
        {"input_ids": IDS, "attention_mask": torch.ones_like(IDS)},
    ),
    "mlp": (
        {"num_classes": 3, "numbers": 3, "hidden": (5, 4)},
        {"numbers": torch.randn(4, 3, generator=torch.Generator().manual_seed(1))},
    ),
    "small_lenet": (
        {"num_classes": 3, "size": 8, "filters": (3, 4), "hidden": 5},
        {"pixels": torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(2))},
    ),
}  # fmt: skip


@pytest.mark.parametrize("family", SHAPES)
def test_a_gate_gradient_is_the_slope_of_the_loss_as_a_unit_is_turned_down(family: str) -> None:
    model, losses, groups = _made(family)
    found = gate_gradients(model, groups, losses)
    for group in groups:
        expected = [_slope(model, losses, group, unit) for unit in range(group.count)]
        np.testing.assert_allclose(found[group.name].numpy(), expected, rtol=1e-3, atol=1e-7)
    assert all(weight.grad is None for weight in model.parameters())


def test_frozen_weights_are_frozen_again() -> None:
    model, losses, groups = _made("text_encoder")
    model.requires_grad_(False)
    gate_gradients(model, groups, losses)
    assert not any(weight.requires_grad for weight in model.parameters())


def test_magnitude_is_both_norms() -> None:
    model, _, groups = _made("text_encoder")
    weights = {name: tensor.double().numpy() for name, tensor in model.state_dict().items()}
    found = magnitudes(model.state_dict(), groups)
    layer = "layers.1."
    read = np.hypot(
        np.linalg.norm(weights[f"{layer}expand.weight"], axis=1), weights[f"{layer}expand.bias"]
    )
    written = np.linalg.norm(weights[f"{layer}contract.weight"], axis=0)
    np.testing.assert_allclose(found[f"{layer}expand"], read * written, rtol=1e-5)
    matrix = weights[f"{layer}attention.query_key_value.weight"].reshape(3, 2, 4, 8)
    bias = weights[f"{layer}attention.query_key_value.bias"].reshape(3, 2, 4)
    read = np.sqrt((matrix**2).sum((0, 2, 3)) + (bias**2).sum((0, 2)))
    output = weights[f"{layer}attention.output.weight"].reshape(8, 2, 4)
    written = np.sqrt((output**2).sum((0, 2)))
    np.testing.assert_allclose(
        found[f"{layer}attention.query_key_value"], read * written, rtol=1e-5
    )


def test_activation_is_the_mean_size_of_what_is_said() -> None:
    model, losses, groups = _made("mlp")
    found = activations(model, groups, losses)
    numbers = SHAPES["mlp"][1]["numbers"].double().numpy()
    for group, rung in zip(groups, model.body, strict=True):
        weight, bias = (t.detach().double().numpy() for t in (rung[0].weight, rung[0].bias))
        numbers = np.maximum(numbers @ weight.T + bias, 0)
        np.testing.assert_allclose(found[group.name], np.abs(numbers).mean(0), rtol=1e-5)


def _made(family: str) -> tuple[nn.Module, Losses, list[Group]]:
    config, inputs = SHAPES[family]
    torch.manual_seed(0)
    model = build_model(family, config).double().eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight) * 0.3)
    groups = [g for g in unit_groups(family, asdict(model.config)) if g.kind != "width"]

    def losses(model: nn.Module) -> Iterator[Tensor]:
        for rows in (slice(0, 3), slice(3, 4)):
            batch = {
                name: value[rows].double() if value.is_floating_point() else value[rows]
                for name, value in inputs.items()
            }
            yield functional.cross_entropy(model(**batch), LABELS[rows], reduction="none")

    return model, losses, groups


def _slope(model: nn.Module, losses: Losses, group: Group, unit: int, step: float = 1e-5) -> float:
    """Mean over the rows of how steep their loss is in a factor before what the unit writes."""
    place = group.writes[0]
    weight = model.get_parameter(place.of)
    before = weight.detach().clone()
    sides = []
    with torch.no_grad():
        for factor in (1 + step, 1 - step):
            place.by_unit(weight, group.count)[unit].mul_(factor)
            sides.append(torch.cat(list(losses(model))))
            weight.copy_(before)
    return float(((sides[0] - sides[1]) / (2 * step)).abs().mean())
