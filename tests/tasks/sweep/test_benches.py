"""What trials in the cluster ask for, and how many fit."""

import logging
from collections.abc import Iterator

import pytest
import ray

from tasks.sweep.benches import Actors, Share, places
from tasks.sweep.config import SearchConfig
from tasks.training.config import ComputeConfig
from tasks.training.distributed import wants_cuda


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """Two cores, and a GPU that Ray is told of and nobody computes on."""
    ray.init(num_cpus=2, num_gpus=1, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.mark.parametrize(
    ("wanted", "each", "fit"),
    [
        (2, Share(1.0), 2),
        (8, Share(1.0), 2),
        (8, Share(0.25), 8),
        (9, Share(0.25), 8),
        (8, Share(0.5, 0.5), 2),
        (64, Share(0.1, 0.1), 10),
    ],
)
def test_as_many_trials_as_the_cluster_holds(wanted: int, each: Share, fit: int) -> None:
    assert places(wanted, each, {"CPU": 2.0, "GPU": 1.0}) == fit


def test_fewer_than_asked_for_are_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        places(8, Share(1.0), {"CPU": 2.0})
    assert "sweep.search.side_by_side 8: the cluster holds 2 at a time" in caplog.text


def test_what_never_fits_is_refused() -> None:
    with pytest.raises(ValueError, match=r"sweep.search.cores 4: the cluster has 2"):
        places(1, Share(4.0), {"CPU": 2.0})
    with pytest.raises(ValueError, match=r"sweep.search.gpus 0.5: the cluster has 0"):
        places(1, Share(1.0, 0.5), {"CPU": 2.0})


def test_trials_hold_their_share_of_the_cluster(cluster: None) -> None:
    del cluster
    assert wants_cuda(ComputeConfig(workers=1))
    actors = Actors(None, 4, Share(0.25, 0.25))  # type: ignore[arg-type]
    ray.get([bench.end.remote() for bench in actors._free])  # all four have begun
    left = ray.available_resources()  # type: ignore[no-untyped-call]
    assert left["CPU"] == pytest.approx(1.0)
    assert left.get("GPU", 0.0) == pytest.approx(0.0)
    actors.close()


@pytest.mark.parametrize("cores", [0.0, 1.5, 65.0])
def test_cores_are_a_share_or_whole(cores: float) -> None:
    with pytest.raises(ValueError, match="cores"):
        SearchConfig(cores=cores)
