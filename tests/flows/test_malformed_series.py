"""Malformed series: each is refused in one sentence, by the command with exit code 2."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

Case = tuple[dict[str, bytes | str], dict[str, Any]]
"""Files by name, and what `data` of the project file says beside source, kind and target."""


def jsonl(*lines: str, rows: Sequence[dict[str, Any]]) -> str:
    return "\n".join([*map(json.dumps, rows), *lines]) + "\n"


def replaced(values: list[Any], place: int, value: Any) -> list[Any]:
    return [*values[:place], value, *values[place + 1 :]]


TS = "@problemName toy\n@dimensions 2\n@equalLength false\n@classLabel true a b\n@data\n" + "".join(
    f"{i},{i + 1}{',?' * (i % 3)}:{-i},0{',1' * (i % 3)}:{'ab'[i * 7 // 5 % 2]}\n"
    for i in range(90)
)
STEPS = [
    f"{i},{step},{i * 7 % 11 + step},{'ab'[i * 7 // 5 % 2]}" for i in range(60) for step in range(3)
]
LISTS = {
    "x": [[float(i), i + 1.0, i * 3 % 7] for i in range(90)],
    "y": ["ab"[i * 7 // 5 % 2] for i in range(90)],
}
SS = {"source": "rows.ts", "target": "label"}


def ts(line: str) -> Case:
    return {"rows.ts": TS + line + "\n"}, SS


LAYOUT = {"id": "id", "time": "when"}


def steps(*lines: str, **settings: Any) -> Case:
    text = "\n".join(["id,when,x,y", *STEPS, *lines]) + "\n"
    return {"rows.csv": text}, {"series": LAYOUT, **settings}


def lists(place: int, value: Any, **settings: Any) -> Case:
    x = replaced(LISTS["x"], place, value)
    rows = [{"x": a, "y": b} for a, b in zip(x, LISTS["y"], strict=True)]
    return {"rows.jsonl": jsonl(rows=rows)}, {"source": "rows.jsonl", "inputs": ["x"], **settings}


MALFORMED: dict[str, tuple[Case, str]] = {
    "an empty file": (({"rows.ts": ""}, SS), "rows.ts is empty, rows with a header were expected"),
    "no @data": (
        ({"rows.ts": "@problemName toy\n"}, SS),
        "rows.ts has no line @data, after which the series stand",
    ),
    "nothing after @data": (
        ({"rows.ts": "@data\n"}, SS),
        "rows.ts has a header and no series after @data",
    ),
    "a series before @data": (
        ({"rows.ts": "1,2:a\n@data\n"}, SS),
        "rows.ts:1: '1,2:a' stands before @data",
    ),
    "an unknown field": (
        ({"rows.ts": "@colour red\n@data\n1,2\n"}, SS),
        "rows.ts:1: '@colour' is no field of a .ts header, allowed: @classlabel, @dimension,",
    ),
    "@data twice": (
        ({"rows.ts": TS.replace("@data\n", "@data\n@data\n")}, SS),
        "rows.ts:6: no ':' before a label, values were expected",
    ),
    "a word as value": (ts("1,x:3,4:a"), "rows.ts:96: 'x' is neither a finite number nor '?'"),
    "infinity as value": (
        ts("1,-inf:3,4:a"),
        "rows.ts:96: '-inf' is neither a finite number nor '?'",
    ),
    "an empty value": (ts("1,,2:3,4,5:a"), "rows.ts:96: '' is neither a finite number nor '?'"),
    "an unknown label": (ts("1,2:3,4:c"), "rows.ts:96: label 'c' is not in @classLabel: a, b"),
    "no label": (ts("1,2:3,4"), "rows.ts:96: label '3,4' is not in @classLabel: a, b"),
    "a channel less": (ts("1,2:a"), "rows.ts:96: 1 channels, 2 were expected"),
    "a channel more": (ts("1,2:3,4:5,6:a"), "rows.ts:96: 3 channels, 2 were expected"),
    "channels of other lengths": (
        ts("1,2:3:a"),
        "rows.ts:96: channels of 1 and 2 values, all channels of a series must be equally long",
    ),
    "a label alone": (ts("a"), "rows.ts:96: no ':' before a label, values were expected"),
    "a number of channels that is a word": (
        ({"rows.ts": TS.replace("@dimensions 2", "@dimensions two")}, SS),
        "rows.ts:2: @dimensions is 'two', a number of at least 1 was expected",
    ),
    "no channel": (
        ({"rows.ts": TS.replace("@dimensions 2", "@dimensions 0")}, SS),
        "rows.ts:2: @dimensions is '0', a number of at least 1 was expected",
    ),
    "timestamps": (
        ({"rows.ts": "@timeStamps true\n" + TS}, SS),
        "rows.ts:1: @timeStamps true cannot be read, values without times were expected",
    ),
    "equal lengths that are not": (
        ({"rows.ts": TS.replace("@equalLength false", "@equalLength true")}, SS),
        "rows.ts:7: 3 values where the first series has 2 and @equalLength is true",
    ),
    "another encoding": (
        ({"rows.ts": TS.encode() + b"\xff\n"}, SS),
        "rows.ts:96: byte 0xff at offset 1667 is not utf-8, data.encoding: latin-1 may be right",
    ),
    "empty series alone": (
        ({"rows.ts": TS.split("@data")[0] + "@data\n" + "?,?:?,?:a\n?,?:?,?:b\n" * 30}, SS),
        "rows.ts: no row of 60 can be used (empty series 60)",
    ),
    "one class": (
        ({"rows.ts": TS.replace(":b\n", ":a\n")}, SS),
        "rows.ts: data.target 'label' has only the class 'a', at least two are needed",
    ),
    "an unknown target": (
        ({"rows.ts": TS}, SS | {"target": "y"}),
        "data.target 'y' is not a column of rows.ts; columns: channel_1, channel_2, label",
    ),
    "a channel as target": (
        ({"rows.ts": TS}, SS | {"target": "channel_1"}),
        "rows.ts:6: data.target 'channel_1' is [0.0, 1.0], a name or a number was expected",
    ),
    "the label as input": (
        ({"rows.ts": TS}, SS | {"inputs": ["label"]}),
        "data.inputs 'label' is the target too, which would be leaked",
    ),
    "an unknown channel": (
        ({"rows.ts": TS}, SS | {"inputs": ["channel_3"]}),
        "data.inputs 'channel_3' is not a column of rows.ts, did you mean channel_2? columns:",
    ),
    "an unknown id": (
        steps(series={"id": "who", "time": "when"}),
        "data.series.id 'who' is not a column of rows.csv; columns: id, when, x, y",
    ),
    "an unknown time": (
        steps(series={"id": "id", "time": "then"}),
        "data.series.time 'then' is not a column of rows.csv, did you mean when? columns: id,",
    ),
    "no time": (steps(series={"id": "id"}), "data.series.time: required and missing"),
    "one column as id and time": (
        steps(series={"id": "id", "time": "id"}),
        "rows.csv:3: data.series.time 'id' repeats '0' within series '0'",
    ),
    "the target as id": (
        steps(series={"id": "y", "time": "when"}),
        "rows.csv:8: data.series.time 'when' repeats '0' within series 'a'",
    ),
    "a step twice": (
        steps("0,0,1,a"),
        "rows.csv:182: data.series.time 'when' repeats '0' within series '0'",
    ),
    "a word as time": (
        steps("0,noon,1,a"),
        "rows.csv:182: data.series.time 'when' is 'noon', a number or an ISO 8601 date or time",
    ),
    "a step without time": (
        steps("0,,1,a"),
        "rows.csv:182: data.series.time 'when' is '', a number or an ISO 8601 date or time was",
    ),
    "a step without id": (steps(",1,1,a"), "rows.csv:182: data.series.id 'id' is missing"),
    "a word as step": (
        steps("0,9,high,a"),
        "rows.csv:182: data.inputs 'x' is 'high', a number was expected",
    ),
    "infinity as step": (
        steps("0,9,inf,a"),
        "rows.csv:182: data.inputs 'x' is 'inf', a number was expected",
    ),
    "a series of two labels": (
        steps("0,9,1,b"),
        "rows.csv:182: data.target 'y' is 'b' and 'a' in one series, which has one",
    ),
    "a long table without its layout": (
        steps(series=None),
        "data.inputs: rows.csv has no column of lists of numbers (columns: id, when, x, y); a",
    ),
    "the id as input": (
        steps(inputs=["id"]),
        "data: data.inputs 'id' is data.series.id, which only says where a step belongs",
    ),
    "the target as input": (
        steps(inputs=["y"]),
        "rows.csv:2: data.inputs 'y' is 'a', a number was expected",
    ),
    "types of columns": (
        steps(columns={"x": "number"}),
        "data.columns x: kind series has no types of columns",
    ),
    "a series of words": (
        lists(7, ["a", "b"]),
        "rows.jsonl:8: data.inputs 'x' is ['a', 'b'], a list of finite numbers was expected",
    ),
    "a series of series": (
        lists(7, [[1, 2], [3, 4]]),
        "rows.jsonl:8: data.inputs 'x' is [[1, 2], [3, 4]], a list of finite numbers was",
    ),
    "a number as series": (
        lists(7, 3),
        "rows.jsonl:8: data.inputs 'x' is 3, a list of finite numbers was expected",
    ),
    "a word as series": (
        lists(7, "1 2 3"),
        "rows.jsonl:8: data.inputs 'x' is '1 2 3', a list of finite numbers was expected",
    ),
    "an object as series": (
        lists(7, {"a": 1}),
        "rows.jsonl:8: data.inputs 'x' is {'a': 1}, a list of finite numbers was expected",
    ),
    "booleans as series": (
        lists(7, [True, False]),
        "rows.jsonl:8: data.inputs 'x' is [True, False], a list of finite numbers was expected",
    ),
    "an infinite value": (
        lists(7, [1.0, float("inf")]),
        "rows.jsonl:8: data.inputs 'x' is [1.0, inf], a list of finite numbers was expected",
    ),
    "lists of other lengths": (
        (
            {
                "rows.jsonl": jsonl(
                    rows=[
                        {"x": [1, i], "z": [1, 2, i][: 3 - (i == 7)], "y": "ab"[i % 2]}
                        for i in range(90)
                    ]
                )
            },
            {"source": "rows.jsonl"},
        ),
        "rows.jsonl:1: channels of 2 and 3 values, all channels of a series must be equally",
    ),
    "no list": (
        (
            {"rows.jsonl": jsonl(rows=[{"x": i, "y": "ab"[i % 2]} for i in range(90)])},
            {"source": "rows.jsonl"},
        ),
        "data.inputs: rows.jsonl has no column of lists of numbers (columns: x, y); a table",
    ),
    "a layout of a .ts file": (
        ({"rows.ts": TS}, SS | {"series": {"id": "label", "time": "channel_1"}}),
        "rows.ts:6: data.series.time 'channel_1' is [0.0, 1.0], a number or an ISO 8601 date",
    ),
    "a weight within the channels": (
        steps(weight="x"),
        "data.inputs: rows.csv has no column of lists of numbers (columns: id, when, y)",
    ),
    "a window": (
        steps(window="3d", time="when"),
        "rows.csv:2: '2' where data.window needs an ISO 8601 date or time",
    ),
    "a generation": (
        ({"rows.ts": TS}, SS | {"task": "generation", "target": None}),
        "data: task generation learns kind text, data.kind is series",
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_it_is_one_sentence(is_one_sentence: Callable[..., None], name: str) -> None:
    is_one_sentence("series", *MALFORMED[name])


@pytest.mark.parametrize("name", ["a word as value", "no time", "a step twice"])
def test_the_command_refuses_it(is_bad_input: Callable[..., None], name: str) -> None:
    is_bad_input("series", *MALFORMED[name])
