"""Weights of products that are zero: the smallest of a matrix (arXiv:1506.02626), or two of each
four along its inputs (arXiv:2104.08378).

ONNX Runtime multiplies by zeros as by other numbers, on every provider of this platform, and keeps
them in as many bytes: nothing is faster, and nothing smaller until it is zipped.
"""

import io
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import prune

from tasks.compression.config import PruneConfig
from tasks.packaging.bundle import deciding_files
from tasks.training.blueprint import Blueprint, first_model
from tasks.training.held_zeros import products_of
from tasks.training.model_folder import load_model

FOUR, TWO = 4, 2


class TwoOfFour(prune.BasePruningMethod):
    """The two smallest of each four weights along the inputs go; of the same size the later ones.

    A matrix whose inputs are no multiple of four stays whole.
    """

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """1 where a weight stays."""
        outputs, inputs = t.shape[0], t[0].numel()
        if inputs % FOUR:
            return default_mask
        worth_OG4 = (t * default_mask).abs().reshape(outputs, inputs // FOUR, FOUR)
        order_OG4 = torch.argsort(worth_OG4, dim=2, descending=True, stable=True)
        mask_OG4 = torch.zeros_like(worth_OG4).scatter_(2, order_OG4[..., :TWO], 1.0)
        return mask_OG4.reshape(t.shape) * default_mask


def with_zeros(blueprint: Blueprint, config: PruneConfig, share: float) -> Blueprint:
    """The model with so many of its products' weights set to zero: of 2:4 all at once, else
    `share` of what the last round comes to."""
    model = first_model(blueprint, 0)
    for layer in products_of(model):
        _leave_out(layer, config, share)
        prune.remove(layer, "weight")  # type: ignore[no-untyped-call]
    return blueprint.started(blueprint.config, model.state_dict())


def _leave_out(layer: Any, config: PruneConfig, share: float) -> None:
    if config.pattern:
        TwoOfFour.apply(layer, "weight")  # type: ignore[no-untyped-call]
    else:
        prune.l1_unstructured(layer, "weight", share * config.sparsity)  # type: ignore[no-untyped-call]


def zero_share(folder: Path) -> float:
    """Of the weights of a trained model's products, those that are zero."""
    weights: list[Tensor] = [layer.weight for layer in products_of(load_model(folder)[0])]
    zeros = sum(int((weight == 0).sum()) for weight in weights)
    return zeros / max(1, sum(weight.numel() for weight in weights))


def zipped_bytes(bundle: Path) -> int:
    """Size of the files that are needed to answer, in a zip archive (deflate)."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name in deciding_files(bundle):
            zipped.write(bundle / name, name)
    return archive.getbuffer().nbytes
