"""Packed files of rows."""

import gzip
import zipfile
from pathlib import Path

import pytest

from tasks.data.reading import read_table, text_encoding

ROWS = "text,y\na,1\nb,2\n"


def test_a_packed_file_reads_as_the_file_in_it(tmp_path: Path) -> None:
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(ROWS.encode()))
    with zipfile.ZipFile(tmp_path / "rows.csv.zip", "w") as archive:
        archive.writestr("inside.csv", ROWS)
    for name in ("rows.csv.gz", "rows.csv.zip"):
        table = read_table(tmp_path / name, "utf-8")
        assert table.columns == {"text": ["a", "b"], "y": ["1", "2"]}
        assert table.where(1) == f"{name}:3"


@pytest.mark.parametrize(
    "member",
    ["reviews.csv", "2026/reviews.csv", "../../reviews.csv", "/x/reviews.csv", "a\\b\\r.csv"],
)
def test_a_zip_says_by_the_name_in_it_what_it_holds(tmp_path: Path, member: str) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "reviews.zip", "w") as archive:
        archive.writestr(member, ROWS)
        archive.writestr("__MACOSX/._reviews.csv", b"\0\1")
    table = read_table(folder / "reviews.zip", "utf-8")
    assert table.columns == {"text": ["a", "b"], "y": ["1", "2"]}
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["reviews.zip"]


def test_a_name_that_says_nothing_leaves_it_to_the_archive(tmp_path: Path) -> None:
    for name in ("rows", ".."):
        with zipfile.ZipFile(tmp_path / "rows.csv.zip", "w") as archive:
            archive.writestr(name, ROWS)
        assert len(read_table(tmp_path / "rows.csv.zip", "utf-8")) == 2


def test_archives_in_archives_come_to_an_end(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "rows.zip", "w") as archive:
        archive.writestr("rows.zip", b"another")
    with pytest.raises(ValueError, match=r"^rows: files of rows end in one of"):
        read_table(tmp_path / "rows.zip", "utf-8")


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_the_encoding_of_what_is_packed_is_guessed(tmp_path: Path, encoding: str) -> None:
    content = ROWS.replace("a,1", "caf\u00e9,1").encode(encoding)
    (tmp_path / "rows.csv").write_bytes(content)
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(content))
    with zipfile.ZipFile(tmp_path / "rows.zip", "w") as archive:
        archive.writestr("rows.csv", content)
    for name in ("rows.csv", "rows.csv.gz", "rows.zip"):
        assert text_encoding(tmp_path / name) == encoding
        assert read_table(tmp_path / name, encoding).columns["text"] == ["caf\u00e9", "b"]


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
