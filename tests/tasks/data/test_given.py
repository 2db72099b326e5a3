"""Splits that the project gives: by files, by a column, by time; what leaks over them."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.data.config import DataConfig
from tasks.data.given import sides_by_time
from tasks.data.prepare import Prepared, prepare_rows
from tasks.data.report import data_report
from tasks.data.source_table import source_digest
from tasks.data.split_config import SplitConfig
from tasks.data.splitting import SPLITS

HEADER = "a,b,part,day,y\n"
Prepare = Callable[..., Prepared]


def line(number: int, part: str = "train") -> str:
    return f"{number},{number % 7},{part},2026-01-{1 + number // 10:02} 10:00,{'pn'[number % 2]}\n"


def lines(first: int, last: int, part: str = "train") -> str:
    return HEADER + "".join(line(number, part) for number in range(first, last))


@pytest.fixture
def prepare(tmp_path: Path) -> Prepare:
    def prepared(files: dict[str, str], split: dict[str, Any], **fields: Any) -> Prepared:
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        config = {"source": "rows.csv", "kind": "table", "target": "y", "inputs": ["a", "b"]}
        return prepare_rows(
            DataConfig.model_validate({**config, "split": split, **fields}), tmp_path
        )

    return prepared


def rows_of(prepared: Prepared, split: str) -> set[int]:
    sides = prepared.sides == SPLITS.index(split)
    return {int(prepared.rows.columns["a"][row]) for row in np.flatnonzero(sides)}


def test_a_file_of_its_own_is_the_holdout(prepare: Prepare) -> None:
    files = {"rows.csv": lines(0, 200), "test.csv": lines(200, 240)}
    prepared = prepare(files, {"test": "test.csv", "valid": 0.2})
    assert rows_of(prepared, "test") == set(range(200, 240))
    assert rows_of(prepared, "train") | rows_of(prepared, "valid") == set(range(200))
    assert 20 < len(rows_of(prepared, "valid")) < 60
    assert data_report(prepared)["split_given_by"] == {"test": "test.csv"}


def test_both_splits_may_have_files(prepare: Prepare) -> None:
    files = {
        "rows.csv": lines(0, 100),
        "valid.csv": lines(100, 120),
        "test.csv": lines(120, 150),
    }
    prepared = prepare(files, {"test": "test.csv", "valid": "valid.csv"})
    for split, span in (("train", (0, 100)), ("valid", (100, 120)), ("test", (120, 150))):
        assert rows_of(prepared, split) == set(range(*span))


def test_a_mistake_in_a_second_file_names_it_and_its_line(prepare: Prepare) -> None:
    files = {"rows.csv": lines(0, 100), "test.csv": lines(100, 120) + "x,1,train,,p\n"}
    with pytest.raises(ValueError, match=r"'x' in row 121 is no number"):
        prepare(files, {"test": "test.csv"}, columns={"a": "number"})
    files["test.csv"] = "a,b,part,day,y\n\n1,2,train,,p,\n"
    with pytest.raises(ValueError, match=r"^test\.csv:3: 6 columns where the header has 5"):
        prepare(files, {"test": "test.csv"})


def test_the_digest_follows_every_file(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a")
    (tmp_path / "test.csv").write_text("b")
    config = DataConfig(source="rows.csv", target="y", split=SplitConfig(test="test.csv"))
    before = source_digest(config, tmp_path)
    (tmp_path / "test.csv").write_text("c")
    after = source_digest(config, tmp_path)
    plain = source_digest(DataConfig(source="rows.csv", target="y"), tmp_path)
    assert len({before, after, plain}) == 3


def test_a_column_says_where_rows_go(prepare: Prepare) -> None:
    text = lines(0, 60) + lines(60, 80, "valid")[len(HEADER) :] + lines(80, 100, "test")[15:]
    prepared = prepare({"rows.csv": text}, {"column": "part"})
    assert rows_of(prepared, "train") == set(range(60))
    assert rows_of(prepared, "valid") == set(range(60, 80))
    assert rows_of(prepared, "test") == set(range(80, 100))


def test_valid_is_drawn_when_the_column_has_none(prepare: Prepare) -> None:
    text = lines(0, 100) + lines(100, 120, "test")[len(HEADER) :]
    prepared = prepare({"rows.csv": text}, {"column": "part", "valid": 0.2})
    assert rows_of(prepared, "test") == set(range(100, 120))
    assert 8 < len(rows_of(prepared, "valid")) < 35


def test_the_columns_of_the_split_are_not_guessed_as_inputs(prepare: Prepare) -> None:
    text = lines(0, 60) + lines(60, 80, "test")[len(HEADER) :]
    prepared = prepare({"rows.csv": text}, {"column": "part"}, inputs=[])
    assert prepared.config.inputs == ("a", "b", "day")
    assert prepare({"rows.csv": text}, {"time": "day"}, inputs=[]).config.inputs == (
        *("a", "b", "part"),
    )


@pytest.mark.parametrize("sample", [None, 100], ids=["all", "sample"])
def test_no_row_of_training_is_newer_than_the_holdout(prepare: Prepare, sample: int | None) -> None:
    body = [line(number) for number in range(250)]
    random.Random(3).shuffle(body)  # noqa: S311
    prepared = prepare({"rows.csv": HEADER + "".join(body)}, {"time": "day"}, max_rows=sample)
    assert max(rows_of(prepared, "train")) < min(rows_of(prepared, "valid"))
    assert max(rows_of(prepared, "valid")) < min(rows_of(prepared, "test"))
    assert min(rows_of(prepared, "test")) >= 200


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 40), min_size=3, max_size=80).filter(lambda v: len(set(v)) > 2),
    st.floats(0.05, 0.3),
    st.floats(0.05, 0.3),
)
def test_time_never_runs_backwards(instants: list[int], valid: float, test: float) -> None:
    values = np.array(instants, dtype=np.float64)
    sides = sides_by_time(values, SplitConfig(time="t", valid=valid, test=test))
    assert set(sides.tolist()) == {0, 1, 2}
    for later in (1, 2):
        assert values[sides == later - 1].max() < values[sides == later].min()


@pytest.mark.parametrize(
    "when",
    [
        lambda i: i,
        lambda i: f"{i}.5",
        lambda i: f"2026-01-01T{i // 60:02}:{i % 60:02}:00Z",
        lambda i: f"2026-01-01 {i // 60 + 2:02}:{i % 60:02}+02:00",
    ],
    ids=["number", "fraction", "utc", "zone"],
)
def test_times_may_be_numbers_or_moments(prepare: Prepare, when: Callable[[int], Any]) -> None:
    body = "".join(f"{i},{i % 7},{when(i)},{'pn'[i % 2]}\n" for i in range(100))
    prepared = prepare({"rows.csv": "a,b,when,y\n" + body}, {"time": "when"})
    assert rows_of(prepared, "test") == set(range(80, 100))
    assert rows_of(prepared, "valid") == set(range(70, 80))


@pytest.mark.parametrize("word", ["nan", "NaN", "inf", "-Infinity", ""])
def test_a_time_that_is_no_instant_is_refused(prepare: Prepare, word: str) -> None:
    body = "".join(f"{i},{i % 7},{i if i != 40 else word},{'pn'[i % 2]}\n" for i in range(100))
    with pytest.raises(ValueError, match=rf"rows\.csv:42: data\.split\.time 'when' is '{word}', a"):
        prepare({"rows.csv": "a,b,when,y\n" + body}, {"time": "when"})


def texts(first: int, last: int) -> str:
    words = [
        " ".join(random.Random(i).choices(["mira", "tolo", "venu", "kasi", "brado", "lenti"], k=9))  # noqa: S311
        for i in range(first, last)
    ]
    return "text,y\n" + "".join(f"{text},{'pn'[i % 2]}\n" for i, text in enumerate(words, first))


def test_texts_of_the_holdout_are_removed_from_training(prepare: Prepare) -> None:
    files = {"rows.csv": texts(0, 60), "test.csv": texts(50, 90)}
    prepared = prepare(files, {"test": "test.csv"}, kind="text", inputs=["text"])
    assert prepared.rows.dropped["also in valid or the holdout"] == 10
    assert int((prepared.sides == 2).sum()) == 40
    report = data_report(prepared)
    assert report["leakage"]["inputs_in_two_splits"] == 0
    assert report["warnings"][0] == (
        "10 rows were removed: their inputs stand in a later split too"
    )


def test_equal_rows_of_tables_are_reported_and_kept(prepare: Prepare) -> None:
    files = {"rows.csv": lines(0, 100), "test.csv": lines(90, 130)}
    prepared = prepare(files, {"test": "test.csv"})
    assert len(prepared.rows) == 140
    report = data_report(prepared)
    assert report["leakage"]["inputs_in_two_splits"] == 10
    assert "10 inputs stand on both sides of the given split" in report["warnings"][0]


@pytest.mark.parametrize(
    ("files", "split", "sentence"),
    [
        ({}, {"column": "prt"}, "data.split.column 'prt' is not a column of rows.csv, did you"),
        ({}, {"column": "a"}, "rows.csv:2: data.split.column 'a' is '0', train, valid or test was"),
        ({}, {"column": "part"}, "data.split.column 'part' of rows.csv never says test"),
        ({}, {"time": "dya"}, "data.split.time 'dya' is not a column of rows.csv, did you mean"),
        ({}, {"time": "part"}, "rows.csv:2: data.split.time 'part' is 'train', a number or an"),
        ({}, {"time": "b"}, None),
        ({}, {"time": "y"}, "rows.csv:2: data.split.time 'y' is 'p', a number or an ISO 8601"),
        ({}, {"test": "gone.csv"}, "data.split.test 'gone.csv': no such file"),
        ({}, {"valid": "gone.csv"}, "data.split.valid 'gone.csv': no such file"),
        ({}, {"test": "s3://b/k.csv"}, "data.split.test 's3://b/k.csv': s3:// cannot be read"),
        ({"t.csv": "a,y\n1,p\n"}, {"test": "t.csv"}, "t.csv has no column 'b', rows.csv has"),
        ({"t.csv": ""}, {"test": "t.csv"}, "t.csv is empty"),
        ({"t.csv": HEADER}, {"test": "t.csv"}, "t.csv has a header (a, b, part, day, y) and no"),
        ({"t.csv": HEADER + line(1)}, {"test": "t.csv"}, "data.split: test has only the class 'n'"),
        (
            {"t.csv": lines(0, 9) + "1,1,train,,q\n"},
            {"test": "t.csv"},
            "data.split: test has classes of data.target 'y' that no training row has: q",
        ),
        ({"t.csv": lines(0, 9)}, {"test": "t.csv", "time": "day"}, "time and a file of its own"),
        ({}, {"column": "part", "time": "day"}, "column and time both say where rows go"),
        ({}, {"time": "day", "group_by": "b"}, "time 'day' and group_by 'b' cannot both hold"),
        ({}, {"time": "day", "stratify": True}, "time 'day' and stratify cannot both hold"),
        ({}, {"test": 0.9}, "0.9 must be a share between 0 and 0.5, or a file of these rows"),
        ({}, {"test": ""}, "'' must be a share between 0 and 0.5, or a file of these rows"),
    ],
    ids=str,
)
def test_what_is_wrong_is_one_sentence(
    prepare: Prepare, files: dict[str, str], split: dict[str, Any], sentence: str | None
) -> None:
    every = {"rows.csv": lines(0, 100), **files}
    if sentence is None:
        assert len(prepare(every, split).rows) == 100
        return
    with pytest.raises(ValueError, match=r".") as raised:
        prepare(every, split)
    assert sentence in str(raised.value)


def test_one_time_for_all_rows_cannot_be_divided(prepare: Prepare) -> None:
    text = HEADER + "".join(f"{i},1,train,2026-01-01,{'pn'[i % 2]}\n" for i in range(50))
    with pytest.raises(ValueError, match="'day' has 1 different values, at least 3 are needed"):
        prepare({"rows.csv": text}, {"time": "day"})


def test_numbers_to_predict_may_be_divided_by_time(prepare: Prepare) -> None:
    prepared = prepare(
        {"rows.csv": lines(0, 100)}, {"time": "day"}, target="a", inputs=["b"], task="regression"
    )
    assert min(prepared.rows.labels[row] for row in np.flatnonzero(prepared.sides == 2)) == 80
