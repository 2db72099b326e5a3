"""Trials in warm processes of the cluster: what they hold, and what becomes of one that dies."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import ray
from optuna.storages import InMemoryStorage

from tasks.costs.cost import Prices
from tasks.sweep.benches import Actors
from tasks.sweep.config import SearchConfig, SweepBudget
from tasks.sweep.engine import COST, TROUBLE, Sweep
from tasks.sweep.saving import Saving
from tasks.sweep.shares import Share
from tasks.sweep.space import Dimension, Space
from tasks.sweep.spending import Ledger
from tasks.sweep.study import first_settings, open_study
from tasks.training.config import ComputeConfig
from tasks.training.distributed import wants_cuda
from tasks.training.job import TrainingJob
from tests.tasks.sweep.conftest import Perhaps, dying
from tests.tasks.sweep.test_engine import Watched


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """Two cores, and a GPU that Ray is told of and nobody computes on."""
    ray.init(num_cpus=2, num_gpus=1, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def test_trials_hold_their_share_of_the_cluster(cluster: None) -> None:
    del cluster
    assert wants_cuda(ComputeConfig(workers=1))
    actors = Actors(None, 4, Share(0.25, 0.25))  # type: ignore[arg-type]
    ray.get([bench.end.remote() for bench in actors._free])  # all four have begun
    left = ray.available_resources()  # type: ignore[no-untyped-call]
    assert left["CPU"] == pytest.approx(1.0)
    assert left.get("GPU", 0.0) == pytest.approx(0.0)
    assert (actors.cores, actors.gpus) == (0.25, 0.25), "none runs: what the next will hold"
    actors.close()


@pytest.mark.timeout(300)
def test_a_trial_that_kills_its_processes_fails_alone(
    mlp_job: TrainingJob, saving: Saving, cluster: None, caplog: pytest.LogCaptureFixture
) -> None:
    del cluster
    space: Space = {"a.dies": Dimension(choice=(True, False))}
    config = SearchConfig(sampler="grid", side_by_side=1, pruner="none")
    first = first_settings(config, space, {})
    study = open_study("s", InMemoryStorage(), config, mlp_job.course.epochs, first)
    bench: Any = Perhaps(mlp_job, dying(mlp_job))
    actors = Actors(bench, 1, saving=saving)
    budget, epochs = SweepBudget(trials=2), mlp_job.course.epochs
    ledger = Ledger(budget, Prices(), {}, lambda _: None)
    given: Any = {"watcher": Watched(), "measure": lambda *_: [1.0], "passes": epochs}
    sweep = Sweep(study, space, config, budget, ledger, actors, **given)
    with caplog.at_level(logging.WARNING):
        assert sweep.run() == "every trial was made"
    [died] = [trial for trial in study.trials if trial.params["a.dies"]]
    [other] = [trial for trial in study.trials if not trial.params["a.dies"]]
    assert (died.state.name, other.state.name) == ("FAIL", "COMPLETE")
    assert died.user_attrs[TROUBLE] == "its process died 3 times"
    assert died.user_attrs[COST][0] > 0, "what its processes held is its cost"
    said = [record.getMessage() for record in caplog.records if "died" in record.getMessage()]
    assert [each.rpartition(": ")[0] for each in said] == [
        f"trial {died.number}: its process died, {count} of 3 times" for count in (1, 2, 3)
    ]
    actors.close()


@pytest.mark.parametrize("cores", [0.0, 1.5, 65.0])
def test_cores_are_a_share_or_whole(cores: float) -> None:
    with pytest.raises(ValueError, match="cores"):
        SearchConfig(cores=cores)
