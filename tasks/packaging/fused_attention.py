"""An encoder's attention as the one node that ONNX Runtime has a kernel for.

Written out it is twenty nodes, whose copies cost more than its products: two layers of MiniLM took
0.75 ms in int8 and take 0.68 so, with the same answers (tests/benchmarks/2026-11-28_forms.md).
ONNX Runtime's own optimiser does not find the pattern in what the exporter writes.
Shapes: B batch, T tokens, D width, A heads times numbers of a head.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from models.text_encoder import SelfAttention

DOMAIN = "com.microsoft"


class _Attention(torch.autograd.Function):
    """What the exporter writes as a node; its values are never looked at."""

    @staticmethod
    def forward(
        ctx: Any, hidden_BTD: Tensor, weight: Tensor, bias: Tensor, mask_BT: Tensor, heads: int
    ) -> Tensor:
        """Zeros [B, T, A]."""
        del ctx, weight, mask_BT, heads
        return hidden_BTD.new_zeros((*hidden_BTD.shape[:2], len(bias) // 3))

    @staticmethod
    def symbolic(g: Any, hidden: Any, weight: Any, bias: Any, mask: Any, heads: int) -> Any:
        """The node."""
        found = g.op(f"{DOMAIN}::Attention", hidden, weight, bias, mask, num_heads_i=heads)
        found.setType(hidden.type().with_sizes([None, None, None]))
        return found


@contextmanager
def fused_attention(model: nn.Module) -> Iterator[dict[str, int]]:
    """Meanwhile the model's attention is exported as one node; the versions of its domains."""
    found: list[Any] = [
        module
        for module in model.modules()
        if isinstance(module, SelfAttention) and isinstance(module.query_key_value, nn.Linear)
    ]
    for module in found:
        module.forward = partial(_fused, module)  # on the instance, over the method of its class
    try:
        yield {DOMAIN: 1} if found else {}
    finally:
        for module in found:
            del module.forward


def _fused(module: SelfAttention, hidden_BTD: Tensor, visible_B11T: Tensor) -> Tensor:
    product: Any = module.query_key_value
    mask_BT = visible_B11T[:, 0, 0].to(torch.int32)
    mixed_BTA = _Attention.apply(  # type: ignore[no-untyped-call]
        hidden_BTD, product.weight.t(), product.bias, mask_BT, module.heads
    )
    output_BTD: Tensor = module.output(mixed_BTA)
    return output_BTD
