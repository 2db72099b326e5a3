"""A table of the embedded PostgreSQL as the source of a project."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from infra.environment import database_url
from infra.home import open_home
from tasks.data.config import DataConfig
from tasks.data.prepare import prepare_rows
from tasks.read_source import with_local_source

pytestmark = pytest.mark.stack
ROWS = (
    "CREATE TABLE visits AS SELECT i AS id, (i % 50)::numeric(6, 2) AS age, i % 3 = 0 AS new, "
    "timestamp '2026-01-01' + i * interval '1 hour' AS seen, "
    "CASE WHEN md5(i::text) < '8' THEN 'p' ELSE 'n' END AS y FROM generate_series(0, 11999) AS i"
)


def test_rows_come_from_postgres(stack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = database_url(open_home(stack), "modelworks", "postgresql+psycopg2")
    monkeypatch.setenv("MODELWORKS_SQL_CLINIC", url)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(ROWS))
    try:
        query = "SELECT age, new, seen::timestamp, y FROM visits ORDER BY id"
        config = DataConfig(source="sql://clinic", kind="table", target="y", query=query)
        prepared = prepare_rows(with_local_source(config), Path())
        assert prepared.types == {"age": "number", "new": "boolean", "seen": "moment"}
        assert len(prepared.rows) == 12_000
        drop = "WITH gone AS (DELETE FROM visits RETURNING *) SELECT * FROM gone"
        with pytest.raises(
            ValueError, match=r"read-only transaction|must not contain data-modifying"
        ):
            with_local_source(config.model_copy(update={"query": drop}))
    finally:
        with engine.begin() as connection:
            connection.execute(text("DROP TABLE visits"))
