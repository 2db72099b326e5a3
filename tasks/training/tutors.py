"""Teachers that read the tokens of a student's rows: as they travel to where it learns."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from models.text_encoder import TextEncoderConfig
from tasks.training.blueprint import Blueprint
from tasks.training.hints import TokenHints

FAMILY = "text_encoder"
FIELDS = "compress.distil.hidden, attention and token_relations"


@dataclass(frozen=True, slots=True)
class Tutor:
    """A teacher as it travels to where a student learns."""

    blueprint: Blueprint
    """With the weights that it was trained to."""
    ids: tuple[int, ...]
    """Its id of each of the student's pieces."""
    share: float = 1.0
    """How much it has to say, of one whole for all teachers."""


def tutors_of(
    student: Blueprint,
    teachers: Sequence[Blueprint],
    shares: Sequence[float],
    hints: TokenHints,
    name: str,
) -> tuple[Tutor, ...]:
    """The teachers as they read along with the student called `name`; all alike without `shares`.

    Raises ValueError as `tutor_of` does. One whose share is nothing stays away.
    """
    shares = shares or [1 / len(teachers)] * len(teachers)
    return tuple(
        replace(tutor_of(student, teacher, hints, name), share=share)
        for teacher, share in zip(teachers, shares, strict=True)
        if share > 0
    )


def tutor_of(student: Blueprint, teacher: Blueprint, hints: TokenHints, name: str) -> Tutor:
    """The teacher as it reads along with the student called `name`.

    Raises ValueError, one sentence, when they cannot be compared token by token.
    """
    if student.family != FAMILY or teacher.family != FAMILY:
        raise ValueError(f"{FIELDS}: {name} and the teacher must both be transformers of text")
    own, theirs = TextEncoderConfig(**student.config), TextEncoderConfig(**teacher.config)
    if hints.attention and own.heads != theirs.heads:
        raise ValueError(
            f"compress.distil.attention: {name} has {own.heads} heads, the teacher {theirs.heads}; "
            "they must be as many (token_relations compares any)"
        )
    if theirs.max_positions < own.max_positions:
        raise ValueError(
            f"{FIELDS}: {name} reads {own.max_positions} tokens, the teacher only "
            f"{theirs.max_positions}"
        )
    return Tutor(teacher, _ids_of(student, teacher, own.vocab_size, name))


def _ids_of(student: Blueprint, teacher: Blueprint, count: int, name: str) -> tuple[int, ...]:
    if student.encoder == teacher.encoder and student.files == teacher.files:
        return tuple(range(count))
    own, theirs = _pieces_of(student), _pieces_of(teacher)
    ids = {piece: at for at, piece in theirs.items()}
    unknown = [piece for piece in own.values() if piece not in ids]
    if unknown:
        raise ValueError(
            f"{FIELDS}: the teacher does not know {len(unknown)} of the {len(own)} pieces that "
            f"{name} reads, such as {unknown[0]!r}; they must share a tokenizer"
        )
    if not own:
        raise ValueError(f"{FIELDS}: {name} and the teacher hash words into other buckets")
    return tuple(ids[own[at]] if at in own else 0 for at in range(count))


def _pieces_of(blueprint: Blueprint) -> dict[int, str]:
    """The pieces of its tokenizer by id; none where it hashes words."""
    content = blueprint.files.get("tokenizer.json")
    if content is None:
        return {}
    tokenizer = json.loads(content)
    vocabulary = tokenizer["model"]["vocab"]
    if isinstance(vocabulary, list):
        found = {at: piece for at, (piece, _) in enumerate(vocabulary)}
    else:
        found = {at: piece for piece, at in vocabulary.items()}
    return found | {token["id"]: token["content"] for token in tokenizer["added_tokens"]}
