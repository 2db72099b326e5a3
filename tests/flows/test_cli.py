"""Misuse of the command line: one sentence, exit code 2, nothing written."""

import warnings
from pathlib import Path

import pytest

from flows.cli import run
from flows.cli.main import app, guarded
from flows.cli.run import sampled
from flows.project import Project
from infra.stack import StackError

PROJECT = """\
name: {name}
data: {{source: {source}, target: {target}, encoding: {encoding}}}
"""
ROWS = "text,label\n" + "".join(f"row number {i} of these,{'ab'[i % 2]}\n" for i in range(60))


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = guarded(lambda: app(list(arguments), standalone_mode=False))
    said = capsys.readouterr()
    return code, said.out, " ".join(said.err.split())


def write(folder: Path, rows: str | bytes = ROWS, **fields: str) -> Path:
    data = folder / "rows.csv"
    data.write_bytes(rows.encode() if isinstance(rows, str) else rows)
    words = {"name": "demo", "source": "rows.csv", "target": "label", "encoding": "utf-8"}
    path = folder / "project.yaml"
    path.write_text(PROJECT.format(**(words | fields)))
    return path


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MODELWORKS_HOME", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("rows", "fields", "words"),
    [
        ("", {}, "rows.csv"),
        ("text,label\n", {}, "rows.csv"),
        ("text,label\nx,a\ny,a\n" * 40, {}, "label"),
        (ROWS + "too,many,columns\n", {}, "rows.csv:62"),
        (b"text,label\n" + b"caf\xe9,a\nbar,b\n" * 40, {}, "encoding"),
        (ROWS, {"target": "labl"}, "label"),
        (ROWS, {"source": "missing.csv"}, "missing.csv"),
        (ROWS, {"source": "nothing"}, "director"),
        (ROWS, {"name": "../up"}, "name"),
        (ROWS, {"encoding": "klingon"}, "klingon"),
    ],
    ids=[
        "empty file",
        "header only",
        "one class",
        "too many columns",
        "not utf-8",
        "unknown target",
        "missing file",
        "a directory",
        "a name that climbs",
        "unknown encoding",
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_written(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    rows: str | bytes,
    fields: dict[str, str],
    words: str,
) -> None:
    project = write(tmp_path, rows, **fields)
    (tmp_path / "nothing").mkdir()
    before = sorted(tmp_path.rglob("*"))
    code, out, err = call(capsys, "run", str(project), "--json")
    assert code == 2, err
    assert words in err
    assert "Traceback" not in err
    assert out == ""
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "arguments",
    [("run",), ("no-such-command",), ("run", "missing.yaml"), ("runs", "--limit", "0"), ("stop",)],
    ids=lambda words: " ".join(words),
)
def test_misuse_has_exit_code_2(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    code, out, err = call(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")


@pytest.mark.parametrize("command", ["runs", "status", "down"])
def test_a_command_without_a_home_says_how_to_make_one(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    code, _, err = call(capsys, command)
    assert code == 2
    assert "modelworks up" in err


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (ValueError("teacher.epochs 0: must be above 0"), 2, "must be above 0"),
        (StackError("mlflow does not answer"), 1, "mlflow does not answer"),
        (OSError(28, "No space left on device", "/data"), 1, "no space left on the disk of /data"),
        (KeyboardInterrupt(), 130, "goes on from"),
        (RuntimeError("first line\nsecond"), 1, "first line"),
    ],
    ids=["bad input", "service down", "disk full", "ctrl-c", "anything else"],
)
def test_every_failure_is_a_sentence(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, words: str
) -> None:
    def fails() -> None:
        raise error

    assert guarded(fails) == code
    err = " ".join(capsys.readouterr().err.split())
    assert words in err
    assert "second" not in err


def test_ctrl_c_in_a_command_says_how_to_go_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> Project:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "load_project", interrupted)
    code, out, err = call(capsys, "run", "project.yaml")
    assert (code, out) == (130, "")
    assert "goes on from" in err


def test_a_sample_has_a_name_of_its_own_and_fewer_rows() -> None:
    project = Project.model_validate({"name": "x", "data": {"source": "s.csv", "target": "y"}})
    sample = sampled(project, 500)
    assert sample.compress == project.compress
    distil = project.compress.distil.model_copy(update={"unlabelled": "more.csv"})
    compress = project.compress.model_copy(update={"distil": distil})
    with_more = sampled(project.model_copy(update={"compress": compress}), 500)
    assert with_more.compress.distil.most_unlabelled == 500
    assert (sample.name, sample.data.max_rows) == ("x-sample", 500)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # pydantic warns of values of another type than the field's
        sample.model_dump(mode="json")
    with pytest.raises(ValueError, match="--sample 5: must be at least 200 rows"):
        sampled(project, 5)


def test_a_sample_trains_for_a_few_epochs_and_an_estimator_as_ever() -> None:
    given = {
        "name": "x",
        "data": {"source": "s", "kind": "image", "target": "y"},
        "teacher": {"model": "sklearn", "estimator": "linear_model.LogisticRegression"},
        "students": [
            {"name": "long", "model": "lenet", "epochs": 80},
            {"name": "short", "model": "lenet", "epochs": 3},
        ],
    }
    project = Project.model_validate(given)
    sample = sampled(project, 200)
    assert [student.epochs for student in sample.students] == [run.SAMPLE_EPOCHS, 3]
    assert sample.teacher == project.teacher
