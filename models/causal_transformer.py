"""Decoder-only transformer, as GPT-2 is built, with rotary positions.

Radford et al. 2019 (pre-norm, tied embeddings); Su et al. 2021 (arXiv:2104.09864, rotary
positions); Jiang et al. 2023 (arXiv:2310.06825, section 2: a window of tokens that each one sees).
Shapes: B batch, T tokens, D width, H heads, d width of a head, F feed-forward width, V vocabulary.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

HIDDEN_SCORE = -1e4
"""Of a token that may not be seen; its weight is exactly zero, in bfloat16 too."""
ROTARY_BASE = 10_000.0


@dataclass(frozen=True, kw_only=True, slots=True)
class CausalTransformerConfig:
    """Shape of a causal transformer."""

    vocab_size: int
    layers: int = 4
    width: int = 192
    heads: int = 6
    feed_forward: int = 768
    context: int = 128
    """Tokens that one token sees in a layer: itself and those before it."""
    dropout: float = 0.1
    head_width: int | None = None
    """Numbers of a head, where heads were removed; None: the width divided among them."""

    @property
    def numbers_per_head(self) -> int:
        """Width of a head."""
        return self.head_width or self.width // self.heads


class CausalTransformer(nn.Module):
    """Token ids to the logits of the token that follows each; a later token changes no earlier."""

    def __init__(self, config: CausalTransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.width)
        self.dropout = nn.Dropout(config.dropout)
        layers = [DecoderLayer(config) for _ in range(config.layers)]
        self.layers = nn.ModuleList(layers)
        self.norm = nn.LayerNorm(config.width)
        self.apply(_initialise)
        for layer in layers:  # the residual stream adds up 2 x layers of these (GPT-2)
            for last in (layer.attention.output, layer.contract):
                nn.init.normal_(last.weight, std=0.02 * (2 * config.layers) ** -0.5)

    def forward(self, input_ids: Tensor) -> Tensor:
        """Logits [B, T, V] from ids [B, T]; those on padding, which is at the end, mean nothing."""
        tokens = input_ids.shape[1]
        seen_TT = seen_tokens(tokens, self.config.context, input_ids.device)
        turn_2Td = rotation(tokens, self.config.numbers_per_head, input_ids.device)
        hidden_BTD = self.dropout(self.embedding(input_ids))
        for layer in self.layers:
            hidden_BTD = layer(hidden_BTD, seen_TT, turn_2Td)
        return functional.linear(self.norm(hidden_BTD), self.embedding.weight)


class DecoderLayer(nn.Module):
    """Norm, attention and add; norm, feed-forward and add."""

    def __init__(self, config: CausalTransformerConfig) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.width)
        self.attention = CausalAttention(config)
        self.feed_forward_norm = nn.LayerNorm(config.width)
        self.expand = nn.Linear(config.width, config.feed_forward)
        self.contract = nn.Linear(config.feed_forward, config.width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, hidden_BTD: Tensor, seen_TT: Tensor, turn_2Td: Tensor) -> Tensor:
        """Token vectors [B, T, D]."""
        attended_BTD = self.attention(self.attention_norm(hidden_BTD), seen_TT, turn_2Td)
        hidden_BTD = hidden_BTD + self.dropout(attended_BTD)
        expanded_BTF = functional.gelu(self.expand(self.feed_forward_norm(hidden_BTD)))
        output_BTD: Tensor = hidden_BTD + self.dropout(self.contract(expanded_BTF))
        return output_BTD


class CausalAttention(nn.Module):
    """Multi-head attention to earlier tokens; queries and keys are turned by their position."""

    def __init__(self, config: CausalTransformerConfig) -> None:
        super().__init__()
        self.heads, self.scale = config.heads, config.numbers_per_head**-0.5
        self.width = config.heads * config.numbers_per_head
        self.query_key_value = nn.Linear(config.width, 3 * self.width)
        self.output = nn.Linear(self.width, config.width)

    def forward(self, hidden_BTD: Tensor, seen_TT: Tensor, turn_2Td: Tensor) -> Tensor:
        """Token vectors [B, T, D]."""
        batch, tokens, _ = hidden_BTD.shape
        qkv_BTD = self.query_key_value(hidden_BTD)
        qkv_3BHTd = qkv_BTD.view(batch, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        query_BHTd, key_BHTd, value_BHTd = qkv_3BHTd.unbind(0)
        query_BHTd, key_BHTd = turned(query_BHTd, turn_2Td), turned(key_BHTd, turn_2Td)
        score_BHTT = query_BHTd @ key_BHTd.transpose(-1, -2) * self.scale
        weight_BHTT = score_BHTT.masked_fill(~seen_TT, HIDDEN_SCORE).softmax(-1)
        mixed_BHTd = weight_BHTT.to(value_BHTd.dtype) @ value_BHTd
        mixed_BTD = mixed_BHTd.transpose(1, 2).reshape(batch, tokens, self.width)
        output_BTD: Tensor = self.output(mixed_BTD)
        return output_BTD


def seen_tokens(tokens: int, context: int, device: torch.device) -> Tensor:
    """bool [T, T]: whether the token of a row sees that of a column."""
    position_T = torch.arange(tokens, device=device)
    distance_TT = position_T.unsqueeze(1) - position_T.unsqueeze(0)
    return (distance_TT >= 0) & (distance_TT < context)


def rotation(tokens: int, width: int, device: torch.device) -> Tensor:
    """Cosine and sine of each position's angles, [2, T, d / 2]."""
    place_d = torch.arange(0, width, 2, device=device).float() / width
    angle_Td = torch.arange(tokens, device=device).float().unsqueeze(1) * ROTARY_BASE**-place_d
    return torch.stack([angle_Td.cos(), angle_Td.sin()])


def turned(vector_BHTd: Tensor, turn_2Td: Tensor) -> Tensor:
    """Each pair (i, i + d / 2) turned by its angle, so that products know distances alone."""
    cosine_Td, sine_Td = turn_2Td.to(vector_BHTd.dtype).unbind(0)
    first_BHTd, second_BHTd = vector_BHTd.chunk(2, dim=-1)
    return torch.cat(
        [
            first_BHTd * cosine_Td - second_BHTd * sine_Td,
            first_BHTd * sine_Td + second_BHTd * cosine_Td,
        ],
        dim=-1,
    )


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)
