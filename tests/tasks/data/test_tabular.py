"""Tables: the types of columns, which of them help, and what is kept of equal rows."""

from pathlib import Path
from typing import Any

import pytest

from tasks.data.config import DataConfig
from tasks.data.prepare import prepare_rows
from tasks.data.tabular import TableKind, type_of


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        (["1", "2.5", ""], "number"),
        ([1, 0, 1], "number"),
        ([True, False, None], "boolean"),
        (["true", "FALSE", "NA"], "boolean"),
        (["2026-01-01", "2026-02-01 10:00"], "moment"),
        (["2026-01-01", "later"], "category"),
        ([1, "two"], "category"),
        (["the crew was late", "a kind and quick crew", None, "no"], "text"),
        (["New York City", "New York City", "Staten Island West"] * 2, "category"),
    ],
    ids=str,
)
def test_a_column_has_the_first_type_that_all_its_cells_can_be(
    values: list[Any], type_: str
) -> None:
    assert type_of(values) == type_


HEADER = "age,city,copy,same,id,y"


def rows(count: int) -> str:
    lines = [
        f"{20 + i % 50},{'Oslo' if i % 3 else 'Rome'},{20 + i % 50},x,name {i},{i % 2}"
        for i in range(count)
    ]
    return "\n".join([HEADER, *lines]) + "\n"


def prepared(folder: Path, text: str, **settings: Any) -> Any:
    (folder / "rows.csv").write_text(text)
    config = DataConfig(source="rows.csv", kind="table", **{"target": "y", **settings})
    return prepare_rows(config, folder)


def test_columns_that_help_are_chosen_and_typed(tmp_path: Path) -> None:
    found = prepared(tmp_path, rows(120))
    assert found.config.inputs == ("age", "city")
    assert found.types == {"age": "number", "city": "category"}
    assert found.inputs["age"][0] == 20.0


def test_equal_rows_stay_and_stand_on_one_side(tmp_path: Path) -> None:
    found = prepared(tmp_path, rows(600))
    assert len(found.rows) == 600
    sides: dict[str, set[int]] = {}
    for key, side in zip(found.questions.tolist(), found.sides.tolist(), strict=True):
        sides.setdefault(key, set()).add(side)
    assert all(len(each) == 1 for each in sides.values())


def test_a_number_to_predict_becomes_two_classes(tmp_path: Path) -> None:
    found = prepared(tmp_path, rows(120), target="age", above=40, inputs=("city", "y"))
    assert found.classes == ("above", "not above")
    ages = [float(age) for age in found.table.columns["age"]]
    assert found.rows.labels.count("above") == sum(age > 40 for age in ages)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"columns": {"city": "number"}}, "data.columns 'city': 'Rome' in row 1 is no number"),
        ({"target": "city", "above": 3}, "data.target 'city' is 'Rome', which is no number"),
        ({"inputs": ("age", "y")}, "data.inputs 'y' is the target too"),
        ({"inputs": ("agee",)}, "did you mean age"),
    ],
    ids=str,
)
def test_what_is_wrong_is_one_sentence(
    tmp_path: Path, settings: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        prepared(tmp_path, rows(120), **settings)


def test_no_column_that_helps_is_refused(tmp_path: Path) -> None:
    text = "same,y\n" + "".join(f"x,{i % 2}\n" for i in range(50))
    with pytest.raises(ValueError, match="has no column to predict 'y' from"):
        prepared(tmp_path, text)


def test_rows_in_which_nothing_stands_are_dropped(tmp_path: Path) -> None:
    found = prepared(tmp_path, rows(120) + ",,,,,1\n", inputs=("age", "city"))
    assert found.rows.dropped["empty row"] == 1


def test_figures_of_a_column() -> None:
    figures = TableKind().figures({"age": [1.0, None, 3.0, 3.0]})["age"]
    assert (figures["missing"], figures["different"]) == (0.25, 2)
    assert figures["quantiles"][-1] == 3.0
