"""Blueprints of the networks that read tables, and the encoder that all of them share."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tasks.artifacts import DatasetRef
from tasks.data.arrow_column import PIECE, ArrowColumn
from tasks.packaging.predictor.table import category_of, numbers_of
from tasks.training.architectures import FtTransformer, Mlp, TableResNet
from tasks.training.blueprint import Blueprint
from tasks.training.job import Rows

MIN_COUNT = 5
"""Rarer categories share the id of those that training never met, which so learns something."""
MOST_CATEGORIES = 5000
TEXT_BUCKETS = 1 << 14
"""Of the n-grams of all text columns: 2 MB of embeddings at a width of 32."""


def table_resnet(config: TableResNet, dataset: DatasetRef, train: Rows) -> Blueprint:
    """Residual blocks over the columns."""
    own = {"blocks": config.blocks, "width": config.width, "dropout": config.dropout}
    return _blueprint("table_resnet", own, dataset, train)


def ft_transformer(config: FtTransformer, dataset: DatasetRef, train: Rows) -> Blueprint:
    """A token for each column."""
    own = {
        "blocks": config.blocks,
        "width": config.width,
        "heads": config.heads,
        "dropout": config.dropout,
    }
    return _blueprint("ft_transformer", own, dataset, train)


def mlp(config: Mlp, dataset: DatasetRef, train: Rows) -> Blueprint:
    """Linear layers over the columns."""
    own = {"hidden": config.hidden, "dropout": config.dropout}
    return _blueprint("mlp", own, dataset, train)


def table_encoder(dataset: DatasetRef, columns: dict[str, list[Any]]) -> dict[str, Any]:
    """Configuration of the encoder: scales and categories of these training rows.

    Columns of free text are left out.
    """
    texts = text_columns(dataset)
    types = {name: dataset.types[name] for name in dataset.inputs if name not in texts}
    return column_tables(types, columns, dataset.scaling)


def column_tables(
    types: dict[str, str], columns: Mapping[str, Sequence[Any]], scaling: Mapping[str, str]
) -> dict[str, Any]:
    """The same for columns of these types."""
    numbers = [
        _scale(name, values, scaling.get(name, "standard"))
        for column, type_ in types.items()
        if type_ != "category"
        for name, values in _numbers(column, type_, columns[column]).items()
    ]
    categories = {
        column: _categories(columns[column])
        for column, type_ in types.items()
        if type_ == "category"
    }
    return {"kind": "table", "types": types, "numbers": numbers, "categories": categories}


def text_columns(dataset: DatasetRef) -> tuple[str, ...]:
    """The inputs that are free text."""
    return tuple(name for name in dataset.inputs if dataset.types[name] == "text")


def text_encoder(columns: Sequence[str]) -> dict[str, Any]:
    """Configuration of the n-grams of those columns, which are read as one text."""
    sizes = {"buckets": TEXT_BUCKETS, "word_ngrams": [1, 2], "char_ngrams": [3, 5]}
    return {"kind": "hashed_ngrams", "columns": list(columns), "max_length": 512, **sizes}


def table_shape(encoder: dict[str, Any]) -> dict[str, Any]:
    """How many numbers a row has, and how many ids each category."""
    return {
        "numbers": sum(1 + scale["missing"] for scale in encoder["numbers"]),
        "categories": tuple(len(values) + 2 for values in encoder["categories"].values()),
    }


def _blueprint(family: str, own: dict[str, Any], dataset: DatasetRef, train: Rows) -> Blueprint:
    encoder = table_encoder(dataset, train.columns)
    shape = {"num_classes": dataset.num_outputs, **table_shape(encoder), **own}
    if texts := text_columns(dataset):
        shape["buckets"] = TEXT_BUCKETS
        encoder = {"kind": "table_with_text", "table": encoder, "text": text_encoder(texts)}
    return Blueprint(family=family, config=shape, inputs=dataset.inputs, encoder=encoder)


def _numbers(column: str, type_: str, values: Sequence[Any]) -> dict[str, np.ndarray]:
    """Its numbers, of which few cells are Python's own at one time."""
    if isinstance(values, ArrowColumn) and values.is_number:
        return numbers_of(column, type_, values.numbers())
    pieces = [
        numbers_of(column, type_, values[start : start + PIECE], start)
        for start in range(0, max(1, len(values)), PIECE)
    ]
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def _scale(name: str, values: np.ndarray, scaling: str) -> dict[str, Any]:
    known = values[~np.isnan(values)]
    mean, deviation = _ORIGIN_AND_UNIT[scaling](known) if len(known) else (0.0, 1.0)
    scale: dict[str, Any] = {
        "name": name,
        "mean": float(mean),
        "deviation": float(deviation) or 1.0,
        "missing": len(known) < len(values),
    }
    if scaling == "unit_norm":
        return {**scale, "in_norm": True}
    if scaling == "min_max" and len(known):  # a missing cell is the mean, as in every scaling
        return {**scale, "fill": (float(known.mean()) - scale["mean"]) / scale["deviation"]}
    return scale


def _quartiles(known: np.ndarray) -> tuple[float, float]:
    low, median, high = np.quantile(known, (0.25, 0.5, 0.75))
    return median, high - low


_ORIGIN_AND_UNIT: dict[str, Callable[[np.ndarray], tuple[float, float]]] = {
    "standard": lambda known: (known.mean(), known.std()),
    "min_max": lambda known: (known.min(), known.max() - known.min()),
    "robust": _quartiles,
    "unit_norm": lambda known: (0.0, 1.0),  # noqa: ARG005 (a row's length, not the column's)
}
"""What is subtracted from a column's numbers, and what they are then divided by."""


def _categories(values: Sequence[Any]) -> list[str]:
    different, sizes = values, [1] * len(values)
    if isinstance(values, ArrowColumn):
        codes, different = values.codes()
        sizes = np.bincount(codes).tolist()
    counts: Counter[str] = Counter()
    for name, size in zip(map(category_of, different), sizes, strict=True):
        if name is not None:
            counts[name] += size
    known = [(-count, name) for name, count in counts.items() if count >= MIN_COUNT]
    return [name for _, name in sorted(known)[:MOST_CATEGORIES]]
