"""Matrices as products of two smaller ones, by singular value decomposition.

Shapes: V words, D width, k rank.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from tasks.compression.pruning_units import Weights

WORDS, WIDEN = "embeddings.words.weight", "embeddings.widen.weight"
MATRICES = ("attention.query_key_value", "attention.output", "expand", "contract")


def with_narrow_words(
    config: Mapping[str, Any], weights: Weights, rank: int, counts: Tensor | None = None
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The text encoder with words of `rank` numbers, widened by one matrix (ALBERT, section 3.1).

    `counts` [V]: how often each word is met; where given, the error that is least is that of the
    words met, not of the table (Chen et al. 2018, arXiv:1806.06950, section 3.1).
    Raises ValueError for a rank that makes nothing smaller.
    """
    table = weights[WORDS]
    words, width = table.shape
    if config.get("embedding_rank") is not None or rank * (words + width) >= words * width:
        most = -(-words * width // (words + width)) - 1
        raise ValueError(
            f"embedding_rank {rank} must be at most {most} for a table of {words} words of {width}"
        )
    scale = torch.ones(words) if counts is None else (counts.float() + 1).sqrt()
    left, right = factors(table * scale.unsqueeze(1), rank)
    narrow = {WORDS: left / scale.unsqueeze(1), WIDEN: right.T.contiguous()}
    return {**config, "embedding_rank": rank}, {**weights, **narrow}


def with_narrow_matrices(
    config: Mapping[str, Any], weights: Weights, rank: int
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The text encoder with every matrix of its layers as a product of two of this rank.

    Raises ValueError for a rank that makes one of them no smaller.
    """
    names = [f"layers.{i}.{name}" for i in range(config["layers"]) for name in MATRICES]
    narrow = dict(weights)
    for name in (name for name in names if f"{name}.weight" in weights):
        matrix = narrow.pop(f"{name}.weight")
        rows, columns = matrix.shape
        if rank * (rows + columns) >= rows * columns:
            most = -(-rows * columns // (rows + columns)) - 1
            raise ValueError(f"linear_rank {rank} must be at most {most} for {name}")
        left, right = factors(matrix, rank)
        narrow[f"{name}.0.weight"], narrow[f"{name}.1.weight"] = right, left
        narrow[f"{name}.1.bias"] = narrow.pop(f"{name}.bias")
    return {**config, "linear_rank": rank}, narrow


def factors(matrix: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """The nearest product of that rank (Eckart and Young 1936), both factors of like size.

    Of like size, so that neither needs a finer scale than the other when it is quantised.
    """
    left, sizes, right = torch.linalg.svd(matrix.double(), full_matrices=False)
    root = sizes[:rank].sqrt()
    products = left[:, :rank] * root, root.unsqueeze(1) * right[:rank]
    return products[0].to(matrix.dtype).contiguous(), products[1].to(matrix.dtype).contiguous()
