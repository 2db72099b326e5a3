"""Rows of a database: read in batches into a file, without its password going anywhere."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from infra.settings import sql_url
from tasks.data.config import DataConfig
from tasks.data.prepare import prepare_rows
from tasks.data.source_table import source_digest
from tasks.prepare_data import source_key
from tasks.read_source import with_local_source

QUERY = "SELECT age, city, y FROM people WHERE city <> 'a:b' ORDER BY id"


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "people.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE people (id INTEGER, age REAL, city TEXT, y TEXT)")
        rows = [
            (i, None if i < 3 else i % 50, "Rome" if i % 3 else "Oslo", "pn"[i * 7 // 3 % 2])
            for i in range(25_000)
        ]
        connection.executemany("INSERT INTO people VALUES (?, ?, ?, ?)", rows)
    monkeypatch.setenv("MODELWORKS_SQL_CRM", f"sqlite:///{path}")
    return path


def config(**fields: Any) -> DataConfig:
    given = {"source": "sql://crm", "kind": "table", "target": "y", "query": QUERY, **fields}
    return DataConfig.model_validate(given)


def test_the_answer_of_a_query_is_prepared_like_a_file(database: Path) -> None:
    local = with_local_source(config())
    prepared = prepare_rows(local, Path())
    assert len(prepared.table) == 25_000
    assert prepared.types == {"age": "number", "city": "category"}
    assert prepared.inputs["age"][:4] == [None, None, None, 3.0]


def test_the_digest_follows_the_rows(database: Path) -> None:
    first, again = (source_digest(with_local_source(config()), Path()) for _ in range(2))
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE people SET age = 7 WHERE id = 10")
    assert first == again != source_digest(with_local_source(config()), Path())
    assert source_key("crm", config()) == source_digest(with_local_source(config()), Path())


def test_a_file_is_left_alone() -> None:
    plain = DataConfig(source="rows.csv", target="y")
    assert with_local_source(plain) is plain


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("SELECT nope FROM people", "no such column: nope"),
        ("SELECT age FROM nobody", "no such table: nobody"),
        ("SELECT age FROM", "incomplete input"),
        ("SELECT age FROM people WHERE id < 0", "answers without a row"),
        ("SELECT age, city AS age FROM people", "answers a column twice: age, age"),
        ("WITH x AS (SELECT 1) DELETE FROM people", "readonly database"),
    ],
    ids=str,
)
def test_a_query_that_fails_is_one_sentence(database: Path, query: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r"^data\.(source 'sql://crm'|query): ") as raised:
        with_local_source(config(query=query))
    assert reason in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"query": None}, "must be a SELECT, which sql://crm asks"),
        ({"query": ""}, "must be a SELECT"),
        ({"query": "DELETE FROM people"}, "must be a SELECT"),
        (
            {"query": "SELECT 1; DROP TABLE people"},
            "query holds a semicolon: one SELECT is allowed",
        ),
        ({"source": "rows.csv"}, "query is for a source sql://NAME, source is 'rows.csv'"),
        ({"source": "sql://"}, "must be sql://NAME, of letters, digits and underscores"),
        ({"source": "sql://a/b"}, "must be sql://NAME, of letters, digits and underscores"),
        ({"source": "postgresql://ann:s3cret@db/crm"}, "a user has no place in a project file"),
        ({"source": "sql://ann:s3cret@db/crm"}, "a user has no place in a project file"),
    ],
    ids=str,
)
def test_what_the_project_says_wrongly(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError) as raised:
        config(**fields)
    (error,) = raised.value.errors()
    assert reason in error["msg"]
    assert "s3cret" not in error["msg"]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("not a url", "its address is no SQLAlchemy URL"),
        ("klingon://ann:s3cret@db/crm", "Can't load plugin: sqlalchemy.dialects:klingon"),
        ("sqlite:////nowhere/at/all.db", "unable to open database file"),
        ("postgresql+psycopg2://ann:s3cret@127.0.0.1:1/crm", "connection to server"),
    ],
    ids=["no url", "unknown", "no file", "nobody answers"],
)
def test_a_database_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, url: str, reason: str
) -> None:
    monkeypatch.setenv("MODELWORKS_SQL_CRM", url)
    with pytest.raises(ValueError, match=r"^data\.source 'sql://crm': ") as raised:
        with_local_source(config())
    assert reason in str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_the_address_may_stand_in_a_private_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELWORKS_HOME", str(tmp_path))
    with pytest.raises(ValueError, match="MODELWORKS_SQL_CRM must be set to its SQLAlchemy URL or"):
        sql_url("crm")
    file = tmp_path / "secrets" / "sql_crm"
    file.parent.mkdir()
    file.write_text("sqlite:///x.db\n")
    file.chmod(0o644)
    with pytest.raises(ValueError, match="others may read it, mode 0600 was expected"):
        sql_url("crm")
    file.chmod(0o600)
    assert sql_url("crm") == "sqlite:///x.db"
