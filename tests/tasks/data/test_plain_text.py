"""Plain text as rows: paragraphs, passages, and what is wrong with a file or a folder."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from flows.project import Project
from tasks.data.config import DataConfig
from tasks.data.dataset import write_dataset
from tasks.data.drift import drift_since
from tasks.data.plain_text import divided, read_plain
from tasks.data.prepare import prepare_rows
from tasks.data.report import data_report
from tasks.data.snapshot import read_split
from tasks.data.source_table import source_digest
from tasks.data.table import Table

BOOK = "\n\n".join(
    f"Chapter {n}\n\nThe {n} days of rain were over.\nWe went home." for n in range(40)
)


def config_of(**data: Any) -> DataConfig:
    return DataConfig.model_validate({"source": "book.txt", "task": "generation", **data})


def test_paragraphs_are_divided_by_empty_lines_and_know_their_line(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbf\r\n  One,\r\ntwo.\r\n \r\n\r\nThree.")
    table = read_plain(tmp_path / "a.txt", "utf-8")
    assert table.columns == {"text": ["  One,\ntwo.", "Three."], "file": ["a.txt", "a.txt"]}
    assert [table.where(row) for row in (0, 1)] == ["a.txt:2", "a.txt:6"]


def test_a_folder_is_all_its_files_by_path_hidden_ones_aside(tmp_path: Path) -> None:
    for name in ("b.md", "a/c.TXT", ".hidden.txt", "a/.git/x.txt", "a/d.csv"):
        (tmp_path / "books" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "books" / name).write_text(BOOK.replace("rain", name))
    prepared = prepare_rows(config_of(source="books"), tmp_path)
    assert set(prepared.table.columns["file"]) == {"a/c.TXT", "b.md"}
    assert prepared.config.inputs == ("text",)
    assert prepared.table.where(82) == "b.md:6"
    before = source_digest(config_of(source="books"), tmp_path)
    (tmp_path / "books" / "b.md").write_text("other")
    assert source_digest(config_of(source="books"), tmp_path) != before


def test_a_packed_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "book.txt.gz").write_bytes(gzip.compress(BOOK.encode()))
    assert len(prepare_rows(config_of(source="book.txt.gz"), tmp_path).table) == 80


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("ab .\n!?é"), max_size=400), st.integers(50, 120))
def test_passages_are_short_and_lose_nothing_but_the_gaps_between_them(
    text: str, most: int
) -> None:
    table = Table(Path("a.csv"), {"text": [text], "other": [7]}, ("text", "other"))
    found = divided(table, "text", most)
    passages = found.columns["text"]
    assert all(len(passage) <= most for passage in passages)
    assert "".join("".join(passages).split()) == "".join(text.split())
    assert found.columns["other"] == [7] * len(passages)
    assert {found.where(row) for row in range(len(found))} <= {"a.csv:1", "a.csv, row 1"}


def test_a_passage_ends_with_a_line_or_a_sentence() -> None:
    table = Table(Path("a.csv"), {"text": ["One two three. " * 20, "ab\n" * 60]}, ("text",))
    passages = divided(table, "text", 100).columns["text"]
    assert all(passage.rstrip().endswith((".", "b")) for passage in passages)


def test_rows_of_a_table_are_divided_too_and_a_missing_cell_is_dropped(tmp_path: Path) -> None:
    lines = [f'"Line {n} of it. {"and more. " * 20}",{n}' for n in range(60)] + [",9"]
    (tmp_path / "a.csv").write_text("\n".join(["words,n", *lines]))
    prepared = prepare_rows(config_of(source="a.csv", passage=100), tmp_path)
    assert prepared.rows.dropped["empty text"] == 1
    assert max(map(len, prepared.inputs["words"])) <= 100
    assert prepared.table.facts["rows_before_division"] == 61


def test_a_snapshot_of_texts_has_no_target(tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text(BOOK)
    prepared = prepare_rows(config_of(), tmp_path)
    write_dataset(prepared, tmp_path)
    rows = read_split(tmp_path, "train", ["text"], "", ())
    assert len(rows) == rows.labels.size > 30
    assert not rows.labels.any()
    report = data_report(prepared)
    assert (report["target"], report["classes"]) == ("", [])
    assert set(drift_since(tmp_path, prepared)) == {"text"}
    # Near-copies stay on one side: every chapter's days are like every other's but for a number.
    assert report["leakage"] == {"groups_in_two_splits": 0, "inputs_in_two_splits": 0}


BAD_FILES: list[tuple[str, bytes, str]] = [
    ("empty", b"", "book.txt is empty, paragraphs of text were expected"),
    ("blank", b"\n \n\t\n", "book.txt has no paragraph, all of its lines are empty"),
    ("latin", "caf\xe9".encode("latin-1"), "byte 0xe9 at offset 3 is not utf-8"),
    ("nul", b"a\0b", "book.txt:1: NUL character"),
    ("one row", b"only this", "1 rows or groups of near-equal rows cannot be divided"),
    ("copies", b"the same again\n\n" * 50, "1 rows or groups of near-equal rows cannot be divided"),
]


@pytest.mark.parametrize(
    ("content", "message"), [b[1:] for b in BAD_FILES], ids=[b[0] for b in BAD_FILES]
)
def test_a_file_that_cannot_be_learned_is_one_sentence(
    tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "book.txt").write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        prepare_rows(config_of(), tmp_path)
    assert "\n" not in str(error.value)


def nothing(folder: Path) -> None:
    (folder / "books").mkdir()


def of_csv(folder: Path) -> None:
    nothing(folder)
    (folder / "books" / "a.csv").write_text("a")


def one_bad(folder: Path) -> None:
    nothing(folder)
    (folder / "books" / "a.txt").write_text(BOOK)
    (folder / "books" / "b.txt").write_text("")


def absent(folder: Path) -> None:
    del folder


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (nothing, "books holds no file that ends in .txt or .md"),
        (of_csv, "books holds no file that ends in .txt or .md"),
        (one_bad, "b.txt is empty, paragraphs of text were expected"),
        (absent, "data.source 'books': no such file"),
    ],
)
def test_a_folder_without_texts_is_one_sentence(
    tmp_path: Path, make: Callable[[Path], None], message: str
) -> None:
    make(tmp_path)
    with pytest.raises(ValueError, match=message):
        prepare_rows(config_of(source="books"), tmp_path)


def test_a_folder_is_for_a_generation_alone(tmp_path: Path) -> None:
    nothing(tmp_path)
    config = DataConfig(source="books", target="mood")
    with pytest.raises(ValueError, match="holds no file of rows"):
        prepare_rows(config, tmp_path)


def test_columns_that_cannot_be_learned(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n3,4\n")
    for inputs, message in (
        ([], "a.csv has no column of free text \\(columns: a, b\\)"),
        (["c"], "data.inputs 'c' is not a column of a.csv"),
    ):
        with pytest.raises(ValueError, match=message):
            prepare_rows(config_of(source="a.csv", inputs=inputs), tmp_path)
    (tmp_path / "b.jsonl").write_text('{"t": "a text it is"}\n{"t": 3}\n')
    with pytest.raises(ValueError, match=r"b.jsonl:2: data.inputs 't' is 3, text was expected"):
        prepare_rows(config_of(source="b.jsonl", inputs=["t"]), tmp_path)


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"data": {"target": "mood"}}, "'mood': task generation has no target, it learns the inputs"),
    ({"data": {"task": "classification"}}, "Field required"),
    ({"data": {"kind": "table"}}, "task generation learns kind text, data.kind is table"),
    ({"data": {"kind": "image"}}, "task generation learns kind text, data.kind is image"),
    ({"data": {"inputs": ["a", "b"]}}, "inputs a, b: task generation learns one column of text"),
    ({"data": {"above": 3}}, "above 3 makes two classes, task generation has none"),
    (
        {"data": {"checks": {"labels": ["a"]}}},
        "checks.labels are classes, task generation has none",
    ),
    ({"data": {"passage": 20}}, "greater than or equal to 50"),
    ({"data": {"passage": 5000}}, "less than or equal to 1000"),
    (
        {"data": {"task": "classification", "target": "a", "passage": 100}},
        "passage is for task generation, data.task is classification",
    ),
    ({"gate": {"metric": "macro_f1"}}, "task generation is proven by bits_saved"),
    (
        {"data": {"task": "classification", "target": "a"}, "gate": {"metric": "bits_saved"}},
        "gate.metric bits_saved: task classification is proven by macro_f1",
    ),
    ({"teacher": {"model": "minilm"}}, "model minilm of teacher learns classification or"),
    ({"students": [{"name": "s", "model": "ngram_bag"}]}, "model ngram_bag of s learns"),
    (
        {
            "data": {"task": "classification", "target": "a"},
            "students": [{"name": "s", "model": "lstm_language"}],
        },
        "model lstm_language of s learns generation, data.task is classification",
    ),
    (
        {"teacher": {"vocab_size": 4000}},
        "vocab_size 2000 of small-transformer must be the teacher's, 4000: they share their tokens",
    ),
    (
        {"teacher": {"max_rows": 100}},
        "max_rows None of small-transformer must be the teacher's, 100: they share their tokens",
    ),
    ({"teacher": {"vocab_size": 200}}, "greater than or equal to 300"),
    ({"teacher": {"width": 100}}, "width 100 must be a multiple of twice the heads, 12"),
    ({"teacher": {"context": 4}}, "greater than or equal to 8"),
    ({"teacher": {"dropout": 1.0}}, "less than 1"),
    ({"teacher": {"model": "lstm_language", "layers": 9}}, "less than or equal to 4"),
    ({"teacher": {"model": "lstm_language", "heads": 2}}, "Extra inputs are not permitted"),
]


@pytest.mark.parametrize(("mistake", "message"), MISTAKES, ids=[m[1][:40] for m in MISTAKES])
def test_a_mistake_in_a_project_of_texts_is_refused(mistake: dict[str, Any], message: str) -> None:
    data = {"source": "book.txt", "task": "generation"} | mistake.get("data", {})
    with pytest.raises(ValidationError, match=message):
        Project.model_validate({"name": "book"} | mistake | {"data": data})


def test_a_project_of_texts_needs_a_name_and_a_source_alone() -> None:
    project = Project.model_validate(
        {"name": "book", "data": {"source": "book.txt", "task": "generation"}}
    )
    assert project.gate.metric == "bits_saved"
    assert project.teacher.model == "causal_transformer"
    again = Project.model_validate(project.model_dump(mode="json"))
    assert again == project
