"""A plain model, fitted by scikit-learn, in the form of every other model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass(frozen=True, kw_only=True, slots=True)
class Baseline:
    """A fitted baseline in the form of every other model."""

    name: str
    family: str
    config: dict[str, Any]
    encoder: dict[str, Any]
    encoder_files: Mapping[str, bytes]
    weights: Mapping[str, Tensor]
