"""Scaling by column: which columns it is for."""

import pytest

from tasks.data.config import DataConfig
from tasks.data.table_config import TableConfig

TYPES = {"age": "number", "income": "number", "city": "category"}


def test_a_scaling_is_that_of_all_numbers_or_of_one_column() -> None:
    assert TableConfig().scaling_of(TYPES) == {}
    assert TableConfig(scaling="robust").scaling_of(TYPES) == dict.fromkeys(
        ("age", "income"), "robust"
    )
    mixed = TableConfig(scaling="min_max", column_scaling={"age": "standard"})
    assert mixed.scaling_of(TYPES) == {"income": "min_max"}


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("city", "column_scaling 'city' is a column of type category, .* expected: age, income"),
        ("town", "column_scaling 'town' is no input, one of these numbers was expected"),
    ],
)
def test_scaling_is_for_numbers(name: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        TableConfig(column_scaling={name: "robust"}).scaling_of(TYPES)


def test_scaling_is_for_tables() -> None:
    table = TableConfig(scaling="robust")
    with pytest.raises(ValueError, match=r"data\.table is for kind table, data\.kind is text"):
        DataConfig(source="a.csv", target="y", table=table)
