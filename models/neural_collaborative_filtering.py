"""Neural matrix factorisation (He et al. 2017, arXiv:1708.05031, section 3.4, figure 3).

Two halves with tables of their own: a generalised matrix factorisation, which multiplies a user by
an item factor by factor, and layers over the two side by side. Shapes: B batch, D width.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from models.id_table import IdTable


@dataclass(frozen=True, kw_only=True, slots=True)
class NeuralCollaborativeFilteringConfig:
    """Shape of the network."""

    num_classes: int
    users: int
    items: int
    width: int = 16
    """Of the vectors of both halves."""
    hidden_layers: tuple[int, ...] = (32, 16)
    """Widths of the layers, the last of which meets the factors."""
    dropout: float = 0.0
    hidden: float = 0.05
    """Share of the ids that training takes for unknown ones."""


class NeuralCollaborativeFiltering(nn.Module):
    """A user and an item to a rating."""

    def __init__(self, config: NeuralCollaborativeFilteringConfig) -> None:
        super().__init__()
        self.config = config
        self.factor_users = IdTable(config.users, config.width, config.hidden)
        self.factor_items = IdTable(config.items, config.width, config.hidden)
        self.layer_users = IdTable(config.users, config.width)
        self.layer_items = IdTable(config.items, config.width)
        widths = [2 * config.width, *config.hidden_layers]
        rungs = [
            nn.Sequential(nn.Linear(wide, narrow), nn.ReLU(), nn.Dropout(config.dropout))
            for wide, narrow in pairwise(widths)
        ]
        self.layers = nn.Sequential(*rungs)
        self.head = nn.Linear(config.width + widths[-1], config.num_classes)

    def forward(self, user: Tensor, item: Tensor) -> Tensor:
        """Ratings [B, 1] of users [B] and items [B]."""
        user, item = self.factor_users.some_hidden(user), self.factor_items.some_hidden(item)
        factors_BD = self.factor_users(user) * self.factor_items(item)
        beside = torch.cat([self.layer_users(user), self.layer_items(item)], dim=1)
        rating_B1: Tensor = self.head(torch.cat([factors_BD, self.layers(beside)], dim=1))
        return rating_B1
