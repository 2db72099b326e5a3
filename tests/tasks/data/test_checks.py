"""What a project declares about its rows, and the one sentence that says how they break it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tasks.data.checks_config import ChecksConfig
from tasks.data.config import DataConfig
from tasks.data.prepare import prepare_rows

TODAY = datetime.now(UTC)
HEADER = "age,city,ok,seen,y\n"


def line(number: int) -> str:
    seen = (TODAY - timedelta(days=1 + number % 9)).date().isoformat()
    return (
        f"{20 + number % 50},{'Oslo' if number % 3 else 'Rome'},{'true' if number % 2 else ''},"
        + (f"{seen},{'pn'[number % 2]}\n")
    )


ROWS = HEADER + "".join(map(line, range(120)))


def prepare(folder: Path, text: str, **checks: Any) -> Any:
    (folder / "rows.csv").write_text(text)
    config = {"source": "rows.csv", "kind": "table", "target": "y", "inputs": ["age", "city"]}
    return prepare_rows(DataConfig.model_validate({**config, "checks": checks}), folder)


@pytest.mark.parametrize(
    "checks",
    [
        {},
        {"rows": 120},
        {"labels": ["n", "p"]},
        {"columns": {"age": {"type": "integer", "min": 20, "max": 69, "missing": 0}}},
        {"columns": {"age": {"values": list(range(20, 70))}}},
        {"columns": {"city": {"type": "text", "values": ["Rome", "Oslo", "Bern"]}}},
        {"columns": {"ok": {"type": "boolean", "missing": 0.5, "values": [True]}}},
        {"columns": {"seen": {"type": "moment"}}, "fresh": {"column": "seen", "days": 2.5}},
    ],
    ids=str,
)
def test_rows_as_declared_pass(tmp_path: Path, checks: dict[str, Any]) -> None:
    assert len(prepare(tmp_path, ROWS, **checks).rows) == 120


@pytest.mark.parametrize(
    ("added", "checks", "sentence"),
    [
        pytest.param(
            "",
            {"rows": 121},
            "data.checks.rows: rows.csv has 120 rows, at least 121 were expected",
            id="too few rows",
        ),
        pytest.param(
            "130,Oslo,,2026-01-01,p\n140,Oslo,,2026-01-01,p\n",
            {"columns": {"age": {"type": "number", "max": 120}}},
            "rows.csv:122: data.checks.columns 'age' is '130' (in 2 of 122 rows), at most 120 "
            "was expected",
            id="too large",
        ),
        pytest.param(
            "-1,Oslo,,2026-01-01,p\n",
            {"columns": {"age": {"min": 0}}},
            "rows.csv:122: data.checks.columns 'age' is '-1' (in 1 of 121 rows), at least 0 "
            "was expected",
            id="too small",
        ),
        pytest.param(
            "old,Oslo,,2026-01-01,p\n",
            {"columns": {"age": {"type": "number", "max": 120}}},
            "rows.csv:122: data.checks.columns 'age' is 'old' (in 1 of 121 rows), a number "
            "was expected; 1 other check failed too",
            id="no number",
        ),
        pytest.param(
            "1.5,Oslo,,2026-01-01,p\n",
            {"columns": {"age": {"type": "integer"}}},
            "rows.csv:122: data.checks.columns 'age' is '1.5' (in 1 of 121 rows), a whole "
            "number was expected",
            id="no whole number",
        ),
        pytest.param(
            "30,Oslo,maybe,2026-01-01,p\n",
            {"columns": {"ok": {"type": "boolean"}}},
            "rows.csv:122: data.checks.columns 'ok' is 'maybe' (in 1 of 121 rows), true or "
            "false was expected",
            id="no boolean",
        ),
        pytest.param(
            "30,Oslo,,soon,p\n",
            {"columns": {"seen": {"type": "moment"}}},
            "rows.csv:122: data.checks.columns 'seen' is 'soon' (in 1 of 121 rows), an ISO "
            "8601 date or time was expected",
            id="no moment",
        ),
        pytest.param(
            "30,Bern,,2026-01-01,p\n",
            {"columns": {"city": {"values": ["Oslo", "Rome"]}}},
            "rows.csv:122: data.checks.columns 'city' is 'Bern' (in 1 of 121 rows), one of "
            "Oslo, Rome was expected",
            id="another value",
        ),
        pytest.param(
            "",
            {"columns": {"ok": {"missing": 0.1}}},
            "rows.csv:2: data.checks.columns 'ok' is missing (in 60 of 120 rows), at most 0.1 of "
            "them may be",
            id="too many missing",
        ),
        pytest.param(
            "",
            {"columns": {"agee": {"min": 0}}},
            "data.checks.columns 'agee' is not a column of rows.csv, did you mean age? columns: "
            "age, city, ok, seen, y",
            id="no such column",
        ),
        pytest.param(
            "30,Oslo,,2026-01-01,q\n" * 5,
            {"labels": ["n", "p"]},
            "rows.csv:122: data.checks.labels: data.target 'y' is 'q' (in 5 of 125 rows), n, p "
            "were expected",
            id="a new label",
        ),
        pytest.param(
            "",
            {"labels": ["n", "p", "q"]},
            "data.checks.labels: no row of rows.csv has the data.target 'y' q, every one of "
            "n, p, q was expected",
            id="a lost label",
        ),
        pytest.param(
            "",
            {"fresh": {"column": "seen", "days": 0.5}},
            "data.checks.fresh: the newest 'seen' of rows.csv is 1.",
            id="stale",
        ),
        pytest.param(
            "",
            {"fresh": {"column": "city", "days": 2}},
            "rows.csv:2: data.checks.fresh 'city' is 'Rome', an ISO 8601 date or time was expected",
            id="no time",
        ),
        pytest.param(
            "",
            {"fresh": {"column": "day", "days": 2}},
            "data.checks.fresh.column 'day' is not a column of rows.csv; columns: age, city",
            id="no such time",
        ),
    ],
)
def test_a_breach_is_one_sentence(
    tmp_path: Path, added: str, checks: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        prepare(tmp_path, ROWS + added, **checks)
    assert str(raised.value).startswith(sentence)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("checks", "reason"),
    [
        ({"columns": {"a": {"min": 2, "max": 1}}}, "min 2 must not be above max 1"),
        ({"columns": {"a": {"type": "text", "min": 2}}}, "min and max are for numbers, type is te"),
        ({"columns": {"a": {"missing": 2}}}, "less than or equal to 1"),
        ({"columns": {"a": {"nulls": 2}}}, "Extra inputs are not permitted"),
        ({"columns": {"a": {"type": "word"}}}, "'number', 'integer', 'boolean'"),
        ({"rows": 0}, "greater than 0"),
        ({"fresh": {"column": "a", "days": 0}}, "greater than 0"),
        ({"fresh": {"column": "a"}}, "Field required"),
        ({"drift": -1}, "greater than 0"),
    ],
    ids=str,
)
def test_checks_that_make_no_sense_are_refused(checks: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        ChecksConfig.model_validate(checks)


def test_a_parquet_file_is_read_with_the_columns_that_are_checked(tmp_path: Path) -> None:
    import pandas as pd

    frame = pd.DataFrame({"age": range(90), "extra": range(90), "y": ["p", "n"] * 45})
    frame.to_parquet(tmp_path / "rows.parquet")
    config = {"source": "rows.parquet", "kind": "table", "target": "y", "inputs": ["age"]}
    checks = {"columns": {"extra": {"max": 80}}}
    with pytest.raises(ValueError, match=r"rows\.parquet, row 82: .* 'extra' is 81 \(in 9 of 90"):
        prepare_rows(DataConfig.model_validate({**config, "checks": checks}), tmp_path)
