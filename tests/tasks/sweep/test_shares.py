"""What trials hold of the cluster, and how many it holds."""

import logging

import pytest

from tasks.costs.meter import Used
from tasks.sweep.shares import Share, places


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


def test_where_no_trial_runs_the_next_one_counts() -> None:
    each = Share(cores=2.0, gpus=0.5)
    assert [each.of(count) for count in (0, 1, 3)] == [(2.0, 0.5), (2.0, 0.5), (6.0, 1.5)]
    assert each.held(10.0) == Used(20.0, 5.0)
