"""Interpolated n-gram language model as a module: tables of probabilities, found by hashing.

p(v | context) = share(context, v) + rest(context) p(v | shorter context), down to single tokens
(Chen and Goodman 1999, equation 2.8). `share` and `rest` are fitted elsewhere. Each order keeps its
n-grams in a cuckoo table: an n-gram stands in one of two slots, so that a look-up is two gathers.
Shapes: B batch, T tokens, V vocabulary, S slots of one of an order's two halves.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

LEAST = 1e-30
"""Probability of what cannot be; its logarithm is finite."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NgramLanguageConfig:
    """Sizes of the tables."""

    vocab_size: int
    end_id: int
    """Token that stands before the first of a row."""
    slots: tuple[tuple[int, int], ...]
    """For each order from two upwards the primes that give its n-grams their two slots."""


class NgramLanguage(nn.Module):
    """Token ids to the logarithm of the probability of each token that may follow."""

    single: Tensor

    def __init__(self, config: NgramLanguageConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("single", torch.zeros(config.vocab_size))
        self.orders = nn.ModuleList(CuckooTable(*sizes) for sizes in config.slots)

    def forward(self, input_ids: Tensor) -> Tensor:
        """Log probabilities [B, T, V] from ids [B, T]."""
        size = self.config.vocab_size
        # Any token, and one more, under which a context keeps what it leaves to the shorter one.
        token_V = torch.arange(size + 1, device=input_ids.device)
        likely_BTV = self.single.expand(*input_ids.shape, size)
        context_BT, before_BT, scale = torch.zeros_like(input_ids), input_ids, 1
        for table in self.orders:
            context_BT = context_BT + before_BT * scale
            share_BTV, known_BTV = table(context_BT.unsqueeze(-1) * (size + 1) + token_V)
            rest_BT1 = torch.where(known_BTV[..., -1:], share_BTV[..., -1:], 1.0)
            likely_BTV = share_BTV[..., :-1] + rest_BT1 * likely_BTV
            before_BT = functional.pad(before_BT, (1, 0), value=self.config.end_id)[:, :-1]
            scale *= size
        return likely_BTV.clamp(min=LEAST).log()


class CuckooTable(nn.Module):
    """Numbers by key (Pagh and Rodler 2004): each stands in one of two slots, by two primes."""

    keys_a: Tensor
    keys_b: Tensor
    values_a: Tensor
    values_b: Tensor

    def __init__(self, *sizes: int) -> None:
        super().__init__()
        self.sizes = sizes
        for half, size in zip("ab", sizes, strict=True):
            self.register_buffer(f"keys_{half}", torch.full((size,), -1, dtype=torch.long))
            self.register_buffer(f"values_{half}", torch.zeros(size))

    def forward(self, keys: Tensor) -> tuple[Tensor, Tensor]:
        """The number of each key, 0 where there is none, and whether there is one."""
        first, second = (keys % size for size in self.sizes)
        in_first, in_second = self.keys_a[first] == keys, self.keys_b[second] == keys
        found = torch.where(
            in_first, self.values_a[first], torch.where(in_second, self.values_b[second], 0.0)
        )
        return found, in_first | in_second
