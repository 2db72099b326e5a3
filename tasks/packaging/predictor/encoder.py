"""What turns columns into tensors, and how one is loaded from its configuration."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from .audio import AudioRows
from .image import ImageRows
from .interactions import InteractionRows
from .language import BytePairs
from .mixed import TableWithText
from .series import SeriesRows
from .table import TableRows
from .text import HashedNgrams, Tfidf, WordPiece


class Encoder(Protocol):
    """Two stages, so that rows are encoded once and batched often."""

    names: tuple[str, ...]
    """Of the tensors that `batch` returns, which are the inputs of the graph."""
    batch_rows: int
    """Rows that are best answered together on one core."""
    ragged_axes: tuple[int, ...]
    """Axes of those tensors, beside the rows', that are as long as the longest row."""

    def rows(self, columns: Mapping[str, Sequence[Any]]) -> Any:
        """One encoded item for each row: a list, or an array with a row for each."""
        ...

    def length(self, row: Any) -> int:
        """How long a row is, for batches of equal length."""
        ...

    def batch(self, rows: Any) -> dict[str, np.ndarray]:
        """Tensors of these rows, padded to the longest."""
        ...


_KINDS: dict[str, Callable[[Mapping[str, Any], Path], Encoder]] = {
    "wordpiece": WordPiece.load,
    "hashed_ngrams": HashedNgrams.load,
    "tfidf": Tfidf.load,
    "table": TableRows.load,
    "table_with_text": TableWithText.load,
    "image": ImageRows.load,
    "audio": AudioRows.load,
    "series": SeriesRows.load,
    "interactions": InteractionRows.load,
    "byte_pairs": BytePairs.load,
}
NEEDED: dict[str, tuple[str, ...]] = {"image": ("pillow",)}
"""Distributions that an encoder needs beside those of every model."""


def ragged_names(encoder: Encoder) -> tuple[str, ...]:
    """The tensors that have ragged axes: all, unless the encoder names some."""
    names: tuple[str, ...] = getattr(encoder, "ragged_names", encoder.names)
    return names


def allowed(encoder: Encoder, rows: Any, logits_BC: np.ndarray) -> np.ndarray:
    """The logits, minus infinity where the encoder knows that a row must not get that answer."""
    barred = getattr(encoder, "barred", None)
    return logits_BC if barred is None else barred(rows, logits_BC)


def load_encoder(config: Mapping[str, Any], folder: Path) -> Encoder:
    """The encoder that `config` describes, its files read from `folder`."""
    kind = config.get("kind")
    if kind not in _KINDS:
        raise ValueError(f"encoder kind {kind!r} must be one of {', '.join(sorted(_KINDS))}")
    return _KINDS[kind](config, Path(folder))
