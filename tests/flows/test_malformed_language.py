"""Malformed texts to write on: each is refused in one sentence, by the command with exit code 2."""

import io
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

Case = tuple[dict[str, bytes | str], dict[str, Any]]
"""Files by name, and what `data` of the project file says beside source, kind and target."""
BOOK = "\n\n".join(
    f"Chapter {i} says that word{i * 7 % 97} met word{i * 13 % 89} on day {i} of the year."
    for i in range(120)
)
CSV = "body,note\n" + "".join(
    f"the tale of number {i} and word{i * 31 % 179} is told once more,{i % 3}\n" for i in range(120)
)


def book(content: str | bytes = BOOK, **settings: Any) -> Case:
    usual = {"task": "generation", "target": None, "source": "book.txt"}
    return {"book.txt": content}, {**usual, **settings}


def rows(content: str | bytes = CSV, name: str = "rows.csv", **settings: Any) -> Case:
    return {name: content}, {"task": "generation", "target": None, "source": name, **settings}


def folder(files: dict[str, bytes | str]) -> Case:
    return files, {"task": "generation", "target": None, "source": "books"}


def parquet(columns: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table(columns), stream)
    return stream.getvalue()


MALFORMED: dict[str, tuple[Case, str]] = {
    "no file": (
        ({}, {"task": "generation", "target": None, "source": "book.txt"}),
        "project.yaml:3: data.source 'book.txt': no such file",
    ),
    "an empty file": (book(""), "book.txt is empty, paragraphs of text were expected"),
    "empty lines": (book("\n \n\n\t\n"), "book.txt has no paragraph, all of its lines are empty"),
    "bytes that are no text": (
        book(BOOK.encode() + b"\xff\xfe\xff"),
        "book.txt:239: byte 0xff at offset 7549 is not utf-8, data.encoding: latin-1 may be right",
    ),
    "a zero byte": (book(BOOK + "\0"), "book.txt:239: NUL character, only text is allowed"),
    "another encoding": (
        book(BOOK.encode("utf-16"), encoding="utf-8"),
        "book.txt:1: byte 0xff at offset 0 is not utf-8, data.encoding: utf-16 may be right",
    ),
    "an unknown encoding": (
        book(encoding="utf-9"),
        "data.encoding 'utf-9' is unknown, allowed: utf-8, latin-1, cp1252, utf-16 and other",
    ),
    "one paragraph": (
        book("It is a short book."),
        "1 rows or groups of near-equal rows cannot be divided into train, valid and test, at",
    ),
    "the same paragraph": (
        book("\n\n".join(["It is the same all the time."] * 90)),
        "1 rows or groups of near-equal rows cannot be divided into train, valid and test, at",
    ),
    "a picture": (
        book(b"\x89PNG\r\n\x1a\n" + b"\0" * 90),
        "book.txt:1: byte 0x89 at offset 0 is not utf-8, data.encoding: latin-1 may be right",
    ),
    "a suffix of no text": (
        ({"book.pdf": BOOK}, {"task": "generation", "target": None, "source": "book.pdf"}),
        "book.pdf: files of rows end in one of .csv, .tsv, .jsonl, .ndjson, .ts, .txt, .md,",
    ),
    "an empty folder": (
        folder({"books/notes.rst": BOOK}),
        "books holds no file that ends in .txt or .md",
    ),
    "a folder of one bad file": (
        folder({"books/a.txt": BOOK, "books/b.txt": ""}),
        "b.txt is empty, paragraphs of text were expected",
    ),
    "a folder of tables": (
        folder({"books/a.csv": CSV}),
        "books holds no file that ends in .txt or .md",
    ),
    "no folder": (folder({}), "project.yaml:3: data.source 'books': no such file"),
    "a target": (
        book(target="mood"),
        "project.yaml:5: data.target: 'mood': task generation has no target, it learns the inputs",
    ),
    "no task": (book(task="classification"), "project.yaml:2: data.target: required and missing"),
    "an unknown task": (
        book(task="writing"),
        "project.yaml:5: data.task: 'writing' must be 'classification', 'regression', 'ranking'",
    ),
    "another kind": (
        book(kind="table"),
        "project.yaml:2: data: task generation learns kind text, data.kind is table",
    ),
    "two inputs": (
        rows(inputs=["body", "note"]),
        "project.yaml:2: data: inputs body, note: task generation learns one column of text",
    ),
    "an unknown input": (
        rows(inputs=["text"]),
        "data.inputs 'text' is not a column of rows.csv; columns: body, note",
    ),
    "no free text": (
        rows("a,b\n1,2\n3,4\n"),
        "data.inputs: rows.csv has no column of free text (columns: a, b)",
    ),
    "a row of another length": (
        rows(CSV + "a,b,c\n"),
        "rows.csv:122: 3 columns where the header has 2 (body, note)",
    ),
    "a cell that is no text": (
        rows(
            "".join(f'{{"t": "a text of number {i}"}}\n' for i in range(60)) + '{"t": 3}\n',
            "rows.jsonl",
            inputs=["t"],
        ),
        "rows.jsonl:61: data.inputs 't' is 3, text was expected",
    ),
    "no JSON": (
        rows('{"t": "a text"}\n{"t": \n', "rows.jsonl"),
        "rows.jsonl:2: not JSON (Expecting value: line 2 column 1 (char 7))",
    ),
    "lists of words": (
        rows(parquet({"t": [["a", "text"]] * 60}), "rows.parquet", inputs=["t"]),
        "rows.parquet, row 1: data.inputs 't' is ['a', 'text'], text was expected",
    ),
    "no Parquet": (
        rows(b"PAR1 is not enough", "rows.parquet"),
        "rows.parquet is not a readable Parquet file: Parquet magic bytes not found in footer.",
    ),
    "a passage too short": (
        book(passage=20),
        "project.yaml:6: data.passage: 20 must be greater than or equal to 50",
    ),
    "a passage in words": (
        book(passage="long"),
        "project.yaml:6: data.passage: 'long' must be a valid integer",
    ),
    "classes of a number": (
        book(above=3),
        "project.yaml:2: data: above 3 makes two classes, task generation has none",
    ),
    "labels": (
        book(checks={"labels": ["a"]}),
        "project.yaml:2: data: checks.labels are classes, task generation has none",
    ),
    "weights": (
        book(class_weights="balanced"),
        "project.yaml:2: data: class_weights are for classes, task generation has none",
    ),
    "a window": (
        book(window="90d"),
        "project.yaml:2: data: window is for rows that have dates, task generation has none",
    ),
    "a pair of shares": (
        book(split={"valid": 0.5, "test": 0.2}),
        "project.yaml:7: data.split.valid: 0.5 must be a share between 0 and 0.5, or a file of",
    ),
    "an unknown field": (
        book(passages=300),
        "project.yaml:6: data.passages: unknown field, did you mean passage? allowed: source,",
    ),
    "an unknown field of the split": (
        book(split={"share": 0.1}),
        "project.yaml:7: data.split.share: unknown field; allowed: valid, test, column, time,",
    ),
    "too many rows asked": (
        book(max_rows=3),
        "project.yaml:6: data.max_rows: 3 must be greater than or equal to 50",
    ),
    "another kind's settings": (
        book(audio={"mels": 16}),
        "project.yaml:2: data: data.audio is for kind audio, data.kind is text",
    ),
    "strata": (
        book(split={"stratify": True}),
        "project.yaml:2: data: split.stratify divides classes, task generation has none",
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_it_is_one_sentence(is_one_sentence: Callable[..., None], name: str) -> None:
    is_one_sentence("text", *MALFORMED[name])


@pytest.mark.parametrize("name", ["a zero byte", "an unknown field", "one paragraph"])
def test_the_command_refuses_it(is_bad_input: Callable[..., None], name: str) -> None:
    is_bad_input("text", *MALFORMED[name])
