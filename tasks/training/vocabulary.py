"""A word-piece vocabulary cut down to what the training rows use.

Half of MiniLM's weights are word vectors, and a corpus of tweets meets half of them. Single
characters and their continuations always stay, so that any word can still be spelt.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What is left of a tokenizer."""

    kept_ids: tuple[int, ...]
    """Old ids: row i of the new table is row kept_ids[i] of the old one."""
    tokenizer_json: str
    """The tokenizer over the new ids."""


def trimmed_vocabulary(
    tokenizer_json: str, rows: Iterable[Sequence[int]], min_count: int
) -> Vocabulary:
    """The pieces that stand at least `min_count` times in `rows`, and those that must stay.

    Raises ValueError for a tokenizer that is not WordPiece.
    """
    tokenizer = json.loads(tokenizer_json)
    kind = tokenizer["model"].get("type")
    if kind != "WordPiece":
        raise ValueError(f"tokenizer.json holds a {kind} model, only WordPiece can be trimmed")
    counts: Counter[int] = Counter()
    for row in rows:
        counts.update(row)
    seen = {piece for piece, count in counts.items() if count >= min_count}
    kept_ids = tuple(sorted(seen | _indispensable_ids(tokenizer)))
    return Vocabulary(kept_ids, json.dumps(_renumbered(tokenizer, kept_ids), ensure_ascii=False))


def _indispensable_ids(tokenizer: dict[str, Any]) -> set[int]:
    prefix = tokenizer["model"]["continuing_subword_prefix"]
    characters = {
        index
        for piece, index in tokenizer["model"]["vocab"].items()
        if len(piece.removeprefix(prefix)) == 1
    }
    return characters | {token["id"] for token in tokenizer["added_tokens"]}


def _renumbered(tokenizer: dict[str, Any], kept_ids: Sequence[int]) -> dict[str, Any]:
    """The tokenizer with only the kept pieces, under their new ids."""
    new_id = {old: new for new, old in enumerate(kept_ids)}
    vocabulary = tokenizer["model"]["vocab"]
    pieces = {piece: new_id[old] for piece, old in vocabulary.items() if old in new_id}
    tokens = [token | {"id": new_id[token["id"]]} for token in tokenizer["added_tokens"]]
    return tokenizer | {
        "model": tokenizer["model"] | {"vocab": pieces},
        "added_tokens": tokens,
        "post_processor": _renumbered_specials(tokenizer["post_processor"], new_id),
        # Fixed padding would undo batches by length; the encoder pads and cuts by itself.
        "padding": None,
        "truncation": None,
    }


def _renumbered_specials(processor: dict[str, Any], new_id: dict[int, int]) -> dict[str, Any]:
    specials = {
        name: special | {"ids": [new_id[old] for old in special["ids"]]}
        for name, special in processor["special_tokens"].items()
    }
    return processor | {"special_tokens": specials}
