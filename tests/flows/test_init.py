"""`init` guesses, says why, never overwrites, and what it writes loads."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner, Result

from flows.cli.init import app, project_name, quoted
from flows.project_file import load_project, project_schema
from tasks.data.guessing_interactions import most_events
from tasks.data.interactions_config import InteractionsConfig
from tasks.data.item_target import MOST_ANSWERS
from tasks.data.prepare import prepare_rows
from tasks.data.table import Table

WORDS = ("cat", "mat", "dog", "far", "away", "glad", "some", "while", "very", "house", "tree")


def text(row: int) -> str:
    return " ".join(WORDS[(row * k + k) % len(WORDS)] for k in range(3, 11)) + f" {row}"


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def frame(rows: int = 60) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": range(rows),
            "body": [text(row) for row in range(rows)],
            "lang": ["en" if row % 2 else "de" for row in range(rows)],
            "label": [("good", "bad", "so: so #1")[row % 3] for row in range(rows)],
        }
    )


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["init", *arguments], catch_exceptions=True)


def guesses_of(*arguments: str) -> dict[str, dict[str, object]]:
    result = invoke(*arguments, "--json")
    assert result.exception is None, result.exception
    answer = json.loads(result.stdout)
    assert set(answer) == {"project_file", "guesses"}
    return answer["guesses"]


def refusal(*arguments: str) -> str:
    result = invoke(*arguments)
    assert isinstance(result.exception, ValueError), result.output
    return str(result.exception)


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_the_written_project_loads_and_its_data_can_be_prepared(suffix: str) -> None:
    path = Path(f"My Reviews.{suffix}")
    if suffix == "csv":
        frame().to_csv(path, index=False)
    elif suffix == "jsonl":
        frame().to_json(path, orient="records", lines=True)
    else:
        frame().to_parquet(path)
    guesses = guesses_of(str(path))
    assert guesses["target"]["value"] == "label"
    assert guesses["inputs"]["value"] == ["body"]
    project = load_project(Path("my-reviews.yaml"))
    assert project.name == "my-reviews"
    assert project.data.target == "label"
    assert prepare_rows(project.data, Path()).classes == ("bad", "good", "so: so #1")


def test_each_guess_is_a_comment_that_says_why() -> None:
    frame().to_csv("rows.csv", index=False)
    invoke("rows.csv")
    written = Path("rows.yaml").read_text()
    assert "  source: rows.csv\n" in written
    assert "target: label  # its name says so, 3 different values on 60 rows" in written
    assert "also possible: lang (2)" in written
    assert "encoding: utf-8  # every byte of the file is valid utf-8" in written
    assert "# larger shares than usual: 60 rows are few" in written


def test_without_a_usual_name_words_come_before_numbers() -> None:
    frame().rename(columns={"label": "mood"}).assign(flag=[0, 1] * 30, lang="en").to_csv(
        "rows.csv", index=False
    )
    assert guesses_of("rows.csv")["target"]["value"] == "mood"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"]
)
def test_the_encoding_is_found(encoding: str) -> None:
    letter = "\x81é" if encoding == "latin-1" else "é’" if encoding == "cp1252" else "é"
    frame().assign(body=lambda d: d["body"] + letter).to_csv(
        "rows.csv", index=False, encoding=encoding
    )
    assert guesses_of("rows.csv")["encoding"]["value"] == encoding


def test_column_names_that_yaml_would_read_otherwise_are_quoted() -> None:
    renamed = frame().drop(columns=["lang", "id"])
    renamed.columns = ["null", "y: {es}"]
    renamed.to_csv("rows.csv", index=False)
    invoke("rows.csv")
    project = load_project(Path("rows.yaml"))
    assert (project.data.inputs, project.data.target) == (("null",), "y: {es}")


@pytest.mark.parametrize(
    "text",
    ["\U0001f600", "\u00e9", "a\u2028b", "a\x85b", "\xa0", "\ufeffx", "\x7f", '\n\t"\\', "\ufffe"],
    ids=ascii,
)
def test_any_text_is_read_back_from_its_quotes(text: str) -> None:
    assert yaml.safe_load(f"[{quoted(text)}]") == [text]


def test_a_column_may_be_called_by_any_sign() -> None:
    frame().rename(columns={"body": "\U0001f600 body"}).to_csv("rows.csv", index=False)
    assert guesses_of("rows.csv")["inputs"]["value"] == ["\U0001f600 body"]
    assert load_project(Path("rows.yaml")).data.inputs == ("\U0001f600 body",)


def test_a_file_elsewhere_is_written_down_absolutely(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "projects").mkdir()
    frame().to_csv("data/rows.csv", index=False)
    invoke("data/rows.csv", "--out", "projects/rows.yaml")
    assert f"source: {tmp_path}/data/rows.csv\n" in Path("projects/rows.yaml").read_text()


def test_an_existing_project_is_never_overwritten() -> None:
    frame().to_csv("rows.csv", index=False)
    Path("rows.yaml").write_text("mine")
    assert refusal("rows.csv") == (
        "rows.yaml exists and is never overwritten: name another by --out"
    )
    assert Path("rows.yaml").read_text() == "mine"


def test_a_folder_that_does_not_exist() -> None:
    frame().to_csv("rows.csv", index=False)
    assert refusal("rows.csv", "--out", "no/where.yaml") == (
        "--out no/where.yaml: there is no folder no"
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(
            "body,when\n" + "".join(f"{text(i)},{i}\n" for i in range(30)),
            "no column can be the target, which takes 2 to 6 different values, each on at least 3 "
            "rows: 'body' has 30 different values, 'when' has 30 different values",
            id="no target",
        ),
        pytest.param(
            "body,label\n" + "".join(f"{text(i)},{i < 2}\n" for i in range(30)),
            "'label' has only 2 rows of 'True'",
            id="rare class",
        ),
        pytest.param(
            "body,label\n" + "".join(f"{text(i)},yes\n" for i in range(30)),
            "'label' has 1 different value",
            id="one class",
        ),
        pytest.param(
            "code,label\n" + "".join(f"7,{i % 2}\n" for i in range(30)),
            "has no column to predict 'label' from (columns: code, label)",
            id="nothing to predict from",
        ),
        pytest.param(
            f"{text(1) * 4},good\n" + "".join(f"{text(i)},{i % 2}\n" for i in range(30)),
            "the first line must be a header",
            id="no header",
        ),
        pytest.param("", "rows.csv is empty", id="empty"),
    ],
)
def test_a_file_that_cannot_be_guessed_is_refused(content: str, reason: str) -> None:
    Path("rows.csv").write_text(content)
    assert reason in refusal("rows.csv")
    assert not Path("rows.yaml").exists()


def test_a_missing_file_is_named_as_the_argument() -> None:
    assert refusal("gone.csv").startswith("FILE 'gone.csv': no such file")


@pytest.mark.parametrize(
    ("file", "name"),
    [("Tweets 2024.csv", "tweets-2024"), ("über.csv", "ber"), ("!!.csv", "project")],
)
def test_the_name_comes_from_the_file(file: str, name: str) -> None:
    assert project_name(Path(file)) == name


def test_schema_is_one_json_object() -> None:
    assert json.loads(CliRunner().invoke(app, ["schema"]).stdout) == project_schema()


def paragraphs(rows: int = 90) -> str:
    return "\n\n".join(text(row) for row in range(rows))


@pytest.mark.parametrize("name", ["notes.txt", "notes.md", "notes/2024/a.md", "notes.txt.gz"])
def test_plain_text_is_learned_to_be_written_on(name: str) -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = paragraphs().encode()
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    found = guesses_of(path.parts[0])
    assert found["task"] == {
        "value": "generation",
        "why": "plain text has no column to predict",
    }
    written = Path(f"{project_name(Path(path.parts[0]))}.yaml")
    project = load_project(written)
    assert (project.data.target, project.gate.metric) == ("", "bits_saved")
    assert len(prepare_rows(project.data, Path()).rows) > 50


def test_plain_text_of_another_encoding_is_read() -> None:
    Path("alt.txt").write_bytes(paragraphs().replace("cat", "k\xe4tzchen").encode("latin-1"))
    assert guesses_of("alt.txt")["encoding"]["value"] == "cp1252"


def meetings(rows: int = 600, **more: Callable[[int], object]) -> pd.DataFrame:
    """40 users, 60 items, and what else is asked for."""
    columns = {
        "userId": lambda row: f"u{row % 40}",
        "item": lambda row: f"i{(row * 7 + row // 40) % 60}",
    }
    made = {name: [cell(row) for row in range(rows)] for name, cell in (columns | more).items()}
    return pd.DataFrame(made)


def at(row: int) -> int:
    return 1_700_000_000 + row * 60


def stars(row: int) -> int:
    return row * 11 % 5 + 1


def test_ratings_with_a_time_are_predicted_from_older_ones() -> None:
    meetings(rating=stars, genre=lambda row: "ab"[row % 2], timestamp=at).to_csv(
        "seen.csv", index=False
    )
    found = guesses_of("seen.csv")
    assert {name: found[name]["value"] for name in ("kind", "task", "target", "time")} == {
        "kind": "interactions",
        "task": "regression",
        "target": "rating",
        "time": "timestamp",
    }
    assert found["inputs"]["why"].endswith("may stand here: genre")
    project = load_project(Path("seen.yaml"))
    assert project.data.interactions == InteractionsConfig(user="userId", item="item")
    assert project.data.split.time == "timestamp"
    assert project.data.inputs == ("userId", "item")
    assert project.gate.metric == "r2"
    prepare_rows(project.data, Path())


def test_events_with_a_time_are_ranked() -> None:
    meetings(created_at=at).to_csv("seen.csv", index=False)
    assert guesses_of("seen.csv")["task"]["value"] == "ranking"
    project = load_project(Path("seen.yaml"))
    assert (project.data.target, project.data.inputs) == ("item", ("userId",))
    assert (project.data.split.time, project.gate.metric) == ("created_at", "ndcg")
    prepare_rows(project.data, Path())


@pytest.mark.parametrize(
    ("more", "rows", "why"),
    [
        ({"rating": stars}, 600, "at random: no column says when"),
        ({"rating": stars, "time": at}, 200, "at random: too few rows of a user"),
    ],
    ids=["no time", "few rows"],
)
def test_ratings_that_time_cannot_split_are_split_at_random(
    more: dict[str, Callable[[int], object]], rows: int, why: str
) -> None:
    meetings(rows, **more).to_csv("seen.csv", index=False)
    found = guesses_of("seen.csv")
    assert (found["kind"]["value"], found["time"]) == ("interactions", {"value": None, "why": why})
    assert f"    # {why}\n" in Path("seen.yaml").read_text()
    assert load_project(Path("seen.yaml")).data.split.time is None


@pytest.mark.parametrize(
    "more",
    [
        {"churn": lambda row: "yn"[row % 2]},
        {"label": lambda row: "yn"[row % 2], "time": at},
        {"rating": lambda row: "good" if row % 2 else "bad", "label": stars},
        {"price": lambda row: row * 13 % 97 / 7, "date": at},
    ],
    ids=["a class", "a class beside a time", "rated in words", "a price"],
)
def test_users_and_items_that_are_asked_something_else_are_a_table(
    more: dict[str, Callable[[int], object]],
) -> None:
    meetings(**more).to_csv("rows.csv", index=False)
    assert guesses_of("rows.csv")["kind"]["value"] == "table"


def test_users_who_hardly_repeat_are_a_table() -> None:
    meetings(rating=stars).assign(userId=lambda d: d.index.astype(str) + "x").to_csv(
        "rows.csv", index=False
    )
    assert guesses_of("rows.csv")["kind"]["value"] == "table"


def test_of_a_large_catalogue_so_many_events_are_kept_as_a_teacher_can_score() -> None:
    columns = {"user": ["u"] * 60_000, "item": [f"i{row % 2000}" for row in range(60_000)]}
    table = Table(Path("seen.csv"), columns, tuple(columns))
    assert most_events(table, "item") == MOST_ANSWERS // 2000 == 50_000
    few = Table(Path("seen.csv"), {"item": ["a", "b"]}, ("item",))
    assert most_events(few, "item") is None
