"""Two towers: one network reads the user, one the item, and their vectors are multiplied.

Rating as in Yi et al. 2019 (RecSys, "Sampling-bias-corrected neural modeling"), ranking as in
Covington et al. 2016 (RecSys, section 3.2), where items are rows of the last layer.
Shapes: B batch, D width, C items of a ranking.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.id_table import IdTable
from models.table_rows import TableInput


@dataclass(frozen=True, kw_only=True, slots=True)
class TwoTowerConfig:
    """Shape of the network; numbers and categories are those of each side's own columns."""

    num_classes: int
    """1 rates a pair; more ranks so many items for a user."""
    users: int
    items: int
    user_numbers: int = 0
    user_categories: tuple[int, ...] = ()
    item_numbers: int = 0
    item_categories: tuple[int, ...] = ()
    width: int = 32
    """Of the vectors of ids, and of what the towers answer."""
    layers: tuple[int, ...] = (64,)
    """Widths of the layers within each tower."""
    dropout: float = 0.0
    hidden: float = 0.05
    """Share of the ids that training takes for unknown ones."""


class TwoTower(nn.Module):
    """A user and an item to a rating, or a user to a score for each item."""

    def __init__(self, config: TwoTowerConfig) -> None:
        super().__init__()
        self.config = config
        user = (config.users, config.user_numbers, config.user_categories)
        item = (config.items, config.item_numbers, config.item_categories)
        self.user = Tower(config, *user)
        self.item = Tower(config, *item) if config.num_classes == 1 else None
        self.ranked = None if self.item else nn.Linear(config.width + 1, config.num_classes)
        self.mean = nn.Parameter(torch.zeros(1))

    def forward(
        self,
        user: Tensor,
        item: Tensor | None = None,
        user_numbers: Tensor | None = None,
        user_categories: Tensor | None = None,
        item_numbers: Tensor | None = None,
        item_categories: Tensor | None = None,
    ) -> Tensor:
        """Ratings [B, 1] of users and items [B] and their columns, or scores [B, C] of all."""
        user_BD = self.user(user, user_numbers, user_categories)
        if self.item is None:
            assert self.ranked is not None, "a ranking has a last layer"
            ranking_BC: Tensor = self.ranked(user_BD)
            return ranking_BC
        item_BD = self.item(item, item_numbers, item_categories)
        # The last number of each tower is its bias: no product can say that all like an item.
        taste_B1 = (user_BD[:, :-1] * item_BD[:, :-1]).sum(1, keepdim=True)
        rating_B1: Tensor = self.mean + user_BD[:, -1:] + item_BD[:, -1:] + taste_B1
        return rating_B1


class Tower(nn.Module):
    """An id and what is known of it to a vector [B, D + 1]."""

    def __init__(
        self, config: TwoTowerConfig, ids: int, numbers: int, categories: Sequence[int]
    ) -> None:
        super().__init__()
        self.ids = IdTable(ids, config.width, config.hidden)
        self.columns = TableInput(numbers, categories) if numbers or categories else None
        width = config.width + (self.columns.width if self.columns else 0)
        rungs: list[nn.Module] = []
        for wide in config.layers:
            rungs += [nn.Linear(width, wide), nn.ReLU(), nn.Dropout(config.dropout)]
            width = wide
        self.body = nn.Sequential(*rungs, nn.Linear(width, config.width + 1))

    def forward(self, ids: Tensor, numbers: Tensor | None, categories: Tensor | None) -> Tensor:
        """Vectors of the ids [B] with numbers [B, K] and categories [B, M]."""
        vector_BD = self.ids(self.ids.some_hidden(ids))
        if self.columns is not None:
            if numbers is None:
                numbers = vector_BD[:, :0]
            vector_BD = torch.cat([vector_BD, self.columns(numbers, categories)], dim=1)
        output_BD: Tensor = self.body(vector_BD)
        return output_BD
