"""A post-LN transformer encoder (BERT, arXiv:1810.04805, figure 1) with a mean-pooled linear head.

Shapes: B batch, T tokens, D width, H heads, F feed-forward width, C classes.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

HIDDEN_SCORE = -1e4
"""Of padding before the softmax: nothing is left of it, and it fits into bfloat16 and float16."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TextEncoderConfig:
    """Shape of the encoder; the defaults are MiniLM-L6-H384's (arXiv:2002.10957)."""

    num_classes: int
    vocab_size: int = 30522
    layers: int = 6
    width: int = 384
    heads: int = 12
    feed_forward: int = 1536
    max_positions: int = 512
    dropout: float = 0.1
    norm_eps: float = 1e-12
    share_layers: bool = False
    """One layer's weights in every layer (ALBERT, arXiv:1909.11942, section 3.1)."""
    head_width: int | None = None
    """Numbers of a head, where heads were removed; None: the width divided among them."""
    embedding_rank: int | None = None
    """Numbers of a word before they are widened (ALBERT, section 3.1); None: the width."""
    linear_rank: int | None = None
    """Of every matrix in a layer, as a product of two; None: each is one matrix."""

    def __post_init__(self) -> None:
        if self.head_width is None and self.width % self.heads:
            raise ValueError(f"width {self.width} must be a multiple of heads {self.heads}")

    @property
    def numbers_per_head(self) -> int:
        """Width of a head."""
        return self.head_width or self.width // self.heads


class TextEncoder(nn.Module):
    """Token ids to class logits."""

    def __init__(self, config: TextEncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config)
        own_layers = 1 if config.share_layers else config.layers
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(own_layers))
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.width, config.num_classes)
        self.apply(_initialise)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Logits [B, C] from ids [B, T] and a mask [B, T] that is 0 on padding."""
        return self.answer(self.features(input_ids, attention_mask))

    def features(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """The mean of a row's token vectors, [B, D]: all but the head."""
        return mean_pool(self.encode(input_ids, attention_mask), attention_mask)

    def answer(self, features: Tensor) -> Tensor:
        """Logits [B, C] from `features`."""
        logits_BC: Tensor = self.head(self.dropout(features))
        return logits_BC

    def encode(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Contextual token vectors [B, T, D]."""
        visible_B11T = attention_mask[:, None, None, :].to(torch.bool)
        hidden_BTD: Tensor = self.embeddings(input_ids)
        for index in range(self.config.layers):
            layer = self.layers[index % len(self.layers)]
            hidden_BTD = layer(hidden_BTD, visible_B11T)
        return hidden_BTD


class Embeddings(nn.Module):
    """Word plus position, normalised; the one segment's vector is folded into the positions."""

    def __init__(self, config: TextEncoderConfig) -> None:
        super().__init__()
        word_width = config.embedding_rank or config.width
        self.words = nn.Embedding(config.vocab_size, word_width)
        is_narrow = config.embedding_rank is not None
        self.widen = nn.Linear(word_width, config.width, bias=False) if is_narrow else nn.Identity()
        self.positions = nn.Embedding(config.max_positions, config.width)
        self.norm = nn.LayerNorm(config.width, eps=config.norm_eps)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, input_ids: Tensor) -> Tensor:
        """Token vectors [B, T, D]."""
        position_T = torch.arange(input_ids.shape[1], device=input_ids.device)
        summed_BTD = self.widen(self.words(input_ids)) + self.positions(position_T)
        output_BTD: Tensor = self.dropout(self.norm(summed_BTD))
        return output_BTD


class EncoderLayer(nn.Module):
    """Attention, add and norm; feed-forward, add and norm."""

    def __init__(self, config: TextEncoderConfig) -> None:
        super().__init__()
        self.attention = SelfAttention(config)
        self.attention_norm = nn.LayerNorm(config.width, eps=config.norm_eps)
        self.expand = linear(config.width, config.feed_forward, config.linear_rank)
        self.contract = linear(config.feed_forward, config.width, config.linear_rank)
        self.feed_forward_norm = nn.LayerNorm(config.width, eps=config.norm_eps)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, hidden_BTD: Tensor, visible_B11T: Tensor) -> Tensor:
        """Token vectors [B, T, D]."""
        attended_BTD = self.dropout(self.attention(hidden_BTD, visible_B11T))
        hidden_BTD = self.attention_norm(hidden_BTD + attended_BTD)
        expanded_BTF = functional.gelu(self.expand(hidden_BTD))
        contracted_BTD = self.dropout(self.contract(expanded_BTF))
        output_BTD: Tensor = self.feed_forward_norm(hidden_BTD + contracted_BTD)
        return output_BTD


class SelfAttention(nn.Module):
    """Multi-head attention; queries, keys and values come from one matrix product.

    Written out: torch's fused kernel is slower here on rows of 30 tokens, and dropping attention
    weights, as BERT did, cost a fifth of a training step and gained nothing.
    """

    def __init__(self, config: TextEncoderConfig) -> None:
        super().__init__()
        self.heads, self.scale = config.heads, config.numbers_per_head**-0.5
        self.width = config.heads * config.numbers_per_head
        self.query_key_value = linear(config.width, 3 * self.width, config.linear_rank)
        self.output = linear(self.width, config.width, config.linear_rank)

    def forward(self, hidden_BTD: Tensor, visible_B11T: Tensor) -> Tensor:
        """Token vectors [B, T, D]."""
        batch, tokens, _ = hidden_BTD.shape
        qkv_BTD = self.query_key_value(hidden_BTD)
        qkv_3BHTd = qkv_BTD.view(batch, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        query_BHTd, key_BHTd, value_BHTd = qkv_3BHTd.unbind(0)
        score_BHTT = query_BHTd @ key_BHTd.transpose(-1, -2) * self.scale
        weight_BHTT = score_BHTT.masked_fill(~visible_B11T, HIDDEN_SCORE).softmax(-1)
        mixed_BHTd = weight_BHTT.to(value_BHTd.dtype) @ value_BHTd
        mixed_BTD = mixed_BHTd.transpose(1, 2).reshape(batch, tokens, self.width)
        output_BTD: Tensor = self.output(mixed_BTD)
        return output_BTD


def linear(inputs: int, outputs: int, rank: int | None) -> nn.Module:
    """One matrix and a bias, or two matrices of so low a rank."""
    if rank is None:
        return nn.Linear(inputs, outputs)
    return nn.Sequential(nn.Linear(inputs, rank, bias=False), nn.Linear(rank, outputs))


def mean_pool(hidden_BTD: Tensor, attention_mask: Tensor) -> Tensor:
    """Mean over the tokens that are not padding, [B, D]."""
    weight_BT1 = attention_mask.unsqueeze(-1).to(hidden_BTD.dtype)
    return (hidden_BTD * weight_BT1).sum(1) / weight_BT1.sum(1).clamp(min=1.0)


def _initialise(module: nn.Module) -> None:
    """Normal weights of deviation 0.02 and zero biases, as BERT starts."""
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
