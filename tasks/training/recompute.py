"""Blocks that are computed twice: their inner values are not kept for the way back.

Chen et al. 2016 (arXiv:1604.06174), by torch's own checkpoint. The names of the weights stay as
they are, since only `forward` of each block is replaced, on the instance.
"""

from functools import partial
from typing import Any

from torch import nn
from torch.utils.checkpoint import checkpoint

from models import causal_transformer, ft_transformer, resnet, table_resnet, text_encoder

BLOCKS = (
    text_encoder.EncoderLayer,
    table_resnet.ResidualBlock,
    resnet.ResidualBlock,
    ft_transformer.TransformerBlock,
    causal_transformer.DecoderLayer,
)
"""The blocks that are worth it; what is between them is computed once."""


def recompute_blocks(model: nn.Module) -> None:
    """Let every block of the model forget what it computed until its gradient is wanted."""
    blocks = [module for module in model.modules() if isinstance(module, BLOCKS)]
    assert blocks, f"{type(model).__name__} has no blocks"
    for block in blocks:
        # Dropout masks are drawn a second time from the state that the first time began with.
        again: Any = partial(checkpoint, block.forward, use_reentrant=False)
        block.forward = again  # type: ignore[method-assign]
