"""Matrix factorisation with biases (Koren, Bell, Volinsky 2009, IEEE Computer 42, equation 4).

Shapes: B batch, D factors, C items of a ranking.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.id_table import IdTable, biases


@dataclass(frozen=True, kw_only=True, slots=True)
class MatrixFactorisationConfig:
    """Shape of the model."""

    num_classes: int
    """1 rates a pair; more ranks so many items for a user."""
    users: int
    """Ids, the unknown one included."""
    items: int
    """Ids, of a rating the unknown one included."""
    width: int = 16
    """Factors."""
    hidden: float = 0.05
    """Share of the ids that training takes for unknown ones."""


class MatrixFactorisation(nn.Module):
    """A user and an item to a rating, or a user to a score for each item."""

    def __init__(self, config: MatrixFactorisationConfig) -> None:
        super().__init__()
        self.config = config
        self.users = IdTable(config.users, config.width, config.hidden)
        self.items = IdTable(config.items, config.width, config.hidden)
        # Tables of torch's own kind, which decay leaves alone: what is shrunk is taste.
        self.user_bias = biases(config.users)
        self.item_bias = biases(config.items)
        self.mean = nn.Parameter(torch.zeros(1))

    def forward(self, user: Tensor, item: Tensor | None = None) -> Tensor:
        """Ratings [B, 1] of users [B] and items [B], or without items scores [B, C] of all."""
        user = self.users.some_hidden(user)
        if item is None:
            ranking_BC: Tensor = self.users(user) @ self.items.weight.T + self.item_bias.weight.T
            return ranking_BC
        item = self.items.some_hidden(item)
        taste_B1 = (self.users(user) * self.items(item)).sum(1, keepdim=True)
        rating_B1: Tensor = self.mean + self.user_bias(user) + self.item_bias(item) + taste_B1
        return rating_B1
