"""The result of an SQL query as a Parquet file, which is then read like any other."""

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from tasks.data.config import SQL

BATCH_ROWS = 10_000
PLAIN = (bool, int, float, str, bytes, list, dict)
READ_ONLY = {
    "postgresql": "SET TRANSACTION READ ONLY",
    "sqlite": "PRAGMA query_only = ON",
    "mysql": "SET TRANSACTION READ ONLY",
}
"""What makes a connection refuse to change anything."""


def write_query(url: str, source: str, query: str, path: Path) -> None:
    """Write all rows that `query` answers to `path`, read in batches, without changing anything.

    Raises ValueError, without a password in it, when the database or the query fails.
    """
    try:
        engine = create_engine(make_url(url))
        with engine.connect() as connection:
            table = _rows(connection, query)
    except (SQLAlchemyError, ImportError) as error:
        raise ValueError(f"data.source {source!r}: {_reason(error, url)}") from None
    except pa.ArrowException as error:
        raise ValueError(f"data.query: {str(error).splitlines()[0]}") from None
    if table is None:
        raise ValueError(f"data.query: the database behind {source} answers without a row")
    pq.write_table(table, path, compression="zstd", store_schema=False)


def name_of(source: str) -> str:
    """NAME of `sql://NAME`."""
    return source.removeprefix(SQL)


def _rows(connection: Connection, query: str) -> pa.Table | None:
    if command := READ_ONLY.get(connection.dialect.name):
        connection.execute(text(command))
    streamed = connection.execution_options(stream_results=True, yield_per=BATCH_ROWS)
    # A colon in a query is a cast or a time, never a parameter of ours.
    result = streamed.execute(text(re.sub(r":", r"\\:", query)))
    names = list(result.keys())
    if len(set(names)) < len(names):
        raise SQLAlchemyError(f"the query answers a column twice: {', '.join(names)}")
    batches = [
        pa.Table.from_pylist([_plain(row) for row in part])
        for part in result.mappings().partitions()
    ]
    return pa.concat_tables(batches, promote_options="permissive") if batches else None


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    """A value that Parquet knows; moments and other words as they are written."""
    if value is None or isinstance(value, PLAIN):
        return value
    return float(value) if isinstance(value, Decimal) else str(value)


def _reason(error: Exception, url: str) -> str:
    """What the database says, on one line and without the address's password."""
    said = str(error.orig if isinstance(error, DBAPIError) else error).strip() or "no answer"
    try:
        password = make_url(url).password
    except SQLAlchemyError:
        return "its address is no SQLAlchemy URL, such as postgresql+psycopg2://user@host/database"
    line = " ".join(said.split())[:200]
    return line.replace(str(password), "***") if password else line
