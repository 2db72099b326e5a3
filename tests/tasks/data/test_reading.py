"""CSV, JSON Lines and Parquet: strings stay strings, every fault has its line."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.data import text_file
from tasks.data.reading import read_table
from tasks.data.table import Table


def read(tmp_path: Path, name: str, content: str | bytes, encoding: str = "utf-8") -> Table:
    path = tmp_path / name
    path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
    return read_table(path, encoding)


def refusal(tmp_path: Path, name: str, content: str | bytes, encoding: str = "utf-8") -> str:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ValueError, match=r".") as raised:
        read_table(path, encoding)
    return str(raised.value)


def test_values_of_a_csv_stay_the_strings_that_they_are(tmp_path: Path) -> None:
    table = read(tmp_path, "a.csv", "text,label\n007,1\n 1e5 ,NA\n")
    assert table.columns == {"text": ["007", " 1e5 "], "label": ["1", "NA"]}


def test_quoted_line_ends_and_delimiters_are_kept_and_lines_still_right(tmp_path: Path) -> None:
    table = read(tmp_path, "a.csv", 'text,label\r\n"a, ""b""\nc",x\r\n\r\nd,y\r\n')
    assert table.columns["text"] == ['a, "b"\nc', "d"]
    assert [table.where(row) for row in (0, 1)] == ["a.csv:2", "a.csv:5"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_line_ends(tmp_path: Path, end: str) -> None:
    assert read(tmp_path, "a.csv", f"a,b{end}1,2{end}3,4").columns == {
        "a": ["1", "3"],
        "b": ["2", "4"],
    }


@pytest.mark.parametrize(
    ("name", "content", "delimiter"),
    [
        ("a.csv", "a,b;c\n1,2\n", ","),
        ("a.csv", "a;b\n1,5;2\n", ";"),
        ("a.csv", "a\tb\n1\t2\n", "\t"),
        ("a.csv", "a|b\n1|2\n", "|"),
        ("a.csv", "a\n1\n", ","),
        ("a.tsv", "a,b\tc\n1\t2\n", "\t"),
    ],
    ids=["comma", "semicolon", "tab", "bar", "one column", "tsv"],
)
def test_the_delimiter_is_seen_in_the_header(
    tmp_path: Path, name: str, content: str, delimiter: str
) -> None:
    assert read(tmp_path, name, content).facts["delimiter"] == delimiter


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    table = read(tmp_path, "a.csv", "text,label\ncafé,1\n", encoding)
    assert table.columns == {"text": ["café"], "label": ["1"]}


def test_a_byte_order_mark_is_not_part_of_the_first_name(tmp_path: Path) -> None:
    table = read(tmp_path, "a.csv", b"\xef\xbb\xbftext,label\nx,1\n")
    assert table.names == ("text", "label")


def test_a_value_may_be_longer_than_the_csv_module_likes(tmp_path: Path) -> None:
    table = read(tmp_path, "a.csv", f"text,label\n{'x' * 200_000},1\n")
    assert len(table.columns["text"][0]) == 200_000


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param("", "a.csv is empty, rows with a header were expected", id="empty"),
        pytest.param(
            "\n\n", "a.csv has only blank lines, rows with a header were expected", id="blank"
        ),
        pytest.param("text,label\n", "a.csv has a header (text, label) and no rows", id="header"),
        pytest.param(
            "text,label\na,1\nb,2,3\n",
            "a.csv:3: 3 columns where the header has 2 (text, label)",
            id="too many columns",
        ),
        pytest.param(
            'text,label\n"a\nb",1\nb\n',
            "a.csv:4: 1 columns where the header has 2 (text, label)",
            id="too few columns",
        ),
        pytest.param(
            "text,label,text\na,1,b\n",
            "a.csv:1: column 'text' stands twice in the header",
            id="column twice",
        ),
        pytest.param(
            'text,label\na,1\n"b,2\nc,3\n',
            "a.csv:3: a quote that opens in this row is never closed",
            id="open quote",
        ),
        pytest.param(
            'text,label\n"he said "hi"",1\n',
            "a.csv:2: not valid CSV: ',' expected after '\"'; "
            "quotes inside a value must be doubled",
            id="bare quote",
        ),
        pytest.param(
            b"text,label\na,1\nb\0c,2\n",
            "a.csv:3: NUL character, only text is allowed",
            id="NUL",
        ),
        pytest.param(
            "text,label\nä,1\n".encode("utf-16-le"),
            "a.csv:2: byte 0xe4 at offset 22 is not utf-8, data.encoding: utf-16-le may be right",
            id="utf-16 without a mark",
        ),
        pytest.param(
            "text,label\na,1\n".encode("utf-16"),
            "a.csv:1: byte 0xff at offset 0 is not utf-8, data.encoding: utf-16 may be right",
            id="utf-16",
        ),
        pytest.param(
            b"text,label\nok,1\ncaf\xe9,2\n",
            "a.csv:3: byte 0xe9 at offset 19 is not utf-8, data.encoding: latin-1 may be right",
            id="latin-1",
        ),
        pytest.param(
            b"text,label\nok,1\ncaf\xc3",
            "a.csv:3: byte 0xc3 at offset 19 is not utf-8, data.encoding: latin-1 may be right",
            id="cut off inside a letter",
        ),
    ],
)
def test_a_broken_csv_is_one_sentence(tmp_path: Path, content: str | bytes, sentence: str) -> None:
    assert refusal(tmp_path, "a.csv", content) == sentence


@pytest.mark.parametrize("offset", [0, 1, 2, 3, 4])
def test_the_place_is_right_across_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offset: int
) -> None:
    monkeypatch.setattr(text_file, "PIECE_BYTES", 4)
    content = b"a,b\n" + b"x" * offset + "é".encode() + b",1\n" + b"y\xe9,2\n"
    begin = content.index(b"y\xe9") + 1
    assert refusal(tmp_path, "a.csv", content).startswith(
        f"a.csv:3: byte 0xe9 at offset {begin} is not utf-8"
    )


@pytest.mark.parametrize("encoding", ["klingon", "base64", "", "utf-8\0"])
def test_an_unknown_encoding(tmp_path: Path, encoding: str) -> None:
    assert refusal(tmp_path, "a.csv", "a,b\n1,2\n", encoding) == (
        f"data.encoding {encoding!r} is unknown, allowed: utf-8, latin-1, cp1252, utf-16 and other "
        "names of Python's text codecs"
    )


def test_utf_16_without_a_mark_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, "a.csv", "a,b\n1,2\n".encode("utf-16-le"), "utf-16") == (
        "a.csv: not utf-16: UTF-16 stream does not start with BOM, "
        "data.encoding: utf-16-le may be right"
    )


def test_utf_16_that_is_cut_off_is_not_advised_again(tmp_path: Path) -> None:
    assert refusal(tmp_path, "a.csv", "a,b\n1,2\n".encode("utf-16")[:-1], "utf-16") == (
        "a.csv:2: byte 0x0a at offset 16 is not utf-16, the file is cut off or damaged"
    )


def test_a_header_on_several_lines_is_told_on_one(tmp_path: Path) -> None:
    assert refusal(tmp_path, "a.csv", '"te\nxt",label\n') == (
        "a.csv has a header (te?xt, label) and no rows"
    )


def test_an_encoding_that_the_file_is_not(tmp_path: Path) -> None:
    assert "is not ascii" in refusal(tmp_path, "a.csv", "a,b\né,2\n", "ascii")


def test_json_lines(tmp_path: Path) -> None:
    table = read(tmp_path, "a.jsonl", '{"text": "a\\nb", "label": 1}\n\n{"text": "c", "more": 2}\n')
    assert table.columns == {"text": ["a\nb", "c"], "label": [1, None], "more": [None, 2]}
    assert table.where(1) == "a.jsonl:3"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('{"a": 1}\n{"a": \n', "a.jsonl:2: not JSON (Expecting value: line 2 column 1 (char 7))"),
        ('[{"a": 1}]\n', "a.jsonl:1: an array, one JSON object a line was expected"),
        ("5\n", "a.jsonl:1: int, one JSON object a line was expected"),
        ("\n\n", "a.jsonl has no rows, one JSON object a line was expected"),
        ("{}\n", "a.jsonl has no rows, one JSON object a line was expected"),
        (
            '{"a": "\\ud83d\\ude00"}\n{"a": "\\ud83d!"}\n',
            "a.jsonl:2: '\\ud83d' is half of a surrogate pair, which is not a character",
        ),
        ("[" * 100_000, "a.jsonl:1: not JSON (maximum recursion depth exceeded"),
    ],
    ids=["syntax", "array", "number", "blank", "no fields", "surrogate", "deep"],
)
def test_broken_json_lines(tmp_path: Path, content: str, sentence: str) -> None:
    assert refusal(tmp_path, "a.jsonl", content).startswith(sentence)


def test_parquet(tmp_path: Path) -> None:
    pq.write_table(pa.table({"t": ["a", None], "y": [1.0, 2.0]}), tmp_path / "a.parquet")
    table = read_table(tmp_path / "a.parquet", "utf-8")
    assert table.columns == {"t": ["a", None], "y": [1.0, 2.0]}
    assert table.where(1) == "a.parquet, row 2"


def test_only_the_columns_that_are_asked_for_are_read_from_parquet(tmp_path: Path) -> None:
    pq.write_table(pa.table({"t": ["a"], "y": [1], "z": [2]}), tmp_path / "a.parquet")
    table = read_table(tmp_path / "a.parquet", "utf-8", ["t", "y"])
    assert list(table.columns) == ["t", "y"]
    assert table.names == ("t", "y", "z")


@pytest.mark.parametrize("content", [b"", b"text,label\n", b"PAR1xxxxPAR1"], ids=len)
def test_a_broken_parquet_file(tmp_path: Path, content: bytes) -> None:
    sentence = refusal(tmp_path, "a.parquet", content)
    assert sentence.startswith("a.parquet is not a readable Parquet file: ")
    assert "\n" not in sentence


def test_a_parquet_file_without_rows(tmp_path: Path) -> None:
    pq.write_table(pa.table({"t": pa.array([], pa.string())}), tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=r"a\.parquet has columns \(t\) and no rows"):
        read_table(tmp_path / "a.parquet", "utf-8")


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, "a.xlsx", "") == (
        "a.xlsx: files of rows end in one of .csv, .tsv, .jsonl, .ndjson, .ts, .txt, .md, "
        ".parquet, .zip, .gz"
    )
