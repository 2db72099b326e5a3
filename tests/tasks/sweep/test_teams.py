"""Trials that two workers train: scored, given up, killed and taken up again like any other."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import ray
import torch

from tasks.sweep.config import SearchConfig
from tasks.sweep.passes import OUT_OF_BUDGET, Deadline, passes
from tasks.sweep.saving import Saving
from tasks.sweep.searching import engine_asked_for
from tasks.sweep.shares import Share, places
from tasks.sweep.teams import Teams
from tasks.training.job import TrainingJob, material_of
from tests.tasks.sweep.conftest import changed, dying
from tests.tasks.sweep.test_saving import OneJob, reported

PASSES, PATIENT = 4, 300.0
TWO = Share(cores=2.0, workers=2)


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        # As the stack's: with Ray's own niceness of 15 workers starve beside any other load.
        environment.setenv("RAY_worker_niceness", "0")
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
        yield
        ray.shutdown()


@pytest.fixture
def job(mlp_job: TrainingJob) -> TrainingJob:
    torch.set_num_threads(1)
    # Dropout is drawn on each worker for itself.
    return replace(changed(mlp_job, dropout=0.0), course=replace(mlp_job.course, epochs=PASSES))


def all_cores_are_free(seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if ray.available_resources().get("CPU") == 2.0:  # type: ignore[no-untyped-call]
            return True
        time.sleep(0.1)
    return False


@pytest.mark.timeout(600)
def test_two_workers_make_a_trial_as_one_does(
    job: TrainingJob, saving: Saving, cluster: None
) -> None:
    del cluster
    bench: Any = OneJob(job)
    killed = Teams(bench, 1, TWO, saving)
    killed.begin(0, {})
    assert killed.cores == 2.0
    found = reported(killed, 2, PATIENT)
    cut = killed.wait(0.0)
    assert cut is not None
    assert cut.trouble == OUT_OF_BUDGET
    assert cut.cpu_seconds > killed._going[0].cost.cpu > 0, "what it held since is its cost"
    killed.close()  # the workers wait after a pass, and go
    assert all_cores_are_free(20)
    teams = Teams(bench, 1, TWO, saving)
    teams.begin(0, {})
    assert teams._going[0].earlier.cpu > 0, "what it had used before is not used again"
    assert reported(teams, 2, PATIENT) == found
    found += reported(teams, PASSES - 2, PATIENT)
    while (last := teams.wait(PATIENT)) is None:
        pass
    assert (last.score, last.trouble) == (None, "")
    assert last.cpu_seconds > 0
    whole = passes(job, material_of(job), Deadline())
    assert found == pytest.approx([next(whole) for _ in range(PASSES)], rel=1e-4)
    with pytest.raises(StopIteration) as over:
        next(whole)
    for name, weight in teams.trained(0).items():
        torch.testing.assert_close(weight, over.value.value[name], rtol=1e-3, atol=1e-4)
    teams.end(0)
    teams.close()
    assert all_cores_are_free(20)
    assert saving.of(0).latest() is None


@pytest.mark.timeout(300)
def test_a_team_that_dies_ends_its_trial_alone(
    job: TrainingJob, saving: Saving, cluster: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    del cluster
    for module in ("tasks.training.distributed", "tasks.sweep.teams"):
        monkeypatch.setattr(f"{module}.MAX_FAILURES", 0)  # a start takes seconds
    bench: Any = OneJob(dying(job))
    teams = Teams(bench, 1, TWO, saving)
    teams.begin(0, {})
    while (last := teams.wait(PATIENT)) is None:
        pass
    assert last.score is None
    assert last.trouble.startswith("its workers failed 1 times")
    assert "a process died" in last.trouble
    assert "\n" not in last.trouble
    assert last.cpu_seconds > 0, "what its workers held is its cost"
    teams.end(0)
    teams.close()


@pytest.mark.parametrize(
    "given", [{"engine": "together"}, {"cores": 0.5}, {"sampler": "population"}]
)
def test_what_many_workers_do_not_go_with_is_told(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="workers 2"):
        SearchConfig(workers=2, **given)


def test_a_team_larger_than_the_cluster_is_refused() -> None:
    with pytest.raises(ValueError, match=r"sweep.search.workers 4: the cluster has 2"):
        places(1, Share(4.0, workers=4), {"CPU": 2.0})


def test_a_search_says_who_trains_its_trials() -> None:
    said = ("actors", "in the cluster, each trial by 2 workers")
    assert engine_asked_for(SearchConfig(workers=2)) == said
    assert engine_asked_for(SearchConfig()) is None
