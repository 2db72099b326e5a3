"""Users and items: ids, columns about either, a split by time for each user; plain refusals."""

import random as plain_random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.data import item_target
from tasks.data.config import DataConfig
from tasks.data.per_user import newest_of_users
from tasks.data.prepare import Prepared, prepare_rows
from tasks.data.report import data_report

HEAD = "who,what,age,made,stars,at\n"
PAIR = {"user": "who", "item": "what"}


def line(row: int) -> str:
    user, item = row % 12, (row * 7) % 31
    return f"{user},{item},{20 + user},{1990 + item},{row % 5},{1000 + row}\n"


ROWS = [line(row) for row in range(240)]


def prepared(folder: Path, lines: list[str] = ROWS, head: str = HEAD, **changed: Any) -> Prepared:
    (folder / "rows.csv").write_text(head + "".join(lines))
    config: dict[str, Any] = {
        "source": "rows.csv",
        "kind": "interactions",
        "interactions": PAIR,
        "target": "stars",
        "task": "regression",
    }
    return prepare_rows(DataConfig.model_validate(config | changed), folder)


def test_user_and_item_are_names_and_other_columns_keep_their_type(tmp_path: Path) -> None:
    found = prepared(tmp_path, inputs=["who", "what", "age", "made"])
    types = {"who": "user", "what": "item", "age": "number", "made": "number"}
    assert found.types == types
    assert found.inputs["who"][:3] == ["0", "1", "2"]
    assert found.inputs["age"][1] == 21.0
    assert data_report(found)["interactions"]["train"]["who"]["different"] == 12


def test_without_inputs_user_and_item_are_read(tmp_path: Path) -> None:
    assert prepared(tmp_path).config.inputs == ("who", "what")


def test_a_row_of_nobody_is_kept_as_one_of_an_unknown_user(tmp_path: Path) -> None:
    found = prepared(tmp_path, [*ROWS, ",3,1,1,1,9\n"])
    assert found.inputs["who"][-1] is None
    assert len(found.rows) == 241


def test_the_newest_of_each_user_are_the_holdout(tmp_path: Path) -> None:
    found = prepared(tmp_path, split={"time": "at", "valid": 0.1, "test": 0.2})
    sides = found.sides.reshape(20, 12)  # rows come in turns of twelve users, in order of time
    assert (sides[:14] == 0).all()
    assert (sides[14:16] == 1).all()
    assert (sides[16:] == 2).all()


def test_who_did_little_trains(tmp_path: Path) -> None:
    few = [f"rare,{item},1,1,3,{5000 + item}\n" for item in range(4)]
    found = prepared(tmp_path, [*ROWS, *few], split={"time": "at"})
    mine = [row for row, name in enumerate(found.inputs["who"]) if name == "rare"]
    assert (found.sides[mine] == 0).all()


def test_the_order_of_the_file_does_not_matter(tmp_path: Path) -> None:
    tied = [text.rsplit(",", 1)[0] + f",{1000 + row // 40}\n" for row, text in enumerate(ROWS)]
    shuffled = plain_random.Random(1).sample(tied, len(tied))  # noqa: S311 - no secret
    kinds = []
    for lines in (tied, shuffled):
        found = prepared(tmp_path, lines, split={"time": "at"})
        rows = zip(found.questions, found.rows.labels, found.sides.tolist(), strict=True)
        kinds.append(sorted(rows))
    assert kinds[0] == kinds[1]


EVENTS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", None]), st.integers(0, 9)), min_size=1, max_size=60
)
SHARES = st.sampled_from([(0.1, 0.2), (0.25, 0.25), (0.05, 0.4), (0.3, 0.1)])


@settings(deadline=None, max_examples=100)
@given(EVENTS, SHARES)
def test_nobody_is_trained_on_what_he_does_later(
    events: list[tuple[str | None, int]], shares: tuple[float, float]
) -> None:
    users = [user for user, _ in events]
    instants = np.array([at for _, at in events], dtype=float)
    keys = [str(row) for row in range(len(events))]
    sides = newest_of_users(instants, users, keys, shares)
    for user in {user for user in users if user is not None}:
        mine = np.flatnonzero([name == user for name in users])
        for earlier, later in ((0, 1), (1, 2), (0, 2)):
            before, after = mine[sides[mine] == earlier], mine[sides[mine] == later]
            if len(before) and len(after):
                assert instants[before].max() <= instants[after].min()
        counts = np.bincount(sides[mine], minlength=3)
        valid, test = (int(len(mine) * share + 1e-9) for share in shares)
        assert counts.tolist() == [len(mine) - valid - test, valid, test]
    nobody = [row for row, user in enumerate(users) if user is None]
    assert (sides[nobody] == 0).all()
    order = np.random.default_rng(0).permutation(len(events))
    again = newest_of_users(
        instants[order], [users[i] for i in order], [keys[i] for i in order], shares
    )
    assert again.tolist() == sides[order].tolist()


Setting = Mapping[str, Any]
WRONG_SETTINGS: dict[str, tuple[Setting, str]] = {
    "no columns named": ({"interactions": None}, "needs data.interactions: {user: COLUMN"),
    "one column twice": ({"interactions": {"user": "who", "item": "who"}}, "are both 'who'"),
    "no item": ({"interactions": {"user": "who"}}, "Field required"),
    "a typo": ({"interactions": {**PAIR, "itme": "what"}}, "Extra inputs are not permitted"),
    "classes": ({"task": "classification"}, "data.task classification: kind interactions"),
    "a class of a number": ({"task": "classification", "above": 3}, "data.task classification"),
    "above": ({"above": 3}, "above 3 makes two classes"),
    "labels": ({"checks": {"labels": ["1"]}}, "checks.labels are classes"),
    "a rating column": (
        {"interactions": {**PAIR, "rating": "stars", "at_least": 3}},
        "rating, at_least and top are for task ranking",
    ),
    "a number of answers": ({"interactions": {**PAIR, "top": 5}}, "top are for task ranking"),
    "the user is foretold": ({"target": "who"}, "data.target 'who' is the user, not a rating"),
    "the item is foretold": ({"target": "what"}, "data.target 'what' is the item, not a rating"),
    "inputs without item": ({"inputs": ["who", "age"]}, "must hold the item 'what'"),
    "inputs without user": ({"inputs": ["what"]}, "must hold the user 'who'"),
    "an id with a type": ({"columns": {"who": "number"}}, "data.columns 'who': ids are names"),
    "another kind": ({"kind": "table"}, "data.interactions is for kind interactions"),
    "series": ({"series": {"id": "a", "time": "b"}}, "data.series is for kind series"),
    "image": ({"image": {"size": 16}}, "data.image is for kind image"),
    "shares too large": ({"split": {"time": "at", "valid": 0.4, "test": 0.4}}, "must leave 0.4"),
    "time and column": ({"split": {"time": "at", "column": "x"}}, "column and time both say"),
    "time and group": (
        {"split": {"time": "at", "group_by": "who"}},
        "time 'at' and group_by 'who' cannot both hold",
    ),
    "time and a file": ({"split": {"time": "at", "test": "t.csv"}}, "time and a file of its own"),
}


@pytest.mark.parametrize(("changed", "sentence"), WRONG_SETTINGS.values(), ids=WRONG_SETTINGS)
def test_a_wrong_setting_is_one_sentence(tmp_path: Path, changed: Setting, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        prepared(tmp_path, **changed)


RANKING = {"task": "ranking", "target": "what", "split": {"time": "at"}}
LIKED = {**PAIR, "rating": "stars", "at_least": 3}
WRONG_RANKINGS: dict[str, tuple[Setting, str]] = {
    "of a rating": ({"target": "stars"}, "data.target 'stars' must be the item 'what'"),
    "without the user": ({"inputs": ["age"]}, "data.inputs age must hold the user 'who'"),
    "with the item": ({"inputs": ["who", "what"]}, "data.inputs 'what' is the target too"),
    "with the rating": (
        {"inputs": ["who", "stars"], "interactions": LIKED},
        "data.inputs 'stars' is known only after the event",
    ),
    "without time": ({"split": {}}, "data.task ranking needs data.split.time"),
    "of another kind": (
        {"kind": "table", "interactions": None},
        "data.task ranking is for kind interactions, data.kind is table",
    ),
    "of a side of a number": ({"above": 1}, "above 1 makes two classes, task ranking has none"),
    "of classes": ({"checks": {"labels": ["1"]}}, "checks.labels are classes, task ranking has"),
    "half of an event": (
        {"interactions": {**PAIR, "rating": "stars"}},
        "rating and at_least say together what an event is",
    ),
    "the other half": (
        {"interactions": {**PAIR, "at_least": 3}},
        "rating and at_least say together what an event is",
    ),
    "of no items": ({"interactions": {**PAIR, "top": 0}}, "greater than or equal to 1"),
    "of too many items": ({"interactions": {**PAIR, "top": 101}}, "less than or equal to 100"),
    "no such rating": (
        {"interactions": {**LIKED, "rating": "star"}},
        "data.interactions.rating 'star' is not a column of rows.csv, did you mean stars?",
    ),
    "nothing is liked": (
        {"interactions": {**LIKED, "at_least": 99}},
        r"no row of 240 can be used \(rated lower than an event 240\)",
    ),
}


@pytest.mark.parametrize(("changed", "sentence"), WRONG_RANKINGS.values(), ids=WRONG_RANKINGS)
def test_a_wrong_ranking_is_one_sentence(tmp_path: Path, changed: Setting, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        prepared(tmp_path, **{**RANKING, **changed})


def test_a_rating_that_is_a_word_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"rows.csv:242: data.interactions.rating 'stars' is 'go"):
        prepared(tmp_path, [*ROWS, "1,2,3,4,good,5\n"], **RANKING, interactions=LIKED)


@pytest.mark.parametrize(
    ("most_items", "most_answers", "sentence"),
    [
        (30, 10**8, "has 31 different items, task ranking takes 2 to 30"),
        (
            20_000,
            3100,
            "items for 240 events are more than 3,100: set data.max_rows to at most 100",
        ),
    ],
    ids=["catalogue", "memory"],
)
def test_what_is_too_large_to_rank_is_one_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    most_items: int,
    most_answers: int,
    sentence: str,
) -> None:
    monkeypatch.setattr(item_target, "MOST_ITEMS", most_items)
    monkeypatch.setattr(item_target, "MOST_ANSWERS", most_answers)
    with pytest.raises(ValueError, match=sentence):
        prepared(tmp_path, **RANKING)


def test_rows_that_are_liked_are_events_and_each_item_is_foreseen_once(tmp_path: Path) -> None:
    again = [f"0,{row * 12 * 7 % 31},20,1990,4,{2000 + row}\n" for row in range(3)]
    found = prepared(tmp_path, [*ROWS, *again], **RANKING, interactions=LIKED)
    assert found.config.inputs == ("who",)
    assert found.rows.dropped["rated lower than an event"] == sum(
        int(text.split(",")[4]) < 3 for text in ROWS
    )
    assert found.rows.dropped["met before, on an earlier side"] >= 1
    pairs: dict[tuple[str, str], set[int]] = {}
    rows = zip(found.inputs["who"], found.rows.labels, found.sides.tolist(), strict=True)
    for user, item, side in rows:
        pairs.setdefault((user, item), set()).add(side)
    assert all(len(sides) == 1 for sides in pairs.values())
    assert found.classes == tuple(sorted({item for _, item in pairs}))


WRONG_ROWS: dict[str, tuple[list[str], Setting, str]] = {
    "no such user column": (ROWS, {"interactions": {**PAIR, "user": "whom"}}, "did you mean who?"),
    "no such item column": (ROWS, {"interactions": {**PAIR, "item": "thing"}}, "'thing' is not a"),
    "no such target": (ROWS, {"target": "star"}, "data.target 'star' is not a column"),
    "no such time": (ROWS, {"split": {"time": "when"}}, "data.split.time 'when' is not a column"),
    "no such input": (ROWS, {"inputs": ["who", "what", "sex"]}, "data.inputs 'sex' is not"),
    "a column twice": (ROWS, {"inputs": ["who", "what", "age", "age"]}, "a column stands twice"),
    "a rating that is a word": (
        [*ROWS, "1,2,3,4,good,5\n"],
        {},
        "rows.csv:242: data.target 'stars' is 'good', task regression takes finite numbers",
    ),
    "an endless rating": ([*ROWS, "1,2,3,4,inf,5\n"], {}, "'inf', task regression takes finite"),
    "ratings missing": ([*ROWS, *["1,2,3,4,,5\n"] * 20], {}, "at most 5% may be"),
    "one rating for all": (
        ["1,2,3,4,3,5\n"] * 60,
        {},
        "is 3 in every row, which leaves nothing to predict",
    ),
    "a time that is none": (
        [*ROWS, "1,2,3,4,1,soon\n"],
        {"split": {"time": "at"}},
        "data.split.time 'at' is 'soon', a number or an ISO 8601 date or time was expected",
    ),
    "nobody did enough": (
        [f"{row},{row % 9},1,1,{row % 5},{row}\n" for row in range(200)],
        {"split": {"time": "at", "test": 0.2}},
        "data.split.time 'at': no user has the 10 rows of which valid 0.1 is one",
    ),
    "few did enough": (
        [f"{row // 6},{row},1,1,{row % 5},{row}\n" for row in range(200)],
        {"split": {"time": "at", "test": 0.1, "valid": 0.2}},
        "no user has the 10 rows of which test 0.1 is one",
    ),
    "free text": (
        [f"{text.rsplit(',', 1)[0]},a film about number {row}\n" for row, text in enumerate(ROWS)],
        {"inputs": ["who", "what", "at"]},
        "data.inputs 'at' is free text, which kind interactions does not read",
    ),
    "a column that is no number": (
        [*ROWS, "1,2,old,4,1,5\n"],
        {"inputs": ["who", "what", "age"], "columns": {"age": "number"}},
        "data.columns 'age': 'old' in row 241 is no number",
    ),
    "no row": ([], {}, "rows.csv has"),
    "too many cells": ([*ROWS, "1,2,3,4,1,5,6\n"], {}, "rows.csv:242"),
}


@pytest.mark.parametrize(("lines", "changed", "sentence"), WRONG_ROWS.values(), ids=WRONG_ROWS)
def test_wrong_rows_are_one_sentence(
    tmp_path: Path, lines: list[str], changed: Setting, sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        prepared(tmp_path, lines, **changed)


@pytest.mark.parametrize("cell", ['["a"]', '{"a": 1}'], ids=["list", "object"])
def test_an_id_is_one_name(tmp_path: Path, cell: str) -> None:
    rows = [f'{{"who": "{row % 9}", "what": {row % 7}, "stars": {row % 3}}}' for row in range(99)]
    rows[5] = f'{{"who": {cell}, "what": 1, "stars": 2}}'
    (tmp_path / "rows.jsonl").write_text("\n".join(rows))
    config = DataConfig(
        source="rows.jsonl",
        kind="interactions",
        interactions=PAIR,
        target="stars",
        task="regression",
    )
    with pytest.raises(ValueError, match=r"rows.jsonl:6: data.inputs 'who' is"):
        prepare_rows(config, tmp_path)
