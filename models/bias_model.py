"""What a rating is without taste: a mean, how the user rates and how the item is rated.

Koren, Bell, Volinsky 2009 (IEEE Computer 42), equation 3. Shapes: B batch.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.id_table import biases


@dataclass(frozen=True, kw_only=True, slots=True)
class BiasModelConfig:
    """Shape of the model; id 0 is the unknown one, whose bias is zero."""

    num_classes: int
    """1: a rating."""
    users: int
    items: int


class BiasModel(nn.Module):
    """A user and an item to a rating."""

    def __init__(self, config: BiasModelConfig) -> None:
        super().__init__()
        self.config = config
        self.user_bias = biases(config.users)
        self.item_bias = biases(config.items)
        self.mean = nn.Parameter(torch.zeros(1))

    def forward(self, user: Tensor, item: Tensor) -> Tensor:
        """Ratings [B, 1] of users [B] and items [B]."""
        rating_B1: Tensor = self.mean + self.user_bias(user) + self.item_bias(item)
        return rating_B1
