"""The door to MLflow's tracking: runs found by a key before they are made, written synchronously.

MLflow's client repeats every request that went unanswered, also those that create. So what must
exist once carries its key as a tag, and is looked for before it is made and settled after.
"""

import functools
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, ParamSpec, TypeVar

import requests
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, Run, RunTag, ViewType
from mlflow.exceptions import MlflowException
from mlflow.tracking.context.registry import resolve_tags

from infra.settings import load_settings

RUN_KEY = "modelworks.run_key"
ROLE = "modelworks.role"
PARENT = "mlflow.parentRunId"
BATCH = 1000
PARAM_BATCH = 100
Status = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]
P = ParamSpec("P")
R = TypeVar("R")


class TrackingUnreachable(ConnectionError):
    """MLflow did not answer for as long as its client was ready to wait."""


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """One run as MLflow has it now."""

    run_id: str
    name: str
    status: str
    started_ms: int
    url: str
    tags: dict[str, str]
    params: dict[str, str]
    metrics: dict[str, float]


@contextmanager
def answering() -> Iterator[None]:
    """Turn a server that does not answer into one sentence."""
    try:
        yield
    except (MlflowException, requests.RequestException) as error:
        if isinstance(error, MlflowException) and "failed with exception" not in str(error):
            raise
        raise TrackingUnreachable(
            f"MLflow at {load_settings().mlflow_uri} does not answer: "
            "see `modelworks doctor`, or start it with `modelworks up`"
        ) from error


def door(function: Callable[P, R]) -> Callable[P, R]:
    """Return `function`, saying in one sentence that MLflow does not answer."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        with answering():
            return function(*args, **kwargs)

    return call


@functools.cache
def client() -> MlflowClient:
    """One client a process, which leaves stdout alone; nothing is asked of the server yet."""
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    return MlflowClient(tracking_uri=load_settings().mlflow_uri)


@door
def open_run(
    project: str, run_key: str, name: str, tags: Mapping[str, str], params: Mapping[str, Any]
) -> TrackedRun:
    """The run of `run_key` in the project's experiment, made if need be, RUNNING unless done."""
    return _open(experiment_id(project), run_key, name, tags, params, {})


@door
def child_run(
    parent_id: str,
    run_key: str,
    name: str,
    tags: Mapping[str, str],
    params: Mapping[str, Any],
    metrics: Mapping[str, float] | None = None,
) -> str:
    """Id of the run of `run_key` below the parent, made if need be.

    It has these tags, params and figures then, written in one request where any are new.
    """
    under = {**tags, PARENT: parent_id}
    return _open(_experiment_of(parent_id), run_key, name, under, params, metrics or {}).run_id


@door
def log_metrics(run_id: str, metrics: Mapping[str, float]) -> None:
    """Write the figures that the run does not have yet."""
    add_metrics(run_id, metrics, client().get_run(run_id).data.metrics)


@door
def add_metrics(run_id: str, metrics: Mapping[str, float], stored: Mapping[str, float]) -> None:
    """Write those figures that are not `stored`, which is what the run has."""
    now = _now_ms()
    _write_metrics(run_id, [Metric(k, v, now, 0) for k, v in metrics.items() if stored.get(k) != v])


@door
def log_history(run_id: str, points: Sequence[Mapping[str, float]]) -> None:
    """Write a curve: each point has `step`, `time_ms` since the start, and figures.

    Steps that the run has already are skipped.
    """
    run = client().get_run(run_id)
    names = {name for point in points for name in point} - {"step", "time_ms"}
    stored = {
        (name, metric.step)
        for name in names & run.data.metrics.keys()
        for metric in client().get_metric_history(run_id, name)
    }
    start = run.info.start_time
    fresh = [
        Metric(name, float(point[name]), start + int(point["time_ms"]), int(point["step"]))
        for point in points
        for name in sorted(point.keys() & names)
        if (name, int(point["step"])) not in stored
    ]
    _write_metrics(run_id, fresh)


@door
def log_dataset(run_id: str, name: str, digest: str, uri: str, profile: str) -> None:
    """Record which snapshot the run was made from."""
    dataset = Dataset(name, digest[:36], "s3", f'{{"uri": "{uri}"}}', profile=profile)
    tags = [InputTag("mlflow.data.context", "training")]
    client().log_inputs(run_id, [DatasetInput(dataset, tags)])


@door
def log_files(run_id: str, path: Path, artifact_path: str | None = None) -> None:
    """Store a file, or what a folder holds; the same path is overwritten."""
    if path.is_dir():
        client().log_artifacts(run_id, str(path), artifact_path)
    else:
        client().log_artifact(run_id, str(path), artifact_path)


@door
def set_tags(run_id: str, tags: Mapping[str, str]) -> None:
    """Add to or change the run's tags."""
    client().log_batch(run_id, tags=[RunTag(k, v) for k, v in tags.items()], synchronous=True)


@door
def end_run(run_id: str, status: Status) -> None:
    """Set the run's status, if it has another."""
    if client().get_run(run_id).info.status != status:
        client().set_terminated(run_id, status)


@door
def find_runs(
    project: str, tags: Mapping[str, str], limit: int = 100, compare: str = "="
) -> list[TrackedRun]:
    """Runs of the project that carry all the tags, newest first; by `LIKE`, `%` is anything."""
    experiment = client().get_experiment_by_name(project)
    if experiment is None:
        return []
    return [_tracked(run) for run in _search(experiment.experiment_id, tags, limit, compare)]


@door
def get_run(run_id: str) -> TrackedRun:
    """One run as MLflow has it now."""
    return _tracked(client().get_run(run_id))


@door
def experiment_id(project: str) -> str:
    """Id of the project's experiment, made if need be."""
    if client().get_experiment_by_name(project) is None:
        try:
            client().create_experiment(project)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
    found = client().get_experiment_by_name(project)
    assert found is not None, f"experiment {project} was just made"
    return str(found.experiment_id)


def run_url(experiment: str, run_id: str) -> str:
    """Page of the run for people."""
    return f"{load_settings().mlflow_uri.rstrip('/')}/#/experiments/{experiment}/runs/{run_id}"


def _open(
    experiment: str,
    run_key: str,
    name: str,
    tags: Mapping[str, str],
    params: Mapping[str, Any],
    metrics: Mapping[str, float],
) -> TrackedRun:
    found = _search(experiment, {RUN_KEY: run_key}, 10)
    if not found:
        every = resolve_tags({**_commit_tag(), **tags, RUN_KEY: run_key})
        client().create_run(experiment, tags=every, run_name=name)
        found = _search(experiment, {RUN_KEY: run_key}, 10)
    run, *twins = sorted(found, key=lambda r: (r.info.start_time, r.info.run_id))
    for twin in twins:
        client().delete_run(twin.info.run_id)
    if run.info.status in ("FAILED", "KILLED"):
        client().update_run(run.info.run_id, status="RUNNING")
    _write_missing(run, tags, params, metrics)
    return _tracked(run)


@functools.cache
def _experiment_of(run_id: str) -> str:
    return str(client().get_run(run_id).info.experiment_id)


def _search(experiment: str, tags: Mapping[str, str], limit: int, compare: str = "=") -> list[Run]:
    conditions = " and ".join(f"tags.`{name}` {compare} '{value}'" for name, value in tags.items())
    order = ["attributes.start_time DESC"]
    found = client().search_runs([experiment], conditions, ViewType.ACTIVE_ONLY, limit, order)
    return list(found)


def _write_metrics(run_id: str, metrics: Sequence[Metric]) -> None:
    for start in range(0, len(metrics), BATCH):
        client().log_batch(run_id, metrics=metrics[start : start + BATCH], synchronous=True)


def _write_missing(
    run: Run, tags: Mapping[str, str], params: Mapping[str, Any], metrics: Mapping[str, float]
) -> None:
    """In as few requests as may be; a param that the run has already stays as it is."""
    known, now = run.data, _now_ms()
    texts = {name: str(value)[:6000] for name, value in params.items() if value is not None}
    fresh_tags = [RunTag(n, v) for n, v in tags.items() if known.tags.get(n) != v]
    fresh_params = [Param(n, v) for n, v in texts.items() if n not in known.params]
    fresh = [Metric(n, v, now, 0) for n, v in metrics.items() if known.metrics.get(n) != v]
    starts = range(0, max(len(fresh_params), len(fresh_tags), len(fresh)), PARAM_BATCH)
    for part in (slice(start, start + PARAM_BATCH) for start in starts):
        client().log_batch(
            run.info.run_id, fresh[part], fresh_params[part], fresh_tags[part], synchronous=True
        )


@functools.cache
def _commit_tag() -> dict[str, str]:
    """The commit of our own clone; none when we were installed from a wheel or git is missing."""
    try:
        import git  # raises ImportError itself when the program is missing
    except ImportError:
        return {}
    try:
        commit = git.Repo(Path(__file__).parents[1]).head.commit.hexsha
    except (git.GitError, ValueError, OSError):
        return {}
    return {"mlflow.source.git.commit": commit}


def _tracked(run: Run) -> TrackedRun:
    info = run.info
    return TrackedRun(
        run_id=info.run_id,
        name=info.run_name,
        status=info.status,
        started_ms=info.start_time,
        url=run_url(info.experiment_id, info.run_id),
        tags=dict(run.data.tags),
        params=dict(run.data.params),
        metrics=dict(run.data.metrics),
    )


def _now_ms() -> int:
    return int(time.time() * 1000)
