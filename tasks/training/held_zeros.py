"""Zeros among a network's weights that stay zeros while it learns."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn.utils import prune

LEARNED, MASK = ".weight_orig", ".weight_mask"
"""How torch names a weight some of which is left out, and what says which."""


def products_of(model: nn.Module) -> list[Any]:
    """The layers whose weights are matrices that something is multiplied by."""
    return [module for module in model.modules() if isinstance(module, nn.Linear | nn.Conv2d)]


def hold_zeros(model: nn.Module) -> None:
    """From now on weights of products that are zero stay zero."""
    for layer in products_of(model):
        mask = layer.weight.detach() != 0
        if not mask.all():
            prune.custom_from_mask(layer, "weight", mask)  # type: ignore[no-untyped-call]


def with_zeros_held(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights under the names that they have without `hold_zeros`."""
    found = {name: weight for name, weight in weights.items() if not name.endswith(MASK)}
    for name in [name for name in found if name.endswith(LEARNED)]:
        plain = name.removesuffix(LEARNED)
        found[f"{plain}.weight"] = found.pop(name) * weights[f"{plain}{MASK}"]
    return found
