"""Malformed tables: each is refused in one sentence, by the command with exit code 2."""

import gzip
import io
import json
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

Case = tuple[dict[str, bytes | str], dict[str, Any]]
"""Files by name, and what `data` of the project file says beside source, kind and target."""


def csv(*lines: str, head: str = "age,city,y") -> str:
    return "\n".join([head, *TABLE, *lines]) + "\n"


CITIES = ("Oslo", "Rome", "Bern")
TABLE = [f"{20 + i % 37},{CITIES[i % 3]},{'pn'[i * 7 // 5 % 2]}" for i in range(90)]
ROWS = [dict(zip(("age", "city", "y"), line.split(","), strict=True)) for line in TABLE]


def jsonl(*lines: str, rows: Sequence[dict[str, Any]] = ROWS) -> str:
    return "\n".join([*map(json.dumps, rows), *lines]) + "\n"


def parquet(columns: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table(columns), stream)
    return stream.getvalue()


COLUMNS = {name: [row[name] for row in ROWS] for name in ("age", "city", "y")}
CSV = {"rows.csv": csv()}
MANY = "\n".join(["age,city,y", *TABLE * 3]) + "\n"


MALFORMED: dict[str, tuple[Case, str]] = {
    "an empty file": (
        ({"rows.csv": ""}, {}),
        "rows.csv is empty, rows with a header were expected",
    ),
    "a head alone": (
        ({"rows.csv": "age,city,y\n"}, {}),
        "rows.csv has a header (age, city, y) and no rows",
    ),
    "a cell too many": (
        ({"rows.csv": csv("1,Oslo,p,x")}, {}),
        "rows.csv:92: 4 columns where the header has 3 (age, city, y)",
    ),
    "a cell too few": (
        ({"rows.csv": csv("1,Oslo")}, {}),
        "rows.csv:92: 2 columns where the header has 3 (age, city, y)",
    ),
    "a column twice": (
        ({"rows.csv": csv(head="age,age,y")}, {}),
        "rows.csv:1: column 'age' stands twice in the header",
    ),
    "an open quote": (
        ({"rows.csv": csv('1,"Oslo,p')}, {}),
        "rows.csv:92: a quote that opens in this row is never closed",
    ),
    "another encoding": (
        ({"rows.csv": csv("1,Zürich,p").encode("latin-1")}, {}),
        "rows.csv:92: byte 0xfc at offset 914 is not utf-8, data.encoding: latin-1 may be right",
    ),
    "packed badly": (
        ({"rows.csv.gz": gzip.compress(MANY.encode())[:-30]}, {"source": "rows.csv.gz"}),
        "rows.csv.gz cannot be unpacked: Compressed file ended before the end-of-stream marker",
    ),
    "no Parquet": (
        ({"rows.parquet": b"PAR1 no PAR1"}, {"source": "rows.parquet"}),
        "rows.parquet is not a readable Parquet file: Parquet file size is 12 bytes, smaller",
    ),
    "Parquet without rows": (
        ({"rows.parquet": parquet({"age": [], "y": []})}, {"source": "rows.parquet"}),
        "rows.parquet has columns (age, y) and no rows",
    ),
    "Parquet with lists asked": (
        (
            {"rows.parquet": parquet({**COLUMNS, "age": [[1]] * 90})},
            {"source": "rows.parquet", "inputs": ["age", "city"]},
        ),
        "rows.parquet, row 1: data.inputs 'age' is [1], a number, a date or a word was expected",
    ),
    "Parquet with a list as target": (
        ({"rows.parquet": parquet({**COLUMNS, "y": [[1]] * 90})}, {"source": "rows.parquet"}),
        "rows.parquet, row 1: data.target 'y' is [1], a name or a number was expected",
    ),
    "Parquet of infinite numbers": (
        (
            {"rows.parquet": parquet({**COLUMNS, "age": [1.0, float("inf")] * 45})},
            {"source": "rows.parquet", "columns": {"age": "number"}},
        ),
        "data.columns 'age': inf in row 2 is no number",
    ),
    "a line that is no JSON": (
        ({"rows.jsonl": jsonl("{age: 1}")}, {"source": "rows.jsonl"}),
        "rows.jsonl:91: not JSON (Expecting property name enclosed in double quotes: line 1",
    ),
    "a line that is a list": (
        ({"rows.jsonl": jsonl("[1, 2]")}, {"source": "rows.jsonl"}),
        "rows.jsonl:91: an array, one JSON object a line was expected",
    ),
    "a cell that is a list": (
        ({"rows.jsonl": jsonl('{"age": [1], "city": "Oslo", "y": "p"}')}, {"source": "rows.jsonl"}),
        "rows.jsonl:91: data.inputs 'age' is [1], a number, a date or a word was expected",
    ),
    "an unknown target": (
        (CSV, {"target": "z"}),
        "data.target 'z' is not a column of rows.csv; columns: age, city, y",
    ),
    "the target among the inputs": (
        (CSV, {"inputs": ["age", "y"]}),
        "data.inputs 'y' is the target too, which would be leaked",
    ),
    "an unknown input": (
        (CSV, {"inputs": ["aeg"]}),
        "data.inputs 'aeg' is not a column of rows.csv, did you mean age? columns: age, city, y",
    ),
    "the target alone": (
        ({"rows.csv": "y\n" + "p\nn\n" * 50}, {}),
        "data.inputs: rows.csv has no column to predict 'y' from (columns: y)",
    ),
    "one class": (
        ({"rows.csv": "age,city,y\n" + "1,Oslo,p\n" * 60}, {}),
        "data.inputs: rows.csv has no column to predict 'y' from (columns: age, city, y)",
    ),
    "labels missing": (
        ({"rows.csv": csv(*["1,Oslo,"] * 20)}, {}),
        "rows.csv:92: data.target 'y' is missing here and in 20 of 110 rows, at most 5% may be",
    ),
    "a rare class": (
        ({"rows.csv": csv("1,Oslo,q")}, {}),
        "data.target 'y': too rare to stand in train, valid and test, which takes at least 3",
    ),
    "empty rows": (
        (
            {"rows.csv": "age,city,y\n" + ",,p\n,,n\n" * 40},
            {"inputs": ["age", "city"], "columns": {"age": "number", "city": "category"}},
        ),
        "rows.csv: no row of 80 can be used (empty row 80)",
    ),
    "no such type": (
        (CSV, {"columns": {"age": "integer"}}),
        "data.columns.age: 'integer' must be 'number', 'boolean', 'moment', 'category' or",
    ),
    "the type of an unknown column": (
        (CSV, {"columns": {"aeg": "number"}}),
        "data.columns 'aeg' is not a column of rows.csv, did you mean age? columns: age, city,",
    ),
    "a word as number": (
        ({"rows.csv": csv("old,Oslo,p")}, {"columns": {"age": "number"}}),
        "data.columns 'age': 'old' in row 91 is no number",
    ),
    "a word as boolean": (
        (CSV, {"columns": {"city": "boolean"}}),
        "data.columns 'city': 'Oslo' in row 1 is no boolean",
    ),
    "shares that leave nothing": (
        (CSV, {"split": {"valid": 0.4, "test": 0.4}}),
        "data.split: valid 0.4 + test 0.4 must leave 0.4 to train on",
    ),
    "a word that is no split": (
        (CSV, {"split": {"column": "city"}}),
        "rows.csv:2: data.split.column 'city' is 'Oslo', train, valid or test was expected",
    ),
    "a word as time": (
        (CSV, {"split": {"time": "city"}}),
        "rows.csv:2: data.split.time 'city' is 'Oslo', a number or an ISO 8601 date or time",
    ),
    "a weight below zero": (
        ({"rows.csv": csv("-1,Oslo,p")}, {"weight": "age", "inputs": ["city"]}),
        "rows.csv:92: data.weight 'age' is '-1', a finite number from 0 was expected",
    ),
    "a weight that is learned from": (
        (CSV, {"weight": "age", "inputs": ["age"]}),
        "data.weight 'age' stands in data.inputs too: it says how much a row counts, and is",
    ),
    "the weight of no class": (
        (CSV, {"class_weights": {"x": 2}}),
        "data.class_weights 'x' is no class, allowed: n, p",
    ),
    "a class without weight": (
        (CSV, {"class_weights": {"p": 0}}),
        "data.class_weights: {'p': 0} must be 'balanced' or greater than 0",
    ),
    "a word to be regressed": (
        (CSV, {"target": "city", "task": "regression"}),
        "rows.csv:2: data.target 'city' is 'Oslo', task regression takes finite numbers",
    ),
    "infinity to be regressed": (
        (
            {"rows.csv": csv("1,Oslo,inf").replace("p\n", "1\n").replace("n\n", "2\n")},
            {"task": "regression"},
        ),
        "rows.csv:92: data.target 'y' is 'inf', task regression takes finite numbers",
    ),
    "an unknown scaling": (
        (CSV, {"table": {"scaling": "loud"}}),
        "data.table.scaling: 'loud' must be 'standard', 'min_max', 'robust' or 'unit_norm'",
    ),
    "what leaks is refused": (
        (
            {
                "rows.csv": "age,city,y\n"
                + "\n".join(f"{i % 7},{'pn'[i % 2]}x,{'pn'[i % 2]}" for i in range(200))
                + "\n"
            },
            {"table": {"leaks": "refuse"}, "inputs": ["age", "city"]},
        ),
        "data.table.leaks: 'city' (1.000) alone predicts data.target 'y' on rows that it has",
    ),
    "a window without time": (
        (CSV, {"window": "3d"}),
        "data.window 3d: rows.csv is one file, and data.time names no column of dates to go by",
    ),
    "a password": (
        (CSV, {"source": "postgresql://me:secret@host/db"}),
        "data.source: a postgresql:// address with a user has no place in a project file:",
    ),
    "an unknown field": (
        (CSV, {"colour": "red"}),
        "data.colour: unknown field, did you mean columns? allowed: source, window, time,",
    ),
    "a folder of nothing": (
        ({"rows/readme.md": "x"}, {"source": "rows"}),
        "data.source 'rows' is a directory that holds no file of rows, which end in one of",
    ),
    "partitions that differ": (
        ({"rows/a.csv": csv(), "rows/b.csv": csv(head="age,town,y")}, {"source": "rows"}),
        "rows: b.csv has no column city, a.csv has: all partitions must have the same columns",
    ),
    "a column that stands in the folder too": (
        ({"rows/city=Oslo/a.csv": csv()}, {"source": "rows"}),
        "city=Oslo/a.csv: the folder names a column 'city' that the file has too",
    ),
    "too few rows": (
        (CSV, {"checks": {"rows": 1000}}),
        "data.checks.rows: rows.csv has 90 rows, at least 1,000 were expected",
    ),
    "an unknown label": (
        (CSV, {"checks": {"labels": ["p", "q"]}}),
        "rows.csv:3: data.checks.labels: data.target 'y' is 'n' (in 45 of 90 rows), p, q were",
    ),
    "a file for a split with other columns": (
        ({"rows.csv": csv(), "test.csv": "age,y\n1,p\n2,n\n"}, {"split": {"test": "test.csv"}}),
        "test.csv has no column 'city', rows.csv has",
    ),
    "an empty source": (
        (CSV, {"source": ""}),
        "data.source: '' must be a path, package://NAME/FILE or sql://NAME",
    ),
    "all free text": (
        (
            {
                "rows.csv": "t,y\n"
                + "".join(
                    f"these are the many words of row {i},{'pn'[i * 7 // 5 % 2]}\n"
                    for i in range(90)
                )
            },
            {},
        ),
        "data.inputs t: all is free text, data.kind: text reads that",
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_it_is_one_sentence(is_one_sentence: Callable[..., None], name: str) -> None:
    is_one_sentence("table", *MALFORMED[name])


@pytest.mark.parametrize("name", ["a cell too many", "a word as number", "an unknown scaling"])
def test_the_command_refuses_it(is_bad_input: Callable[..., None], name: str) -> None:
    is_bad_input("table", *MALFORMED[name])
