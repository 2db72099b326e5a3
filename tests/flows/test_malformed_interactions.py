"""Malformed ratings and events: each refused in one sentence, by the command with exit code 2."""

from collections.abc import Callable
from typing import Any

import pytest

Case = tuple[dict[str, bytes | str], dict[str, Any]]
"""Files by name, and what `data` of the project file says beside source, kind and target."""
PAIR = {"user": "who", "item": "what"}
HEADER = "who,what,y,day,note\n"
LINES = [
    f"u{i % 12},i{i // 12},{1 + i * 7 % 5},2026-01-{1 + i % 28:02},n{i % 3}\n" for i in range(180)
]
ROWS = HEADER + "".join(LINES)
NOTES = "who,what,y,note\n" + "".join(
    f"u{i % 12},i{i // 12},{1 + i * 7 % 5},word{i * 31 % 179} of a long story {i} told at length\n"
    for i in range(180)
)


def rating(content: str | bytes = ROWS, **settings: Any) -> Case:
    return {"rows.csv": content}, {"task": "regression", "interactions": PAIR, **settings}


def ranking(content: str | bytes = ROWS, **settings: Any) -> Case:
    usual = {"task": "ranking", "target": "what", "split": {"time": "day"}}
    return rating(content, **{**usual, **settings})


def with_line(line: str, at: int = 100) -> str:
    return HEADER + "".join([*LINES[:at], line + "\n", *LINES[at:]])


def liked(**settings: Any) -> dict[str, Any]:
    return {**PAIR, "rating": "y", "at_least": 3, **settings}


MALFORMED: dict[str, tuple[Case, str]] = {
    "an empty file": (rating(""), "rows.csv is empty, rows with a header were expected"),
    "a header alone": (
        rating(HEADER),
        "rows.csv has a header (who, what, y, day, note) and no rows",
    ),
    "a row of another length": (
        rating(with_line("u1,i1")),
        "rows.csv:102: 2 columns where the header has 5 (who, what, y, day, note)",
    ),
    "bytes that are no text": (
        rating(ROWS.encode() + b"\xff\xfe\xff\n"),
        "rows.csv:182: byte 0xff at offset 4070 is not utf-8, data.encoding: latin-1 may be right",
    ),
    "a column twice": (
        rating("who,who,y\nu1,i1,3\n"),
        "rows.csv:1: column 'who' stands twice in the header",
    ),
    "no file": (
        ({}, {"task": "regression", "interactions": PAIR}),
        "project.yaml:3: data.source 'rows.csv': no such file",
    ),
    "columns that nobody named": (
        rating(interactions=None),
        "project.yaml:2: data: data.kind interactions needs data.interactions: {user: COLUMN,",
    ),
    "no item": (
        rating(interactions={"user": "who"}),
        "project.yaml:7: data.interactions.item: required and missing",
    ),
    "a typo in the section": (
        rating(interactions={**PAIR, "itme": "what"}),
        "project.yaml:10: data.interactions.itme: unknown field, did you mean item? allowed:",
    ),
    "a list for the section": (
        rating(interactions=["who", "what"]),
        "project.yaml:7: data.interactions: ['who', 'what'] must be a section with the fields",
    ),
    "one column twice": (
        rating(interactions={"user": "who", "item": "who"}),
        "project.yaml:7: data.interactions: user and item are both 'who', two columns are needed",
    ),
    "an unknown user": (
        rating(interactions={"user": "person", "item": "what"}),
        "data.inputs 'person' is not a column of rows.csv; columns: who, what, y, day, note",
    ),
    "an unknown item": (
        rating(interactions={"user": "who", "item": "whta"}),
        "data.inputs 'whta' is not a column of rows.csv, did you mean what? columns: who, what,",
    ),
    "a user that is a number": (
        rating(interactions={"user": 3, "item": "what"}),
        "project.yaml:8: data.interactions.user: 3 must be a valid string",
    ),
    "the user foretold": (
        rating(target="who"),
        "project.yaml:2: data: data.target 'who' is the user, not a rating",
    ),
    "an unknown rating": (
        rating(target="stars"),
        "data.target 'stars' is not a column of rows.csv; columns: who, what, y, day, note",
    ),
    "a rating in words": (
        rating(with_line("u1,i1,good,2026-01-01,n1")),
        "rows.csv:102: data.target 'y' is 'good', task regression takes finite numbers",
    ),
    "ratings that are missing": (
        rating(HEADER + "".join(LINES[:90]) + "u1,i1,,2026-01-01,n1\n" * 90),
        "rows.csv:92: data.target 'y' is missing here and in 90 of 180 rows, at most 5% may be",
    ),
    "one rating for all": (
        rating(HEADER + "".join(f"u{i % 9},i{i // 9},3,2026-01-01,n\n" for i in range(90))),
        "rows.csv: data.target 'y' is 3 in every row, which leaves nothing to predict",
    ),
    "an infinite rating": (
        rating(with_line("u1,i1,inf,2026-01-01,n1")),
        "rows.csv:102: data.target 'y' is 'inf', task regression takes finite numbers",
    ),
    "too few rows": (
        rating(HEADER + "".join(LINES[:2])),
        "2 rows or groups of near-equal rows cannot be divided into train, valid and test, at",
    ),
    "inputs without the item": (
        rating(inputs=["who", "note"]),
        "project.yaml:2: data: data.inputs who, note must hold the item 'what'",
    ),
    "an unknown input": (
        rating(inputs=["who", "what", "genre"]),
        "data.inputs 'genre' is not a column of rows.csv; columns: who, what, y, day, note",
    ),
    "free text as input": (
        rating(NOTES, inputs=["who", "what", "note"]),
        "data.inputs 'note' is free text, which kind interactions does not read",
    ),
    "an id with a type": (
        rating(columns={"who": "number"}),
        "project.yaml:2: data: data.columns 'who': ids are names, they have no type",
    ),
    "a task of classes": (
        rating(task="classification"),
        "project.yaml:2: data: data.task classification: kind interactions predicts a rating",
    ),
    "a weight": (
        rating(weight="day"),
        "project.yaml:2: data: weight 'day': of kind interactions every event counts once",
    ),
    "a sum of shares": (
        rating(split={"valid": 0.4, "test": 0.4}),
        "project.yaml:10: data.split: valid 0.4 + test 0.4 must leave 0.4 to train on",
    ),
    "time and column": (
        rating(split={"time": "day", "column": "note"}),
        "project.yaml:10: data.split: column and time both say where rows go, one is allowed",
    ),
    "a time that is none": (
        rating(with_line("u1,i1,3,yesterday,n1"), split={"time": "day"}),
        "rows.csv:102: data.split.time 'day' is 'yesterday', a number or an ISO 8601 date or",
    ),
    "an unknown time": (
        rating(split={"time": "hour"}),
        "data.split.time 'hour' is not a column of rows.csv; columns: who, what, y, day, note",
    ),
    "users too short for a split": (
        rating(
            "who,what,y,day\n" + "".join(f"u{i},i{i % 9},{i % 5},2026-01-01\n" for i in range(90)),
            split={"time": "day"},
        ),
        "data.split.time 'day': no user has the 10 rows of which valid 0.1 is one",
    ),
    "a ranking of ratings": (
        ranking(target="y"),
        "project.yaml:2: data: data.target 'y' must be the item 'what', which task ranking",
    ),
    "a ranking without a time": (
        ranking(split={}),
        "project.yaml:2: data: data.task ranking needs data.split.time, the column that says",
    ),
    "a ranking by half an event": (
        ranking(interactions={**PAIR, "rating": "y"}),
        "project.yaml:7: data.interactions: rating and at_least say together what an event is,",
    ),
    "no answers": (
        ranking(interactions={**PAIR, "top": 0}),
        "project.yaml:10: data.interactions.top: 0 must be greater than or equal to 1",
    ),
    "answers in words": (
        ranking(interactions={**PAIR, "top": "ten"}),
        "project.yaml:10: data.interactions.top: 'ten' must be a valid integer",
    ),
    "the item as input": (
        ranking(inputs=["who", "what"]),
        "data.inputs 'what' is the target too, which would be leaked",
    ),
    "the rating as input": (
        ranking(inputs=["who", "y"], interactions=liked()),
        "project.yaml:2: data: data.inputs 'y' is known only after the event: not an input",
    ),
    "a rating column that is not there": (
        ranking(interactions=liked(rating="stars")),
        "data.interactions.rating 'stars' is not a column of rows.csv; columns: who, what, y,",
    ),
    "an event's rating in words": (
        ranking(with_line("u1,i1,good,2026-01-01,n1"), interactions=liked()),
        "rows.csv:102: data.interactions.rating 'y' is 'good', a number was expected",
    ),
    "no event at all": (
        ranking(interactions=liked(at_least=9)),
        "rows.csv: no row of 180 can be used (rated lower than an event 180)",
    ),
    "one item for all": (
        ranking(HEADER + "".join(f"u{i % 9},i1,3,2026-01-{1 + i % 28:02},n\n" for i in range(90))),
        "rows.csv: data.target 'what' has 1 different items, task ranking takes 2 to 20,000",
    ),
    "stratified numbers": (
        rating(split={"stratify": True}),
        "project.yaml:2: data: split.stratify divides classes, task regression has none",
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_it_is_one_sentence(is_one_sentence: Callable[..., None], name: str) -> None:
    is_one_sentence("interactions", *MALFORMED[name])


@pytest.mark.parametrize(
    "name", ["a rating in words", "a typo in the section", "users too short for a split"]
)
def test_the_command_refuses_it(is_bad_input: Callable[..., None], name: str) -> None:
    is_bad_input("interactions", *MALFORMED[name])
