"""A file in, the same rows with answers out, or one sentence and nothing written."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.data.reading import read_table
from tasks.evaluation import scoring
from tasks.evaluation.scoring import score_file
from tests.row_files import rows_file

ROWS = [{"id": "007", "text": 'late, "rude"'}, {"id": "8", "text": "lovely\nflight"}]
ADDED = ["label", "probability_bad", "probability_fair", "probability_good"]


@pytest.fixture(scope="module")
def bundle(make_bundle: Callable[[str], Path]) -> Path:
    return make_bundle("ngram_bag")


@pytest.mark.parametrize("written", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("read", [".csv", ".jsonl", ".parquet"])
def test_rows_keep_their_columns_and_gain_answers(
    bundle: Path, tmp_path: Path, read: str, written: str
) -> None:
    target = tmp_path / f"out{written}"
    assert score_file(bundle, rows_file(tmp_path / f"in{read}", ROWS), target) == 2
    table = read_table(target, "utf-8")
    assert table.names == ("id", "text", *ADDED)
    assert table.columns["id"] == ["007", "8"]
    assert table.columns["text"] == [row["text"] for row in ROWS]
    shares = [sum(float(table.columns[name][i]) for name in ADDED[1:]) for i in range(2)]
    assert shares == pytest.approx([1, 1], abs=1e-5)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"in{read}", f"out{written}"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("packed", ["", ".gz"])
def test_rows_are_read_in_the_encoding_in_which_they_are_written(
    bundle: Path, tmp_path: Path, encoding: str, packed: str
) -> None:
    content = "id,text\n1,très \u201clovely\u201d flight\n".encode(encoding)
    source = tmp_path / f"in.csv{packed}"
    source.write_bytes(gzip.compress(content) if packed else content)
    assert score_file(bundle, source, tmp_path / "out.csv") == 1
    table = read_table(tmp_path / "out.csv", "utf-8")
    assert table.columns["text"] == ["très \u201clovely\u201d flight"]


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("in.csv", ".", "is a directory, a file was meant"),
        ("in.csv", "out.xlsx", r"suffix '.xlsx' must be one of .csv, .jsonl, .parquet"),
        ("in.csv", "no/out.csv", r"the folder .*no does not exist"),
        ("missing.csv", "out.csv", r"missing.csv: must be a file of rows"),
        (".", "out.csv", r"must be a file of rows"),
        ("other.csv", "out.csv", r"input 'text' is not a column of other.csv"),
        ("null.jsonl", "out.csv", r"column 'text', row 1: None must be a text"),
        ("cut.csv", "out.csv", r"cut.csv:2: .* is not utf-16-le, the file is cut off or damaged"),
        ("nul.csv", "out.csv", r"nul.csv:2: NUL character, only text is allowed"),
    ],
    ids=[
        "target directory",
        "suffix",
        "folder",
        "no file",
        "directory",
        "column",
        "no text",
        "cut",
        "NUL",
    ],
)
def test_bad_files_are_refused_and_nothing_is_written(
    bundle: Path, tmp_path: Path, source: str, target: str, message: str
) -> None:
    rows_file(tmp_path / "in.csv", ROWS)
    rows_file(tmp_path / "other.csv", [{"id": "1", "body": "late"}])
    (tmp_path / "null.jsonl").write_text('{"text": "a"}\n{"text": null}\n')
    (tmp_path / "cut.csv").write_bytes("id,text\n1,late\n".encode("utf-16-le")[:-1])
    (tmp_path / "nul.csv").write_bytes(b"id,text\n1,la\0te\n")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ValueError, match=message):
        score_file(bundle, tmp_path / source, tmp_path / target)
    assert sorted(tmp_path.iterdir()) == before


def test_a_column_of_several_types_is_refused_where_the_file_holds_one(
    bundle: Path, tmp_path: Path
) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"id": "7", "text": "late"}\n{"id": 8, "text": "kind"}\n')
    with pytest.raises(ValueError, match=r"column 'id' has cells of several types, which Parquet"):
        score_file(bundle, source, tmp_path / "out.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]
    assert score_file(bundle, source, tmp_path / "out.jsonl") == 2


def test_what_was_there_stays_when_writing_fails(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    target = tmp_path / "out.csv"
    target.write_text("kept")
    monkeypatch.setitem(scoring.WRITERS, ".csv", full)
    with pytest.raises(ValueError, match=r"cannot be written \(No space left on device\)"):
        score_file(bundle, rows_file(tmp_path / "in.csv", ROWS), target)
    assert target.read_text() == "kept"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]
