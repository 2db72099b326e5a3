"""Series: the `.ts` format, long tables, lists of numbers; every mistake is one sentence."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from tasks.data.config import DataConfig
from tasks.data.guessing import guess_data
from tasks.data.prepare import Prepared, prepare_rows
from tasks.data.reading import read_table
from tasks.data.report import data_report

HEAD = "# made here\n@problemName toy\n@dimensions 2\n@equalLength false\n"
HEAD += "@classLabel true a b\n@data\n"


def ts_lines(count: int) -> str:
    return "".join(
        f"{i},{i + 1}{',?' * (i % 3)}:{-i},0{',1' * (i % 3)}:{'ab'[i % 2]}\n" for i in range(count)
    )


def long_lines(count: int) -> str:
    rows = [
        f"{i},{step},{i + step},{step if step else ''},{'ab'[i % 2]},{i % 5}"
        for step in (2, 1, 0)
        for i in range(count)
    ]
    return "\n".join(["id,when,x,y,label,who", *rows]) + "\n"


def prepared(folder: Path, name: str, text: str, **settings: Any) -> Prepared:
    (folder / name).write_text(text)
    config = {"source": name, "kind": "series", "target": "label", **settings}
    return prepare_rows(DataConfig.model_validate(config), folder)


def test_a_ts_file_is_a_table_of_channels(tmp_path: Path) -> None:
    path = tmp_path / "toy.ts.gz"
    path.write_bytes(gzip.compress((HEAD + ts_lines(4)).encode()))
    table = read_table(path, "utf-8")
    assert table.columns["channel_1"][2] == [2.0, 3.0, None, None]
    assert table.columns["channel_2"][2] == [-2.0, 0.0, 1.0, 1.0]
    assert table.columns["label"] == ["a", "b", "a", "b"]
    assert table.where(1) == "toy.ts.gz:8"


def test_a_header_may_promise_one_channel_and_no_label(tmp_path: Path) -> None:
    path = tmp_path / "toy.ts"
    path.write_text("@univariate true\n@classLabel false\n@data\n1,2\n3,?\n")
    assert read_table(path, "utf-8").columns == {"channel_1": [[1.0, 2.0], [3.0, None]]}


def test_a_ts_file_is_prepared(tmp_path: Path) -> None:
    found = prepared(tmp_path, "toy.ts", HEAD + ts_lines(120))
    assert found.config.inputs == ("channel_1", "channel_2")
    assert found.classes == ("a", "b")
    report = data_report(found)["series"]["train"]
    assert (report["channels"], report["steps"][0], report["steps"][-1]) == (2, 2, 4)
    assert report["missing"] > 0


def test_a_long_table_has_a_row_for_each_step(tmp_path: Path) -> None:
    layout = {"series": {"id": "id", "time": "when"}}
    found = prepared(tmp_path, "long.csv", long_lines(60), **layout)
    assert found.config.inputs == ("x", "y")
    assert found.rows.columns["x"][3] == [3.0, 4.0, 5.0]
    assert found.rows.columns["y"][3] == [None, 1.0, 2.0]
    assert found.table.columns["who"][3] == "3"
    assert found.table.facts["steps"] == 180


def test_times_may_be_dates(tmp_path: Path) -> None:
    text = long_lines(60).replace(",0,", ",2026-01-01,", 0)
    dated = "\n".join(
        line
        if n == 0
        else ",".join(
            [c if k != 1 else f"2026-01-0{int(c) + 1}" for k, c in enumerate(line.split(","))]
        )
        for n, line in enumerate(text.strip().split("\n"))
    )
    found = prepared(tmp_path, "long.csv", dated, series={"id": "id", "time": "when"})
    assert found.rows.columns["x"][3] == [3.0, 4.0, 5.0]


def test_equal_series_are_kept_once_and_empty_ones_go(tmp_path: Path) -> None:
    text = HEAD + ts_lines(90) + "0,1:0,0:a\n?,?:?,?:b\n:: a\n"
    found = prepared(tmp_path, "toy.ts", text)
    assert found.rows.dropped["exact duplicate"] == 1
    assert found.rows.dropped["empty series"] == 2


def test_init_takes_a_ts_file_for_series(tmp_path: Path) -> None:
    path = tmp_path / "toy.ts"
    path.write_text(HEAD + ts_lines(120))
    guesses = guess_data(path)
    assert guesses["kind"].value == "series"
    assert guesses["target"].value == "label"
    assert guesses["inputs"].value == ("channel_1", "channel_2")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "empty"),
        ("1,2:a\n", "toy.ts:1: '1,2:a' stands before @data"),
        ("@problemName toy\n", "no line @data"),
        ("@data\n", "no series after @data"),
        ("@colour red\n@data\n1\n", "toy.ts:1: '@colour' is no field of a .ts header"),
        ("@classLabel maybe\n@data\n1\n", "@classlabel is 'maybe', true or false"),
        ("@equalLength\n@data\n1\n", "@equallength is '', true or false"),
        ("@timeStamps true\n@data\n1\n", "toy.ts:1: @timeStamps true cannot be read"),
        ("@dimensions none\n@data\n1\n", "@dimensions is 'none', a number of at least 1"),
        ("@dimensions 0\n@data\n1\n", "@dimensions is '0', a number of at least 1"),
        ("@seriesLength x\n@data\n1\n", "@serieslength is 'x'"),
        (HEAD + "1,2:3,4:c\n", "toy.ts:7: label 'c' is not in @classLabel: a, b"),
        (HEAD + "1,2:3:a\n", "toy.ts:7: channels of 1 and 2 values"),
        (HEAD + "1,2:a\n", "toy.ts:7: 1 channels, 2 were expected"),
        (HEAD + "1,2:3,4:5,6:a\n", "toy.ts:7: 3 channels, 2 were expected"),
        (HEAD + "1,x:3,4:a\n", "toy.ts:7: 'x' is neither a finite number nor '?'"),
        (HEAD + "1,inf:3,4:a\n", "toy.ts:7: 'inf' is neither a finite number nor '?'"),
        (HEAD + "1,,2:3,4,5:a\n", "toy.ts:7: '' is neither a finite number nor '?'"),
        (HEAD + "a\n", "toy.ts:7: no ':' before a label"),
        ("@equalLength true\n@data\n1,2\n1,2,3\n", "toy.ts:4: 3 values where the first series"),
    ],
    ids=range(20),
)
def test_a_malformed_ts_file_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence.replace("?", r"\?")) as error:
        prepared(tmp_path, "toy.ts", text)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"series": {"id": "ids", "time": "when"}}, "data.series.id 'ids' is not a column"),
        ({"series": {"id": "id", "time": "then"}}, "data.series.time 'then' is not a column"),
        ({"series": {"id": "id", "time": "label"}}, "long.csv:2: data.series.time 'label' is 'a'"),
        ({"series": {"id": "label", "time": "when"}}, "repeats '.' within series 'a'"),
        ({"target": "x"}, "data.target 'x' is '1' and '0' in one series, which has one"),
        ({"inputs": ["label"], "target": "who"}, "data.inputs 'label' is 'a', a number was"),
        ({"series": None}, "has no column of lists of numbers"),
        ({"series": None, "inputs": ["x"]}, "data.inputs 'x' is '2', a list of finite numbers"),
        ({"columns": {"x": "number"}}, "kind series has no types of columns"),
        ({"kind": "table"}, "data.series is for kind series, data.kind is table"),
        ({"series": {"id": "id"}}, "Field required"),
    ],
    ids=range(11),
)
def test_a_malformed_long_table_is_one_sentence(
    tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    settings = {"series": {"id": "id", "time": "when"}, **changes}
    with pytest.raises(ValueError, match=sentence):
        prepared(tmp_path, "long.csv", long_lines(60), **settings)


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ('"x": [1, "2"], "y": [1, 2]', "rows.jsonl:1: data.inputs 'x' is"),
        ('"x": [[1], [2]], "y": [1, 2]', "a list of finite numbers was expected"),
        ('"x": [1, 2], "y": [1]', "rows.jsonl:1: channels of 1 and 2 values"),
        ('"x": [1, true], "y": [1, 2]', "a list of finite numbers was expected"),
    ],
    ids=range(4),
)
def test_malformed_lists_are_one_sentence(tmp_path: Path, cells: str, sentence: str) -> None:
    text = "".join(f'{{{cells}, "label": "{"ab"[i % 2]}"}}\n' for i in range(60))
    with pytest.raises(ValueError, match=sentence):
        prepared(tmp_path, "rows.jsonl", text, inputs=["x", "y"])
