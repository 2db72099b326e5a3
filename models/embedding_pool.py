"""Embedded tokens, their mean over the row, and a linear head.

The deep averaging network of Iyyer et al. 2015 (ACL, P15-1162) with one hidden layer.
Shapes: B batch, T tokens, D width, C classes.
"""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from models.text_encoder import mean_pool


@dataclass(frozen=True, kw_only=True, slots=True)
class EmbeddingPoolConfig:
    """Shape of the network."""

    num_classes: int
    vocab_size: int
    width: int = 64
    hidden: int = 64
    dropout: float = 0.2


class EmbeddingPool(nn.Module):
    """Token ids to class logits."""

    def __init__(self, config: EmbeddingPoolConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.expand = nn.Linear(config.width, config.hidden)
        self.head = nn.Linear(config.hidden, config.num_classes)
        nn.init.normal_(self.embedding.weight, std=0.1)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Logits [B, C] from ids [B, T] and a mask [B, T] that is 0 on padding."""
        mean_BD = mean_pool(self.embedding(input_ids), attention_mask)
        hidden_BD = functional.relu(self.expand(self.dropout(mean_BD)))
        logits_BC: Tensor = self.head(self.dropout(hidden_BD))
        return logits_BC
