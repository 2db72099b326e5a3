"""What an estimator of fixed width reads of a row: the columns of a graph before its own nodes.

No weights: each is a plain function of the encoder's tensors. Shapes: B batch, F features.
"""

import torch
from torch import Tensor, nn

from models.hog_linear import hog
from models.mfcc_statistics import mfcc_statistics
from models.series_statistics import statistics_of


class TableFeatures(nn.Module):
    """Numbers, and ids of categories as numbers like others."""

    def forward(self, numbers: Tensor, categories: Tensor | None = None) -> Tensor:
        """[B, F] from numbers [B, K] and ids [B, M]."""
        inputs = [numbers] if categories is None else [numbers, categories.to(numbers.dtype)]
        return torch.cat(inputs, dim=1)


class TermFeatures(nn.Module):
    """A column for each term."""

    def __init__(self, terms: int) -> None:
        super().__init__()
        self.terms = terms

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """[B, F] from term ids [B, N] and their weights [B, N], which are 0 on padding."""
        none_BF = torch.zeros_like(attention_mask[:, :1]).repeat(1, self.terms)
        return none_BF.scatter_add(1, input_ids, attention_mask)


class HogFeatures(nn.Module):
    """Histograms of oriented gradients."""

    def __init__(self, cell: int) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, pixels: Tensor) -> Tensor:
        """[B, F] from pixels [B, C, H, W]."""
        return hog(pixels, self.cell)


class StatisticsFeatures(nn.Module):
    """Statistics of each channel and of its changes."""

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """[B, F] from values [B, T, K] and a mask [B, T] that is 0 behind the last step."""
        return statistics_of(values, mask)


class MfccFeatures(nn.Module):
    """Statistics of cepstral coefficients and of how they change."""

    def __init__(self, coefficients: int) -> None:
        super().__init__()
        self.coefficients = coefficients

    def forward(self, mels: Tensor, mask: Tensor) -> Tensor:
        """[B, F] from `mels` [B, T, M] and a mask [B, T] that is 0 behind the last frame."""
        return mfcc_statistics(mels, mask, self.coefficients)
