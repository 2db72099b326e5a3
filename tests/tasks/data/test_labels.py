"""What is a class, what is missing, which rows repeat or contradict each other."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.data.labels import (
    check_class_sizes,
    check_classes,
    class_name,
    read_labels,
    repeated_rows,
)
from tasks.data.table import Table


def table(values: list[Any]) -> Table:
    return Table(Path("rows.parquet"), {"label": values}, ("label",))


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("good", "good"),
        (" good ", "good"),
        (1, "1"),
        (1.0, "1"),
        (0.5, "0.5"),
        (True, "true"),
        ("007", "007"),
        ("NA", "NA"),
        ("none", "none"),
        ("", None),
        ("  ", None),
        ("NaN", None),
        ("null", None),
        (None, None),
        (float("nan"), None),
    ],
    ids=repr,
)
def test_the_name_of_a_class(value: Any, name: str | None) -> None:
    assert class_name(value) == name


def test_a_few_missing_labels_are_marked() -> None:
    labels, missing = read_labels(table(["a"] * 19 + [None]), "label")
    assert missing.tolist() == [False] * 19 + [True]
    assert labels[-1] == ""


def test_many_missing_labels_are_refused_with_the_first_place_and_the_limit() -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        read_labels(table(["a"] * 18 + ["", float("nan")]), "label")
    assert str(raised.value) == (
        "rows.parquet, row 19: data.target 'label' is missing here and in 2 of 20 rows, "
        "at most 5% may be"
    )


@pytest.mark.parametrize("value", [["a"], {"a": 1}, b"a"], ids=["list", "object", "bytes"])
def test_a_label_that_is_no_name(value: Any) -> None:
    with pytest.raises(ValueError, match=r"row 2: data\.target 'label' is .*, a name or a number"):
        read_labels(table(["a", value]), "label")


def test_equal_rows_are_kept_once_and_contradictions_not_at_all() -> None:
    keys = np.array([0, 1, 0, 2, 1, 2])
    labels = ["x", "x", "x", "x", "y", "x"]
    repeats, contradicts, count = repeated_rows(keys, labels)
    assert repeats.tolist() == [False, False, True, False, False, True]
    assert contradicts.tolist() == [False, True, False, False, True, False]
    assert count == 1


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (["a", "a"], "has only the class 'a', at least two are needed"),
        ([], "has no label, at least two are needed"),
        ([str(i) for i in range(1001)], "has 1,001 different values, at most 1,000 classes"),
    ],
    ids=["one", "none", "too many"],
)
def test_the_number_of_classes(labels: list[str], reason: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        check_classes(labels, "label", "rows.csv")
    assert str(raised.value).startswith(f"rows.csv: data.target 'label' {reason}")


def test_rare_classes_are_listed_rarest_first_and_shortened() -> None:
    sizes = Counter({f"c{i}": 1 for i in range(8)} | {"big": 50, "two": 2})
    with pytest.raises(ValueError, match=r"'c0' has 1, .* and 4 more$"):
        check_class_sizes(sizes, 3, "data.target 'label'")
