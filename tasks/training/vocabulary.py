"""A word-piece vocabulary cut down to what the training rows use.

Half of MiniLM's weights are word vectors, and a corpus of tweets meets half of them. Single
characters and their continuations always stay, so that any word can still be spelt.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

TRIMMABLE = ("WordPiece", "Unigram")


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

    Raises ValueError for a tokenizer that is neither WordPiece nor Unigram: the merges of BPE pass
    through pieces that stand in no row.
    """
    tokenizer = json.loads(tokenizer_json)
    kind = tokenizer["model"].get("type")
    if kind not in TRIMMABLE:
        raise ValueError(
            f"tokenizer.json holds a {kind} model, only {' and '.join(TRIMMABLE)} can be trimmed: "
            "min_count: null keeps every piece"
        )
    counts: Counter[int] = Counter()
    for row in rows:
        counts.update(row)
    seen = {piece for piece, count in counts.items() if count >= min_count}
    kept_ids = tuple(sorted(seen | _indispensable_ids(tokenizer)))
    return Vocabulary(kept_ids, json.dumps(_renumbered(tokenizer, kept_ids), ensure_ascii=False))


def _indispensable_ids(tokenizer: dict[str, Any]) -> set[int]:
    model = tokenizer["model"]
    prefix = model.get("continuing_subword_prefix") or ""
    pieces = _pieces(model)
    characters = {i for i, piece in pieces.items() if len(piece.removeprefix(prefix)) == 1}
    unknown = {model["unk_id"]} if model.get("unk_id") is not None else set()
    added = {token["id"] for token in tokenizer["added_tokens"]}
    if not added <= set(pieces):
        raise ValueError(
            "tokenizer.json adds tokens that are not in its vocabulary, which cannot be trimmed: "
            "min_count: null keeps every piece"
        )
    return characters | unknown | added


def _pieces(model: dict[str, Any]) -> dict[int, str]:
    """The pieces by id: Unigram lists them with their scores, WordPiece maps them to ids."""
    vocabulary = model["vocab"]
    if isinstance(vocabulary, list):
        return {index: piece for index, (piece, _) in enumerate(vocabulary)}
    return {index: piece for piece, index in vocabulary.items()}


def _kept_model(
    model: dict[str, Any], kept_ids: Sequence[int], new_id: dict[int, int]
) -> dict[str, Any]:
    vocabulary = model["vocab"]
    if isinstance(vocabulary, list):
        unknown = None if model.get("unk_id") is None else new_id[model["unk_id"]]
        return model | {"vocab": [vocabulary[old] for old in kept_ids], "unk_id": unknown}
    return model | {"vocab": {p: new_id[old] for p, old in vocabulary.items() if old in new_id}}


def _renumbered(tokenizer: dict[str, Any], kept_ids: Sequence[int]) -> dict[str, Any]:
    """The tokenizer with only the kept pieces, under their new ids."""
    new_id = {old: new for new, old in enumerate(kept_ids)}
    tokens = [token | {"id": new_id[token["id"]]} for token in tokenizer["added_tokens"]]
    return tokenizer | {
        "model": _kept_model(tokenizer["model"], kept_ids, new_id),
        "added_tokens": tokens,
        "post_processor": _renumbered_specials(tokenizer["post_processor"], new_id),
        # Fixed padding would undo batches by length; the encoder pads and cuts by itself.
        "padding": None,
        "truncation": None,
    }


def _renumbered_specials(processor: Any, new_id: dict[int, int]) -> Any:
    """What puts special tokens around a text, with their new ids."""
    if processor is None:
        return None
    if "special_tokens" in processor:
        specials = {
            name: special | {"ids": [new_id[old] for old in special["ids"]]}
            for name, special in processor["special_tokens"].items()
        }
        return processor | {"special_tokens": specials}
    if {"sep", "cls"} <= set(processor):
        pairs = {name: [processor[name][0], new_id[processor[name][1]]] for name in ("sep", "cls")}
        return processor | pairs
    raise ValueError(
        f"tokenizer.json holds a post_processor {processor.get('type')}, which cannot be trimmed: "
        "min_count: null keeps every piece"
    )
