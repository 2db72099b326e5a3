"""`modelworks sweep` on real services: killed, taken up again, stopped by a tag, recorded."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import mlflow
import optuna
import pytest
from pyarrow.fs import FileSelector
from sqlalchemy.exc import IntegrityError

from tests.stack.killing import kill_when
from tests.stack.test_resume_stack import read_until

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.stack
PROJECT = """
name: {name}
data: {{source: "sklearn://digits", kind: image, target: digit, image: {{size: 8}}, max_rows: 400}}
teacher: {{model: lenet, epochs: 6}}
sweep:
  space:
    teacher.lr: {{log: [0.001, 0.1]}}
    teacher.weight_decay: {{log: [0.0001, 0.1]}}
  search: {{side_by_side: 1, confirm_seeds: 2}}
  budget: {{trials: {trials}}}
"""


def command(folder: Path, name: str, trials: int) -> list[str]:
    path = folder / f"{name}.yaml"
    path.write_text(PROJECT.format(name=name, trials=trials))
    return [sys.executable, "-m", "flows.cli.main", "sweep", str(path), "--json"]


def children(parent: str) -> list[Any]:
    client = mlflow.MlflowClient()
    experiment = client.get_run(parent).info.experiment_id
    return list(client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{parent}'"))


@pytest.fixture(scope="module")
def swept(stack: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    del stack
    run = command(tmp_path_factory.mktemp("sweep"), "swept", 10)
    killed = subprocess.Popen(run, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    read_until(killed, "search_settings")
    time.sleep(1.5)  # wherever that is: the rest must not notice
    killed.kill()
    killed.wait()
    done = subprocess.run(run, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_every_trial_was_made_once(swept: dict[str, Any]) -> None:
    searched = swept["searched"]
    assert searched["ended"] == "every trial was made"
    assert [trial["number"] for trial in searched["trials"]] == list(range(10))


def test_trials_nest_below_their_sweep(swept: dict[str, Any]) -> None:
    runs = children(swept["searched"]["run"]["run_id"])
    assert sorted(int(run.data.tags["modelworks.trial"]) for run in runs) == list(range(10))
    states = {trial["number"]: trial["state"] for trial in swept["searched"]["trials"]}
    for run in runs:
        number = int(run.data.tags["modelworks.trial"])
        assert run.data.tags["modelworks.trial_state"] == states[number]
        assert "teacher.lr" in run.data.params
        assert swept["searched"]["metric"] in run.data.metrics
        assert run.data.metrics["cost/cpu_hours"] > 0


def test_no_score_appears_twice(swept: dict[str, Any]) -> None:
    client, metric = mlflow.MlflowClient(), swept["searched"]["metric"]
    for run in children(swept["searched"]["run"]["run_id"]):
        steps = [point.step for point in client.get_metric_history(run.info.run_id, metric)]
        assert len(steps) == len(set(steps))


def test_the_winner_is_trained_by_other_seeds(swept: dict[str, Any]) -> None:
    assert len(swept["confirmed"]["winner"]) == len(swept["confirmed"]["present"]) == 2
    assert "over 2 new seeds" in swept["confirmed"]["sentence"]


def test_pages_table_and_study_are_kept(swept: dict[str, Any], tmp_path: Path) -> None:
    run_id = swept["searched"]["run"]["run_id"]
    client = mlflow.MlflowClient()
    names = {file.path for file in client.list_artifacts(run_id)}
    assert {"pages", "sweep.json", "what_mattered.txt", "study.db"} <= names
    assert "pages/sweep.html" in {file.path for file in client.list_artifacts(run_id, "pages")}
    client.download_artifacts(run_id, "study.db", str(tmp_path))
    [study] = optuna.get_all_study_summaries(f"sqlite:///{tmp_path / 'study.db'}")
    assert study.n_trials == 10
    assert client.get_run(run_id).data.metrics["cost/cpu_hours"] > 0


def runs_of(project: str) -> dict[str, Any]:
    """The runs of the project's only sweep, by name; its own is `sweep`."""
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name(project)
    runs = client.search_runs([experiment.experiment_id]) if experiment else []
    is_sweep = {run.info.run_id: run.data.tags["modelworks.role"] == "sweep" for run in runs}
    return {"sweep" if is_sweep[run.info.run_id] else run.info.run_name: run for run in runs}


def waited_for(found: Callable[[], bool], seconds: float) -> bool:
    """Whether it came true in that time."""
    deadline = time.monotonic() + seconds
    while not found() and time.monotonic() < deadline:
        time.sleep(0.1)
    return found()


def has_scores(project: str, trial: str) -> bool:
    runs = runs_of(project)
    return trial in runs and bool(runs[trial].data.metrics)


def stop_by_tag(project: str, name: str) -> None:
    run = runs_of(project)[name]
    mlflow.MlflowClient().set_tag(run.info.run_id, "modelworks.stop", "true")


@contextmanager
def long_sweep(folder: Path, name: str) -> Iterator[subprocess.Popen[str]]:
    """A sweep of endless trials, the first of which has begun to learn."""
    run = [*command(folder, name, 500), "--set", "teacher.epochs=4000"]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(run, cwd=ROOT, **pipes) as going:
        try:
            read_until(going, "search_settings")
            assert waited_for(lambda: has_scores(name, "trial-0"), 90)
            yield going
        finally:
            going.kill()


STOP_SECONDS = 10
"""From the tag to the end of what it is on: the promise of the command."""


def test_the_tag_stops_a_trial_and_then_the_sweep(stack: Path, tmp_path: Path) -> None:
    del stack
    name = f"tagged-{uuid4().hex[:8]}"
    with long_sweep(tmp_path, name) as going:
        stop_by_tag(name, "trial-0")
        assert waited_for(lambda: runs_of(name)["trial-0"].info.status == "KILLED", STOP_SECONDS)
        assert waited_for(lambda: has_scores(name, "trial-1"), 60), "the sweep goes on"
        stop_by_tag(name, "sweep")
        began = time.monotonic()
        read_until(going, "record_sweep")
        assert time.monotonic() - began < STOP_SECONDS
        out, _ = going.communicate(timeout=120)
    answer = json.loads(out)
    assert answer["searched"]["ended"] == "stopped by a tag"
    assert [trial["state"] for trial in answer["searched"]["trials"]] == ["pruned", "pruned"]
    assert all(trial["scores"] for trial in answer["searched"]["trials"]), "what it found is kept"
    assert answer["confirmed"] is None, "who wants an end wants no further trainings"


def test_the_tag_stops_a_confirmation(stack: Path, tmp_path: Path) -> None:
    del stack
    name = f"unconfirmed-{uuid4().hex[:8]}"
    long = ("sweep.search.confirm_seeds=16", "teacher.epochs=40")
    run = [*command(tmp_path, name, 1), *(word for each in long for word in ("--set", each))]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(run, cwd=ROOT, **pipes) as going:
        read_until(going, "confirm_settings")
        time.sleep(3)
        stop_by_tag(name, "sweep")
        began = time.monotonic()
        read_until(going, "record_sweep")
        assert time.monotonic() - began < STOP_SECONDS
        out, _ = going.communicate(timeout=120)
    answer = json.loads(out)
    assert (answer["searched"]["ended"], answer["confirmed"]) == ("stopped by a tag", None)
    assert answer["searched"]["best"], "what it found is kept"
    assert runs_of(name)["sweep"].data.tags["modelworks.stop"] == "false", "it may go on"


def modelworks(*arguments: str) -> dict[str, Any]:
    words = [sys.executable, "-m", "flows.cli.main", *arguments, "--json"]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_a_sweep_is_listed_and_stopped_like_a_retraining(stack: Path, tmp_path: Path) -> None:
    del stack
    name = f"ended-{uuid4().hex[:8]}"
    with long_sweep(tmp_path, name) as going:
        [listed] = [run for run in modelworks("runs")["runs"] if run["project"] == name]
        assert (listed["flow"], listed["state"]) == ("sweep", "Running")
        threading.Thread(target=going.stderr.read, daemon=True).start()  # type: ignore[union-attr]
        assert modelworks("stop", name)["stopped"] == listed["id"]
        assert going.wait(30) == 130
    [listed] = [run for run in modelworks("runs")["runs"] if run["project"] == name]
    assert listed["state"] == "Cancelled"
    assert runs_of(name)["sweep"].info.status == "KILLED"


@pytest.mark.timeout(900)
def test_a_retraining_searches_once_and_says_what_it_made_of_it(
    stack: Path, tmp_path: Path
) -> None:
    del stack
    command(tmp_path, name := f"searching-{uuid4().hex[:8]}", 3)
    given = [str(tmp_path / f"{name}.yaml"), "--set", "sweep.search.when=once"]
    first = modelworks("run", *given)
    choice, run = first["choice"], mlflow.MlflowClient().get_run(first["run_id"])
    assert run.data.tags["modelworks.settings"] == choice["reason"]
    assert run.data.tags["modelworks.sweep"] == choice["run"]["run_id"]
    assert "the sweep's winner over 2 new seeds" in choice["reason"]
    assert ("those of the file stay" in choice["reason"]) == (not choice["values"])
    taken = {name: run.data.params[name] for name in choice["values"]}
    assert taken == {name: str(value) for name, value in choice["values"].items()}
    other_rows = modelworks("run", *given, "--set", "data.max_rows=380")
    states = {step["name"]: step["state"] for step in other_rows["steps"]}
    assert states["train_teacher"] == "ran"
    assert states["search_settings"] == states["confirm_settings"] == "cached"
    assert other_rows["choice"] == choice
    spent = other_rows["spent"]
    assert 0 < spent["now"]["cpu_hours"] < spent["whole"]["cpu_hours"], "the search was earlier"


def test_two_writers_of_one_journal_are_refused(stack: Path) -> None:
    del stack
    from infra.journal import sweep_storage

    name = uuid4().hex
    with suppress(IntegrityError), sweep_storage(name) as first:
        study = optuna.create_study(study_name="one", storage=first)
        first._backend.flush()
        with sweep_storage(name) as second:
            optuna.load_study(study_name="one", storage=second).ask()
        study.ask()  # its number is taken
        with pytest.raises(IntegrityError):
            first._backend.flush()


def test_trials_that_mlflow_never_heard_of_are_written_later(stack: Path) -> None:
    del stack
    from infra import tracking
    from infra.trial_runs import TrialRuns

    study = optuna.create_study()
    for value in (1.0, 2.0):
        trial = study.ask()
        trial.suggest_float("teacher.lr", 0.1, 1)
        trial.report(value, 1)
        trial.set_user_attr("seconds", [3.6, 0.0])
        study.tell(trial, value)
    key = uuid4().hex
    for _ in range(2):  # as by two processes: the second finds all of it there
        run = tracking.open_run("caught-up", key, "sweep", {}, {})
        runs = TrialRuns(
            "caught-up",
            run,
            metric="valid/loss",
            sign=-1,
            cost=lambda cpu, gpu: {"cost/cpu_hours": (cpu + gpu) / 3600},
            figures=lambda values: {"size/bytes": values[0]},
        )
        runs.catch_up(study.trials, "seconds")
        runs.close()
    found = {run.data.tags["modelworks.trial"]: run for run in children(run.run_id)}
    assert set(found) == {"0", "1"}
    assert {run.info.status for run in found.values()} == {"FINISHED"}
    figures = {"valid/loss": -2.0, "cost/cpu_hours": 0.001, "size/bytes": 2.0}
    assert found["1"].data.metrics == figures


LASTING = """
name: {name}
data: {{source: "sklearn://digits", kind: image, target: digit, image: {{size: 8}}, max_rows: 800}}
teacher: {{model: lenet, epochs: 40, lr: 0.003}}
sweep:
  space: {{teacher.weight_decay: {{log: [0.0001, 0.1]}}}}
  search: {{engine: actors, side_by_side: 1, sampler: random, pruner: none, confirm_seeds: 1,
    save_seconds: 1}}
  budget: {{trials: 1}}
"""


def test_a_killed_trial_goes_on_from_its_last_pass(stack: Path, tmp_path: Path) -> None:
    del stack
    from infra.storage import arrow_filesystem, open_storage

    def saved() -> list[str]:
        place = FileSelector(
            f"{open_storage().bucket}/checkpoints", recursive=True, allow_not_found=True
        )
        files = [info.path for info in arrow_filesystem().get_file_info(place)]
        return [path for path in files if path.endswith("manifest.json") and "/0/" in path]

    path = tmp_path / "lasting.yaml"
    path.write_text(LASTING.format(name="lasting"))
    run = [sys.executable, "-m", "flows.cli.main", "sweep", str(path), "--json"]
    kill_when(saved, run, ROOT, "it was saved", 120)
    before = {int(each.split("/")[-2]) for each in saved()}
    done = subprocess.run(run, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    [trial] = json.loads(done.stdout)["searched"]["trials"]
    path.write_text(LASTING.format(name="undisturbed"))
    whole = subprocess.run(run, capture_output=True, text=True, cwd=ROOT, check=False)
    [other] = json.loads(whole.stdout)["searched"]["trials"]
    assert trial["values"] == other["values"]
    assert trial["scores"] == other["scores"]
    assert before
    assert min(before) > 0
    assert saved() == []  # nothing is kept of what is over
