"""Blueprints of the networks that read interactions, and the encoder that all of them share."""

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.artifacts import DatasetRef
from tasks.packaging.predictor.interactions import USER_AND_ITEM, met_table
from tasks.training.blueprint import Blueprint
from tasks.training.interaction_architectures import (
    Collaborative,
    MatrixFactorisation,
    NeuralCollaborativeFiltering,
    TwoTower,
)
from tasks.training.job import Rows
from tasks.training.table_models import column_tables, table_shape

Columns = Mapping[str, Sequence[Any]]
MET = "met.npy"
"""Who met what in training, beside the graph of a ranking."""


def matrix_factorisation(
    config: MatrixFactorisation, dataset: DatasetRef, train: Rows
) -> Blueprint:
    """Biases and factors of users and items."""
    return _blueprint("matrix_factorisation", {}, config, dataset, train)


def neural_collaborative_filtering(
    config: NeuralCollaborativeFiltering, dataset: DatasetRef, train: Rows
) -> Blueprint:
    """Factors beside layers."""
    own = {"hidden_layers": config.layers, "dropout": config.dropout}
    return _blueprint("neural_collaborative_filtering", own, config, dataset, train)


def two_tower(config: TwoTower, dataset: DatasetRef, train: Rows) -> Blueprint:
    """A network for each side, which reads that side's columns too."""
    own = {"layers": config.layers, "dropout": config.dropout}
    sides = columns_of_sides(dataset, train.columns)
    return _blueprint("two_tower", own, config, dataset, train, sides)


def _blueprint(
    family: str,
    own: dict[str, Any],
    config: Collaborative,
    dataset: DatasetRef,
    train: Rows,
    sides: Mapping[str, Sequence[str]] | None = None,
) -> Blueprint:
    encoder = interaction_encoder(dataset, train.columns, config.min_count, sides or {})
    shape = {
        "num_classes": dataset.num_outputs,
        **num_ids(encoder, dataset),
        **{
            f"{side}_{part}": size
            for side, table in encoder["tables"].items()
            for part, size in table_shape(table).items()
        },
        "width": config.width,
        "hidden": config.hidden,
        **own,
    }
    inputs = tuple(n for n in dataset.inputs if sides or dataset.types[n] in USER_AND_ITEM)
    return Blueprint(
        family=family,
        config=shape,
        inputs=inputs,
        encoder=encoder,
        files=met_files(encoder, train.columns, train.labels),
    )


def interaction_encoder(
    dataset: DatasetRef,
    columns: Columns,
    min_count: int,
    sides: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    """Configuration of the encoder: users and items of at least `min_count` of these rows.

    `sides` are the columns that say more of the user, and of the item.
    """
    named = {type_: name for name, type_ in dataset.types.items()}
    ids = {
        side: {"column": named[side], "known": _known(columns[named[side]], min_count)}
        for side in USER_AND_ITEM
        if side in named
    }
    tables = {
        side: column_tables({name: dataset.types[name] for name in names}, columns, {})
        for side, names in sides.items()
        if names
    }
    ranks = {"top": int(dataset.layout["top"]), "met": MET} if dataset.task == "ranking" else {}
    return {"kind": "interactions", **ids, "tables": tables, **ranks}


def num_ids(encoder: Mapping[str, Any], dataset: DatasetRef) -> dict[str, int]:
    """How many ids users and items have: the unknown one included, which no ranking names."""
    sizes = {
        f"{side}s": len(encoder[side]["known"]) + 1 for side in USER_AND_ITEM if side in encoder
    }
    return {"items": dataset.num_outputs, **sizes}


def met_files(
    encoder: Mapping[str, Any], columns: Columns, items: NDArray[Any]
) -> dict[str, bytes]:
    """Of a ranking, the file that says which items each user met in these training rows."""
    if "met" not in encoder:
        return {}
    place = {name: index + 1 for index, name in enumerate(encoder["user"]["known"])}
    users = np.array([place.get(name, 0) for name in columns[encoder["user"]["column"]]])
    file = io.BytesIO()
    np.save(file, met_table(users, items, len(place) + 1), allow_pickle=False)
    return {encoder["met"]: file.getvalue()}


def columns_of_sides(dataset: DatasetRef, columns: Columns) -> dict[str, list[str]]:
    """The other inputs: what is the same in all training rows of an item is the item's.

    All else says something of the user, or of when and where he asks.
    """
    item = next((name for name, type_ in dataset.types.items() if type_ == "item"), None)
    sides: dict[str, list[str]] = {side: [] for side in USER_AND_ITEM}
    for name in dataset.inputs:
        if dataset.types[name] not in USER_AND_ITEM:
            of_item = item is not None and _depends(columns[name], columns[item])
            sides["item" if of_item else "user"].append(name)
    return sides


def _depends(values: Sequence[Any], names: Sequence[Any]) -> bool:
    """Whether each name always has one value."""
    first: dict[Any, Any] = {}
    return all(
        first.setdefault(name, value) == value for name, value in zip(names, values, strict=True)
    )


def _known(names: Sequence[str | None], min_count: int) -> list[str]:
    counts = Counter(name for name in names if name is not None)
    return sorted(name for name, count in counts.items() if count >= min_count)
