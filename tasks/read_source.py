"""Rows of a database brought here, so that all that follows reads a file."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from infra.settings import sql_url
from tasks.data.config import SQL, DataConfig


def with_local_source(config: DataConfig) -> DataConfig:
    """The configuration with the answer of its query as a file; as it is when it has none.

    Each call asks the database again. Raises ValueError when it cannot be asked.
    """
    if not config.source.startswith(SQL):
        return config
    from tasks.data.query import name_of, write_query  # SQLAlchemy, for databases alone

    assert config.query is not None, "a database comes with a query"
    name = name_of(config.source)
    path = Path(tempfile.mkdtemp(dir=_folder())) / f"{name}.parquet"
    write_query(sql_url(name), config.source, config.query, path)
    return config.model_copy(update={"source": str(path), "query": None})


@cache
def _folder() -> Path:
    """A private folder that goes with the process."""
    folder = tempfile.mkdtemp(prefix="modelworks-sql-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
