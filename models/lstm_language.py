"""Language model of long short-term memory, with tied embeddings.

Zaremba et al. 2014 (arXiv:1409.2329); Press and Wolf 2016 (arXiv:1608.05859, tied embeddings).
Shapes: B batch, T tokens, D embedding width, H hidden width, V vocabulary.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, kw_only=True, slots=True)
class LstmLanguageConfig:
    """Shape of a recurrent language model."""

    vocab_size: int
    embedding: int = 128
    width: int = 256
    layers: int = 1
    dropout: float = 0.1


class LstmLanguage(nn.Module):
    """Token ids to the logits of the token that follows each."""

    def __init__(self, config: LstmLanguageConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.embedding)
        self.dropout = nn.Dropout(config.dropout)
        widths = [config.embedding, *[config.width] * config.layers]
        self.layers = nn.ModuleList(
            nn.LSTM(read, made, batch_first=True) for read, made in pairwise(widths)
        )
        self.output = nn.Linear(config.width, config.embedding)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))
        nn.init.normal_(self.embedding.weight, std=0.1)

    def forward(self, input_ids: Tensor) -> Tensor:
        """Logits [B, T, V] from ids [B, T]; those on padding, which is at the end, mean nothing."""
        hidden_BTH = self.dropout(self.embedding(input_ids))
        # Rounding adds up over the steps, so bfloat16 stays out of them.
        with torch.autocast(input_ids.device.type, enabled=False):
            hidden_BTH = hidden_BTH.float()
            for layer in self.layers:
                hidden_BTH = self.dropout(layer(hidden_BTH)[0])
        return functional.linear(self.output(hidden_BTH), self.embedding.weight, self.bias)
