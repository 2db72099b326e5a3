"""Recurrent networks: Elman's RNN, LSTM and GRU over sequences of any kind.

Elman 1990; Hochreiter and Schmidhuber 1997; Cho et al. 2014 (arXiv:1406.1078).
Shapes: B batch, T steps, D input width, H hidden width (of both directions), C classes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from models.text_encoder import mean_pool

Cell = Literal["rnn", "lstm", "gru"]
CELLS: dict[str, Callable[..., nn.RNNBase]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


@dataclass(frozen=True, kw_only=True, slots=True)
class RecurrentTextConfig:
    """Shape of a recurrent network over tokens."""

    num_classes: int
    vocab_size: int
    cell: Cell = "lstm"
    embedding: int = 64
    width: int = 64
    """Of each direction."""
    layers: int = 1
    bidirectional: bool = True
    dropout: float = 0.1


class RecurrentText(nn.Module):
    """Token ids to class logits."""

    def __init__(self, config: RecurrentTextConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.embedding)
        self.dropout = nn.Dropout(config.dropout)
        self.recurrent = RecurrentLayers(
            config.cell, config.embedding, config.width, config.layers, config.bidirectional
        )
        self.head = nn.Linear(self.recurrent.output_width, config.num_classes)
        nn.init.normal_(self.embedding.weight, std=0.1)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Logits [B, C] from ids [B, T] and a mask [B, T] that is 0 on padding."""
        embedded_BTD = self.dropout(self.embedding(input_ids))
        hidden_BTH = self.recurrent(embedded_BTD, attention_mask)
        logits_BC: Tensor = self.head(self.dropout(mean_pool(hidden_BTH, attention_mask)))
        return logits_BC


class RecurrentLayers(nn.Module):
    """Layers of one cell, read in one direction or in both; padding at the end is never read.

    Knows nothing of what a step is. The backward direction turns each row around within its own
    length by a gather, which exports, where packed sequences do not with a free batch.
    """

    def __init__(
        self, cell: Cell, inputs: int, width: int, layers: int = 1, bidirectional: bool = True
    ) -> None:
        super().__init__()
        directions = 1 + bidirectional
        self.output_width = directions * width
        self.forward_layers = nn.ModuleList()
        self.backward_layers = nn.ModuleList()
        for index in range(layers):
            read = inputs if index == 0 else self.output_width
            self.forward_layers.append(CELLS[cell](read, width, batch_first=True))
            if bidirectional:
                self.backward_layers.append(CELLS[cell](read, width, batch_first=True))

    def forward(self, inputs_BTD: Tensor, mask_BT: Tensor) -> Tensor:
        """Hidden states [B, T, H]; those on padding mean nothing."""
        # Rounding adds up over the steps, so bfloat16 stays out of them.
        with torch.autocast(inputs_BTD.device.type, enabled=False):
            hidden_BTH = inputs_BTD.float()
            turned_BT = turned_steps(mask_BT)
            for index, layer in enumerate(self.forward_layers):
                read = [layer(hidden_BTH)[0]]
                if self.backward_layers:
                    backward = self.backward_layers[index]
                    read.append(picked(backward(picked(hidden_BTH, turned_BT))[0], turned_BT))
                hidden_BTH = torch.cat(read, dim=2)
            return hidden_BTH


def turned_steps(mask_BT: Tensor) -> Tensor:
    """For each step the one that stands there when the row is turned around; padding stays."""
    here_BT = mask_BT != 0
    step_BT = torch.ones_like(mask_BT, dtype=torch.long).cumsum(1) - 1
    last_B1 = here_BT.long().sum(1, keepdim=True) - 1
    return torch.where(here_BT, last_B1 - step_BT, step_BT).clamp(min=0)


def picked(hidden_BTH: Tensor, step_BT: Tensor) -> Tensor:
    """The hidden states in the order of `step_BT`."""
    return hidden_BTH.gather(1, step_BT.unsqueeze(-1).expand(-1, -1, hidden_BTH.shape[2]))
