"""What a student learns of how its teacher reads the tokens of a row: hidden states, attention,
and how queries, keys and values lie to each other.

The teacher goes along in the student's training, frozen, and reads the same tokens in the same
step; of several each does, and memory and time of a step grow with them. Its states are not
stored as its answers are: of 26,285 tweets, 33 tokens each in the mean, one layer's states are
1.3 GB (0.7 in float16), its attention maps 1.6 GB, and rows that `augment` varies are other rows at
every step. So a training that was killed goes on bit by bit, as the teacher's weights are part of
what the training is made of and draw nothing.

All of it happens in hooks, in training alone: validation and export never see it.
Shapes: B batch, T tokens, D teacher's width, d student's, H heads, R relation heads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.build import build_model
from models.text_encoder import (
    HIDDEN_SCORE,
    EncoderLayer,
    SelfAttention,
    TextEncoder,
)
from tasks.training.hints import TOKEN_PROJECTION, TokenHints
from tasks.training.tutors import Tutor

RELATION_HEADS = 12
"""Most parts in which queries, keys and values are compared."""


def layers_learned_from(own: int, theirs: int, layer_map: str) -> list[int]:
    """For each layer of a student, 1 to `own`, the teacher's (TinyBERT, arXiv:1909.10351, 4.3)."""
    if layer_map == "top":
        return [max(1, theirs - own + layer) for layer in range(1, own + 1)]
    if layer_map == "bottom":
        return [min(theirs, layer) for layer in range(1, own + 1)]
    return [max(1, round(layer * theirs / own)) for layer in range(1, own + 1)]


def hidden_loss(own_BTD: Tensor, seen_BTD: Tensor, mask_BT: Tensor) -> Tensor:
    """Mean squared difference of the states of a row's tokens, [B] (arXiv:1909.10351, eq. 8)."""
    apart_BT = (own_BTD.float() - seen_BTD.float()).square().mean(-1)
    return (apart_BT * mask_BT).sum(1) / mask_BT.sum(1)


def attention_loss(own_BHTT: Tensor, seen_BHTT: Tensor, mask_BT: Tensor) -> Tensor:
    """Mean squared difference of scores before the softmax, [B] (arXiv:1909.10351, eq. 7)."""
    apart_BTT = (own_BHTT.float() - seen_BHTT.float()).square().mean(1)
    pairs_BTT = mask_BT[:, :, None] * mask_BT[:, None, :]
    return (apart_BTT * pairs_BTT).sum((1, 2)) / pairs_BTT.sum((1, 2))


def token_relation_loss(own_3BTd: Tensor, seen_3BTD: Tensor, mask_BT: Tensor, heads: int) -> Tensor:
    """Divergence of the student's from the teacher's relations, [B] (MiniLMv2, arXiv:2012.15828).

    Of queries to queries, keys to keys and values to values, in so many heads whatever the models'
    own; the mean over heads and tokens, the sum over the three. Widths may differ.
    """
    own_3BRTT = _log_relations(own_3BTd, mask_BT, heads)
    seen_3BRTT = _log_relations(seen_3BTD, mask_BT, heads)
    apart_3BRTT = functional.kl_div(own_3BRTT, seen_3BRTT, reduction="none", log_target=True)
    apart_BT = apart_3BRTT.sum(-1).mean(2).sum(0)
    return (apart_BT * mask_BT).sum(1) / mask_BT.sum(1)


def _log_relations(vectors_3BTD: Tensor, mask_BT: Tensor, heads: int) -> Tensor:
    """Logarithms of the shares that a token gives to others, [3, B, R, T, T]."""
    parts_3BRTd = in_heads(vectors_3BTD, heads)
    scores_3BRTT = parts_3BRTd @ parts_3BRTd.transpose(-1, -2) * parts_3BRTd.shape[-1] ** -0.5
    hidden_B11T = (mask_BT == 0)[:, None, None, :]
    logarithms: Tensor = scores_3BRTT.masked_fill(hidden_B11T, HIDDEN_SCORE).log_softmax(-1)
    return logarithms


def in_heads(vectors_BTD: Tensor, heads: int) -> Tensor:
    """[..., heads, T, D / heads] in float32."""
    parts: Tensor = vectors_BTD.float().reshape(*vectors_BTD.shape[:-1], heads, -1)
    return parts.transpose(-3, -2)


@dataclass
class Reading:
    """What one model made of a batch's tokens."""

    states: list[Tensor] = field(default_factory=list)
    """Embeddings, then each layer's, [B, T, D]."""
    qkv: list[Tensor] = field(default_factory=list)
    """Queries, keys and values of each layer, [B, T, 3 x width of all heads]."""
    is_open: bool = False

    def clear(self) -> None:
        """Begin with another batch."""
        self.states.clear()
        self.qkv.clear()

    def scores(self, layer: int, heads: int, scale: float) -> Tensor:
        """Attention before the softmax of a layer, 1 for the first, [B, H, T, T]."""
        query_BTD, key_BTD, _ = self.qkv[layer - 1].chunk(3, dim=-1)
        return in_heads(query_BTD, heads) @ in_heads(key_BTD, heads).transpose(-1, -2) * scale

    def last(self) -> Tensor:
        """Queries, keys and values of the last layer, [3, B, T, width of all heads]."""
        return torch.stack(self.qkv[-1].chunk(3, dim=-1))


def read_by(model: TextEncoder) -> Reading:
    """What the model makes of tokens from now on, while the reading is open."""
    reading = Reading()

    def keep(kept: list[Tensor]) -> Any:
        def hook(module: nn.Module, inputs: Any, output: Tensor) -> None:
            del module, inputs
            if reading.is_open:
                kept.append(output)

        return hook

    model.embeddings.register_forward_hook(keep(reading.states))
    for module in model.modules():
        if isinstance(module, EncoderLayer):
            module.register_forward_hook(keep(reading.states))
        if isinstance(module, SelfAttention):
            module.query_key_value.register_forward_hook(keep(reading.qkv))
    return reading


class ReadingAlong:
    """A frozen teacher that reads a student's batches, and how far from its reading theirs is."""

    def __init__(self, hints: TokenHints, tutor: Tutor, student: TextEncoder) -> None:
        device = next(student.parameters()).device
        teacher = build_model(tutor.blueprint.family, tutor.blueprint.config)
        teacher.load_state_dict(tutor.blueprint.weights)
        assert isinstance(teacher, TextEncoder)
        self.hints, self.share = hints, tutor.share
        self.teacher = teacher.to(device).eval().requires_grad_(False)
        self.ids = torch.tensor(tutor.ids, device=device)
        own, theirs = student.config, teacher.config
        self.project = None
        if hints.hidden:
            self.project = nn.Linear(own.width, theirs.width, bias=False).to(device)
        self.layers = layers_learned_from(own.layers, theirs.layers, hints.layer_map)
        self.own_attention, self.attention = _attention_of(student), _attention_of(teacher)
        self.heads = relation_heads(self.own_attention.width, self.attention.width)
        self.reading = read_by(teacher)
        self.reading.is_open = True

    def hint(self, own: Reading, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """This teacher's part of what is added to the loss of each row of a batch, [B]."""
        self.read(input_ids, attention_mask)
        projected = [self.project(state) for state in own.states] if self.project else []
        with torch.autocast(input_ids.device.type, enabled=False):  # squares want all digits
            return self.share * self.loss(own, projected, attention_mask.float())

    @torch.no_grad()
    def read(self, input_ids: Tensor, attention_mask: Tensor) -> None:
        """Read a batch of the student's."""
        self.reading.clear()
        self.teacher.encode(self.ids[input_ids], attention_mask)

    def loss(self, own: Reading, projected: Sequence[Tensor], mask_BT: Tensor) -> Tensor:
        """What is added to the loss of each row, [B]; `projected` are the student's states."""
        hints, loss_B = self.hints, mask_BT.new_zeros(len(mask_BT))
        for state, at in zip(projected, [0, *self.layers], strict=False):
            seen = self.reading.states[at]
            loss_B = loss_B + hints.hidden * hidden_loss(state, seen, mask_BT)
        for layer, at in enumerate(self.layers if hints.attention else (), start=1):
            ours = own.scores(layer, self.own_attention.heads, self.own_attention.scale)
            seen = self.reading.scores(at, self.attention.heads, self.attention.scale)
            loss_B = loss_B + hints.attention * attention_loss(ours, seen, mask_BT)
        if hints.relations:
            apart_B = token_relation_loss(own.last(), self.reading.last(), mask_BT, self.heads)
            loss_B = loss_B + hints.relations * apart_B
        return loss_B


def relation_heads(own: int, theirs: int) -> int:
    """The most parts, `RELATION_HEADS` at most, that divide both widths."""
    return next(n for n in range(RELATION_HEADS, 0, -1) if own % n == 0 and theirs % n == 0)


def teach_tokens(model: nn.Module, hints: TokenHints, tutors: Sequence[Tutor]) -> None:
    """From now on the model answers in training one number more for each row, [B, C + ... + 1]:
    what is added to its loss, the mean over its teachers by their shares.

    A projection of the student's states to those of each teacher becomes a part of the model.
    """
    assert isinstance(model, TextEncoder)
    along, drawn = [], torch.get_rng_state()
    for tutor in tutors:
        torch.set_rng_state(drawn)  # projections start alike: one teacher twice is one once
        along.append(ReadingAlong(hints, tutor, model))
    projections = [each.project for each in along if each.project]
    if projections:
        setattr(model, TOKEN_PROJECTION, nn.ModuleList(projections))
    own = read_by(model)

    def begin(model: nn.Module, args: Any, kwargs: Mapping[str, Tensor]) -> None:
        del args, kwargs
        own.clear()
        own.is_open = model.training

    def say(model: nn.Module, args: Any, kwargs: Mapping[str, Tensor], said_BW: Tensor) -> Tensor:
        del args
        own.is_open = False
        if not model.training:
            return said_BW
        hints_KB = torch.stack([each.hint(own, **kwargs) for each in along])
        return torch.cat([said_BW, hints_KB.sum(0).unsqueeze(1)], dim=1)

    model.register_forward_pre_hook(begin, with_kwargs=True)
    model.register_forward_hook(say, with_kwargs=True)


def _attention_of(model: TextEncoder) -> SelfAttention:
    """That of any layer: they are alike."""
    return next(module for module in model.modules() if isinstance(module, SelfAttention))
