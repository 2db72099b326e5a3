"""A sweep in MLflow: a run for each trial below the sweep's own, written behind the search.

The search never waits for MLflow: what it says is queued, and a thread writes it in batches. The
same thread looks for the tag by which a person ends a trial, or the sweep, in the MLflow UI.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlflow.entities import Metric, Param, RunTag

from infra import tracking
from infra.progress import report

log = logging.getLogger(__name__)

STOP = "modelworks.stop"
TRIAL = "trial"
NUMBER = "modelworks.trial"
TOLD = ("after_trial",)
"""Attributes of a trial that its run has: of a population, whose weights it goes on from."""
LOOK_SECONDS = 3.0
"""How often the tag is looked for."""
STATUS: dict[str, tracking.Status] = {
    "COMPLETE": "FINISHED",
    "PRUNED": "KILLED",
    "FAIL": "FAILED",
}


class StopTag:
    """The tag of one run, looked for now and then; who cannot look goes on."""

    def __init__(self, run_id: str) -> None:
        self._run_id, self._looked, self._is_set = run_id, 0.0, False

    def is_set(self) -> bool:
        """Whether somebody has asked for the end."""
        now = time.monotonic()
        if not self._is_set and now - self._looked >= LOOK_SECONDS:
            self._looked = now
            try:
                self._is_set = tracking.get_run(self._run_id).tags.get(STOP) == "true"
            except Exception as error:
                log.warning("MLflow: %s", error)
        return self._is_set


@dataclass
class _News:
    """What is to be written of one trial."""

    params: dict[str, Any] = field(default_factory=dict)
    metrics: list[Metric] = field(default_factory=list)
    end: str = ""


class TrialRuns:
    """Told by the search what happens; writes it to MLflow, and says who is to stop."""

    def __init__(
        self,
        project: str,
        sweep: tracking.TrackedRun,
        *,
        metric: str,
        sign: int,
        cost: Callable[[float, float], dict[str, float]],
        figures: Callable[[Sequence[float]], dict[str, float]],
    ) -> None:
        """Scores of passes times `sign` are `metric`.

        `cost` gives the figures for CPU and GPU seconds, `figures` those for the values of the
        objectives.
        """
        self._project, self._sweep = project, sweep
        self._cost, self._figures = cost, figures
        self._experiment = tracking.experiment_id(project)
        self._metric, self._sign = metric, sign
        self._news: dict[int, _News] = {}
        self._lock = threading.Lock()
        self._wake: queue.Queue[None] = queue.Queue()
        self._over = threading.Event()
        self._stopped: set[int | None] = set()
        earlier = tracking.find_runs(
            project, {tracking.PARENT: sweep.run_id, tracking.ROLE: TRIAL}, limit=10_000
        )
        self._run_ids = {int(run.tags[NUMBER]): run.run_id for run in earlier}
        self._ended = {int(run.tags[NUMBER]) for run in earlier if run.status != "RUNNING"}
        self._known = {
            (int(run.tags[NUMBER]), point.step)
            for run in earlier
            if run.status == "RUNNING"
            for point in tracking.client().get_metric_history(run.run_id, metric)
        }
        self._looked = 0.0
        self._thread = threading.Thread(target=self._write_behind, daemon=True)
        self._thread.start()

    def catch_up(self, trials: Iterable[Any], seconds: str) -> None:
        """Write of ended trials what a process was killed before it had written.

        `seconds` names the attribute with a trial's CPU and GPU seconds.
        """
        for trial in trials:
            if trial.state.name not in STATUS or trial.number in self._ended:
                continue
            self.on_begin(trial)
            for epoch, score in trial.intermediate_values.items():
                self.on_score(trial, epoch, score)
            values = trial.values if trial.state.name == "COMPLETE" else ()
            self._end(trial, trial.state.name, values, *trial.user_attrs.get(seconds, (0.0, 0.0)))

    def on_begin(self, trial: Any) -> None:
        """A trial begins, perhaps again."""
        with self._lock:
            told = {name: trial.user_attrs[name] for name in TOLD if name in trial.user_attrs}
            self._news.setdefault(trial.number, _News()).params = {**trial.params, **told}

    def on_score(self, trial: Any, epoch: int, score: float) -> None:
        """After a pass."""
        if (trial.number, epoch) in self._known:  # said before a kill
            return
        point = Metric(self._metric, self._sign * score, int(time.time() * 1000), epoch)
        with self._lock:
            self._news.setdefault(trial.number, _News()).metrics.append(point)

    def on_end(self, trial: Any, end: Any) -> None:
        """Finished, given up or failed."""
        self._end(trial, end.state.name, end.values, end.cpu_seconds, end.gpu_seconds)

    def on_progress(self, progress: Any) -> None:
        """Tell whoever looks on; MLflow has its runs."""
        report("search_settings", progress.done, progress.total, progress.said)

    def _end(
        self, trial: Any, name: str, values: Sequence[float], cpu_seconds: float, gpu_seconds: float
    ) -> None:
        figures = self._cost(cpu_seconds, gpu_seconds)
        if values:
            figures |= self._figures(values)
        now = int(time.time() * 1000)
        with self._lock:
            news = self._news.setdefault(trial.number, _News())
            news.end = name
            news.metrics += [Metric(each, value, now, 0) for each, value in figures.items()]

    def stopped(self, number: int | None) -> bool:
        """Whether somebody has tagged that trial, or the sweep (None)."""
        return number in self._stopped

    def close(self) -> None:
        """Write what is left; the search is over."""
        self._over.set()
        self._thread.join()
        self._drain()

    def _write_behind(self) -> None:
        while not self._over.wait(0.5):
            try:
                self._look_now_and_then()
                self._drain()
            except Exception as error:  # the search goes on without MLflow; close() tries again
                log.warning("MLflow: %s", error)

    def _drain(self) -> None:
        with self._lock:
            numbers = sorted(self._news)
        for number in numbers:
            with self._lock:
                news = self._news.pop(number)
            try:
                self._look_now_and_then()  # however much there is to write
                self._write(number, news)
            except Exception:
                with self._lock:  # said again, before what was said since
                    since = self._news.get(number, _News())
                    self._news[number] = _News(
                        news.params or since.params,
                        [*news.metrics, *since.metrics],
                        since.end or news.end,
                    )
                raise

    def _write(self, number: int, news: _News) -> None:
        client = tracking.client()
        if number not in self._run_ids:
            tags = {
                tracking.ROLE: TRIAL,
                tracking.PARENT: self._sweep.run_id,
                NUMBER: str(number),
            }
            run = client.create_run(self._experiment, tags=tags, run_name=f"trial-{number}")
            self._run_ids[number] = run.info.run_id
        run_id = self._run_ids[number]
        params = [Param(name, str(value)) for name, value in news.params.items()]
        ended = [RunTag("modelworks.trial_state", news.end.lower())] if news.end else []
        client.log_batch(run_id, news.metrics, params, ended, synchronous=True)
        if news.end:
            client.set_terminated(run_id, STATUS[news.end])

    def _look_now_and_then(self) -> None:
        """Look for the tag, if that was not done just now."""
        now = time.monotonic()
        if now - self._looked >= LOOK_SECONDS:
            self._looked = now
            self._look()

    def _look(self) -> None:
        tagged = tracking.find_runs(self._project, {STOP: "true"})
        by_run = {run_id: number for number, run_id in self._run_ids.items()}
        ids: Mapping[str, int | None] = {**by_run, self._sweep.run_id: None}
        self._stopped |= {ids[run.run_id] for run in tagged if run.run_id in ids}
