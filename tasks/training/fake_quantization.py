"""A model that computes as its form with fewer bits will, while it learns (arXiv:1712.05877,
section 3).

Weights and activations are rounded to the form's steps, gradients go straight through.

The steps are those of ONNX Runtime's dynamic int8, `tasks/compression/precisions.py`: of a
product's weights signed and symmetric for each output, of its activations and of tables unsigned
with a zero point; in `int8-int4` tables are in blocks of four bits. Ranges follow from the numbers
themselves, there as here, so that no step is there to be learned (LSQ, arXiv:1902.08153). Scoring
rounds as well: it is the form that is chosen.
Shapes: B batch, O outputs of a product, I its inputs.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from tasks.compression.config import Precision
from tasks.training.hints import PROJECTION, TOKEN_PROJECTION

SIGNED, UNSIGNED = 127, 255
"""Largest whole numbers: from -127, and from 0."""
LEAST_OF_FOUR, MOST_OF_FOUR = -8, 7
BLOCK = 32
"""Numbers of a row of a table that share a step of four bits, as `precisions.BLOCK`."""
KEPT_AS = ".parametrizations.weight.original"
"""How torch names a weight that is something else to those who read it."""
IS_ROUNDED = "is_rounded"
"""Set on what a table answers."""


def fake_quantize(model: nn.Module, precision: Precision) -> None:
    """From now on its products and tables compute as in that form, int8 or int8-int4.

    A row's activations are scaled by themselves, as the form answers rows one by one; where rows of
    a batch differ in length, padding counts.
    """
    added = PROJECTION, TOKEN_PROJECTION
    modules = [m for name, m in model.named_modules() if name.partition(".")[0] not in added]
    for module in modules:
        if isinstance(module, nn.Linear):
            module.register_forward_pre_hook(_with_rounded_rows)
            parametrize.register_parametrization(module, "weight", _Rounded(rounded_outputs))
        elif isinstance(module, nn.Embedding) and precision == "int8":
            parametrize.register_parametrization(module, "weight", _Rounded(rounded_table))
            module.register_forward_hook(_as_rounded)
        elif isinstance(module, nn.Embedding) and module.embedding_dim % BLOCK == 0:
            parametrize.register_parametrization(module, "weight", _Rounded(rounded_blocks))


def plain_weights(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights, not rounded, under the names that they have without `fake_quantize`."""
    return {name.replace(KEPT_AS, ".weight"): weight for name, weight in weights.items()}


def rounded_outputs(weight_OI: Tensor) -> Tensor:
    """A product's weights, those of an output in steps of its own."""
    with torch.no_grad():
        scale_O = _steps(weight_OI.abs().amax(1) / SIGNED)
    zero_O = torch.zeros_like(scale_O, dtype=torch.int32)
    return torch.fake_quantize_per_channel_affine(weight_OI, scale_O, zero_O, 0, -SIGNED, SIGNED)


def rounded_table(weight: Tensor) -> Tensor:
    """A table in steps of one size."""
    scale, zero = _range(weight.detach().reshape(1, -1))
    return torch.fake_quantize_per_tensor_affine(weight, scale[0], zero[0], 0, UNSIGNED)


def rounded_blocks(table: Tensor) -> Tensor:
    """A table in steps of four bits, those of a block of its own: the largest number is -8 steps.

    As far to the other side there are but seven, so that what is there is cut off.
    """
    blocks_NB = table.reshape(-1, BLOCK)
    with torch.no_grad():
        low_N, high_N = torch.aminmax(blocks_NB, dim=1)
        scale_N = torch.where(high_N > -low_N, high_N, low_N) / LEAST_OF_FOUR
        scale_N = torch.where(scale_N == 0, 1.0, scale_N)
    zero_N = torch.zeros_like(scale_N, dtype=torch.int32)
    rounded_NB = torch.fake_quantize_per_channel_affine(
        blocks_NB, scale_N, zero_N, 0, LEAST_OF_FOUR, MOST_OF_FOUR
    )
    return rounded_NB.reshape(table.shape)


def rounded_rows(activations: Tensor) -> Tensor:
    """Activations [B, ...], those of a row in steps of its own."""
    activations = activations.float()
    scale_B, zero_B = _range(activations.detach().flatten(1))
    return torch.fake_quantize_per_channel_affine(activations, scale_B, zero_B, 0, 0, UNSIGNED)


class _Rounded(nn.Module):
    """What torch's parametrizations want: a module of no weights of its own."""

    def __init__(self, rounded: Any) -> None:
        super().__init__()
        self.rounded = rounded

    def forward(self, weight: Tensor) -> Tensor:
        """The weight as it is computed with."""
        found: Tensor = self.rounded(weight)
        return found


def _with_rounded_rows(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    del module
    if getattr(inputs[0], IS_ROUNDED, False):
        return inputs
    return (rounded_rows(inputs[0]), *inputs[1:])


def _as_rounded(module: nn.Module, inputs: tuple[Tensor, ...], rows: Tensor) -> None:
    """A product right behind a table takes its whole numbers as they are."""
    del module, inputs
    setattr(rows, IS_ROUNDED, True)


@torch.no_grad()
def _range(numbers_BN: Tensor) -> tuple[Tensor, Tensor]:
    """Step and zero point of each row, [B]: from its least to its largest number, zero between."""
    low_B, high_B = torch.aminmax(numbers_BN, dim=1)
    low_B, high_B = low_B.clamp(max=0.0), high_B.clamp(min=0.0)
    scale_B = _steps((high_B - low_B) / UNSIGNED)
    zero_B = (-low_B / scale_B).round().clamp(0, UNSIGNED).to(torch.int32)
    return scale_B, zero_B


def _steps(scale_B: Tensor) -> Tensor:
    """1 where all numbers are zero."""
    return torch.where(scale_B > 0, scale_B, 1.0)
