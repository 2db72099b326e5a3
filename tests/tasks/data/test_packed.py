"""Packed files of rows."""

import gzip
import zipfile
from pathlib import Path

import pytest

from tasks.data.reading import read_table

ROWS = "text,y\na,1\nb,2\n"


def test_a_packed_file_reads_as_the_file_in_it(tmp_path: Path) -> None:
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(ROWS.encode()))
    with zipfile.ZipFile(tmp_path / "rows.csv.zip", "w") as archive:
        archive.writestr("inside.csv", ROWS)
    for name in ("rows.csv.gz", "rows.csv.zip"):
        table = read_table(tmp_path / name, "utf-8")
        assert table.columns == {"text": ["a", "b"], "y": ["1", "2"]}
        assert table.where(1) == f"{name}:3"


def test_an_archive_of_two_files_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "rows.csv.zip", "w") as archive:
        archive.writestr("a.csv", ROWS)
        archive.writestr("b.csv", ROWS)
    with pytest.raises(ValueError, match=r"rows\.csv\.zip holds 2 files, one was expected"):
        read_table(tmp_path / "rows.csv.zip", "utf-8")


@pytest.mark.parametrize("name", ["rows.csv.gz", "rows.csv.zip"])
def test_a_broken_archive_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"PK not an archive")
    with pytest.raises(ValueError, match=f"{name} cannot be unpacked"):
        read_table(tmp_path / name, "utf-8")
