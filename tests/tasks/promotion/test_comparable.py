"""Which champions of an earlier night can be asked about tonight's rows, and why others cannot."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tasks.artifacts import DatasetRef
from tasks.packaging.bundle import FACTS, BundleFacts
from tasks.promotion.comparable import why_not_asked
from tasks.training.table_models import column_tables

Columns = Mapping[str, Sequence[Any]]
THEN = {"carrier": ["AA", "BB"] * 6, "distance": [100.0, 250.0] * 6}
TYPES = {"carrier": "category", "distance": "number"}


def bundle(folder: Path, **facts: Any) -> Path:
    """Of a table of carriers and distances, unless other facts are given."""
    given = {
        "encoder": column_tables(TYPES, THEN, {}),
        "classes": ("n", "y"),
        "inputs": ("carrier", "distance"),
        "target": "y",
    }
    (folder / FACTS).write_text(BundleFacts.model_validate(given | facts).model_dump_json())
    return folder


def dataset(**facts: Any) -> DatasetRef:
    given = {
        "name": "d",
        "uri": "s3://b/d/",
        "sha256": "1",
        "source_sha256": "2",
        "kind": "table",
        "inputs": ("carrier", "distance", "day"),
        "target": "y",
        "classes": ("n", "y"),
        "rows": {},
    }
    return DatasetRef.model_validate(given | facts)


def unread() -> Iterator[Columns]:
    pytest.fail("the rows need not be read")
    yield {}


@pytest.mark.parametrize(
    "rows",
    [
        THEN,
        {"carrier": ["ZZ", None], "distance": [1.0, None]},
        {"carrier": ["AA", "BB"], "distance": [True, False]},
        {"carrier": [1.0, 2.0], "distance": ["10", "20"]},
    ],
    ids=["same", "unmet", "booleans for numbers", "numbers for categories"],
)
def test_one_that_can_read_the_rows_is_asked(tmp_path: Path, rows: Columns) -> None:
    assert why_not_asked(bundle(tmp_path), [THEN, rows], dataset()) == ""


def test_an_input_that_changed_its_type_is_named(tmp_path: Path) -> None:
    tonight = {"carrier": ["AA", "BB"], "distance": ["near", "far"]}
    assert why_not_asked(bundle(tmp_path), [THEN, tonight], dataset()) == (
        "it cannot read tonight's rows: column 'distance', row 0: 'near' must be a number"
    )


def test_a_long_cell_is_not_told_whole(tmp_path: Path) -> None:
    tonight = {"carrier": ["AA"], "distance": ["far " * 1000]}
    assert len(why_not_asked(bundle(tmp_path), [tonight], dataset())) < 250


def test_inputs_that_are_left_out_are_named(tmp_path: Path) -> None:
    found = why_not_asked(bundle(tmp_path), unread(), dataset(inputs=("distance",)))
    assert found == "it reads carrier, none of tonight's inputs (data.inputs)"


@pytest.mark.parametrize(("top", "is_asked"), [("5", True), ("10", False), ("3", False)])
def test_as_many_items_must_be_answered(tmp_path: Path, top: str, is_asked: bool) -> None:
    user = {"column": "user", "known": ["a", "b"]}
    encoder = {"kind": "interactions", "tables": {}, "top": 5, "user": user}
    made = bundle(tmp_path, encoder=encoder, task="ranking", inputs=("user",))
    ref = dataset(task="ranking", kind="interactions", inputs=("user",), layout={"top": top})
    sentence = f"it answers 5 items, tonight {top} are asked for (data.interactions.top)"
    assert why_not_asked(made, [{"user": ["a", "z"]}], ref) == ("" if is_asked else sentence)


@pytest.mark.parametrize(
    "facts", [{"task": "regression", "scale": (0, 1)}, {"scale": (0, 1)}], ids=["named", "older"]
)
def test_the_task_must_be_the_same(tmp_path: Path, facts: dict[str, Any]) -> None:
    assert why_not_asked(bundle(tmp_path, **facts), unread(), dataset()) == (
        "it answers a regression, tonight's is a classification (data.task)"
    )
    numbers = dataset(task="regression", classes=())
    assert why_not_asked(bundle(tmp_path, **facts), [THEN], numbers) == ""
