"""Users and items by what is known of them, and strangers in their place."""

from typing import Any

from tasks.data.interactions_probe import InteractionsProbe

TYPES = {"who": "user", "what": "item", "age": "number"}
TRAINING: dict[str, list[Any]] = {
    "who": ["ann"] * 20 + ["bob"] * 10 + ["cy"] * 8,
    "what": ["tea", "milk"] * 19,
    "age": [30.0] * 38,
}
ROWS: dict[str, list[Any]] = {
    "who": ["ann", "bob", "cy", "dee", None],
    "what": ["tea", "milk", "tea", "mead", "tea"],
    "age": [30.0, None, 20.0, 31.0, 32.0],
}


def test_slices_are_by_what_training_saw_of_each() -> None:
    found = InteractionsProbe().slices(ROWS, TRAINING, TYPES)
    assert list(found) == ["training rows of the user", "training rows of the item"]
    users = found["training rows of the user"]
    assert users[3] == users[4] == "not in training"
    assert users[:3] == ["over 10 rows", "up to 10 rows", "up to 10 rows"]
    assert found["training rows of the item"] == ["all rows"] * 3 + ["not in training", "all rows"]


def test_strangers_take_the_place_of_either_or_both() -> None:
    found = InteractionsProbe().damaged(ROWS, TYPES, seed=7)
    assert list(found)[:3] == ["unknown user", "unknown item", "unknown user and item"]
    assert len(set(found["unknown user"]["who"])) == 1
    assert found["unknown user"]["what"] == ROWS["what"]
    assert found["unknown item"]["who"] == ROWS["who"]
    assert "noise" in found
    assert all(columns.keys() == ROWS.keys() for columns in found.values())
    assert ROWS["who"][0] == "ann", "what came in stays as it was"


def test_of_a_ranking_there_are_users_alone() -> None:
    found = InteractionsProbe().damaged({"who": ["ann"]}, {"who": "user"}, seed=7)
    assert list(found) == ["unknown user"]


def test_parts_are_cells() -> None:
    row = {name: values[0] for name, values in ROWS.items()}
    parts = InteractionsProbe().parts(row, TYPES)
    assert [name for name, _ in parts] == ["who = ann", "what = tea", "age = 30"]
    assert parts[0][1]["who"] is None
