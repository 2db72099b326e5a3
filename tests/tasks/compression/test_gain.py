"""A model made smaller that is neither smaller nor faster is refused by its name."""

import pytest

from tasks.artifacts import Candidate, Cost, EvalReport, Latency, Role
from tasks.compression.config import QuantizeConfig
from tasks.compression.gain import each_once, idle_of, is_made, shrunk_from


@pytest.mark.parametrize(
    ("size_bytes", "p50", "is_idle"),
    [(940, 10.0, False), (960, 10.0, True), (1000, 9.4, False), (1200, 9.6, True)],
    ids=["smaller", "hardly smaller", "faster", "larger and hardly faster"],
)
def test_what_gains_nothing_is_refused(size_bytes: int, p50: float, is_idle: bool) -> None:
    candidates = [
        candidate("teacher", "teacher", None, 1000),
        candidate("teacher-pruned", "pruned", "teacher", size_bytes),
        candidate("teacher-pruned-control", "control", "teacher", size_bytes),
        candidate("teacher-pruned-int8", "compressed", "teacher-pruned", 300),
    ]
    found = idle_of(candidates, [cost(10.0), cost(p50), cost(p50), cost(2.0)])
    assert list(found) == (["teacher-pruned", "teacher-pruned-int8"] if is_idle else [])


def test_the_sentence_has_both_figures_of_both() -> None:
    candidates = [
        candidate("bag", "student", "teacher", 1000),
        candidate("bag-pruned", "pruned", "bag", 990),
    ]
    assert idle_of(candidates, [cost(1.0), cost(0.98)]) == {
        "bag-pruned": "bag-pruned: 990 bytes and p50 0.98 ms, neither 5% smaller nor faster beyond "
        "the noise of 5% than bag (1000 bytes, 1 ms)"
    }


def test_a_form_that_only_seems_faster_is_refused_alone() -> None:
    """What an A/A check finds between the same bundle and itself is no gain."""
    candidates = [
        candidate("bag", "student", "teacher", 1000),
        candidate("bag-int8", "compressed", "bag", 400),
        candidate("bag-int8-static", "compressed", "bag", 990),
    ]
    costs = [cost(1.0, noise=0.1), cost(1.2, noise=0.1), cost(0.85, noise=0.1)]
    assert list(idle_of(candidates, costs)) == ["bag-int8-static"]
    quiet = [cost(1.0, noise=0.05), cost(1.2, noise=0.1), cost(0.85, noise=0.05)]
    assert idle_of(candidates, quiet) == {}


def test_a_form_that_is_another_one_s_bundle_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """As int8 that may keep layers in float is int8, where it had to keep none."""
    int8 = candidate("bag-int8", "compressed", "bag", 400)
    mixed = int8.model_copy(update={"name": "bag-int8-mixed"})
    static = candidate("bag-int8-static", "compressed", "bag", 400)
    assert each_once([int8, mixed, static]) == [int8, static]
    assert "bag-int8-mixed is the same bundle as bag-int8" in caplog.text


@pytest.mark.parametrize(
    ("chosen", "line"),
    [
        ("bag", []),
        ("bag-int8", ["bag", "bag-int8"]),
        ("teacher-pruned", ["teacher", "teacher-pruned"]),
        ("teacher-pruned-int8", ["teacher", "teacher-pruned", "teacher-pruned-int8"]),
    ],
)
def test_what_was_shrunk_is_seen_beside_what_was_whole(chosen: str, line: list[str]) -> None:
    candidates = [
        candidate("teacher", "teacher", None, 1000),
        candidate("bag", "student", "teacher", 500),
        candidate("teacher-pruned", "pruned", "teacher", 600),
        candidate("teacher-pruned-int8", "compressed", "teacher-pruned", 300),
        candidate("bag-int8", "compressed", "bag", 200),
    ]
    reports = [report(each) for each in candidates]
    (asked,) = (each for each in candidates if each.name == chosen)
    assert [each.candidate.name for each in shrunk_from(asked, reports)] == line


def test_what_was_trained_for_a_form_is_made_in_that_form_alone() -> None:
    plain, aware = (QuantizeConfig.model_validate({"aware": value}) for value in (False, True))
    student = candidate("bag", "student", "teacher", 1000)
    trained = candidate("bag-int8-aware", "compressed", "bag", 1000)
    trained = trained.model_copy(update={"form": "int8-aware"})
    control = trained.model_copy(update={"name": "bag-int8-aware-control", "role": "control"})
    alone = candidate("bag-control", "control", None, 1000)
    found = [[is_made(c, f) for f in (plain, aware)] for c in (student, trained, control, alone)]
    assert found == [[True, False], [False, True], [False, True], [False, False]]


def test_zeros_alone_are_refused_however_fast_they_seem() -> None:
    sparse = candidate("bag-pruned", "pruned", "bag", 1_000_000).model_copy(
        update={"zeros": 0.5, "zipped_bytes": 580_000}
    )
    candidates = [
        candidate("bag", "student", "teacher", 1_000_000),
        sparse,
        candidate("bag-pruned-int8", "compressed", "bag-pruned", 300_000),
    ]
    found = idle_of(candidates, [cost(1.0), cost(0.5), cost(0.4)])
    assert found == {
        "bag-pruned": "bag-pruned: 50% of the weights of its products are zeros, which this "
        "runtime keeps and multiplies by like any others: no faster, and smaller in a zip archive "
        "alone (0.58 of 1.00 MB); bag is as large and as fast",
        "bag-pruned-int8": "bag-pruned-int8: bag-pruned is refused, so is this",
    }


def test_zeros_beside_parts_that_went_are_judged_as_any_other() -> None:
    about = {"zeros": 0.5, "zipped_bytes": 300, "params": 0}
    both = candidate("bag-pruned", "pruned", "bag", 600).model_copy(update=about)
    int8 = candidate("bag-pruned-int8", "compressed", "bag-pruned", 200).model_copy(update=about)
    candidates = [candidate("bag", "student", "teacher", 1000), both, int8]
    assert idle_of(candidates, [cost(1.0), cost(1.0), cost(0.9)]) == {}


def candidate(name: str, role: Role, parent: str | None, size_bytes: int) -> Candidate:
    return Candidate(
        name=name,
        role=role,
        parent=parent,
        uri=f"s3://modelworks/bundles/{name}/",
        sha256=name.ljust(64, "0"),
        size_bytes=size_bytes,
        params=1,
        model_sha256="1" * 64,
    )


def cost(p50: float, noise: float = 0.025) -> Cost:
    latency = Latency(p50=p50, p95=2 * p50, noise=noise)
    return Cost(latency_ms=latency, rows_per_second=1.0, peak_memory_mb=1.0)


def report(about: Candidate) -> EvalReport:
    return EvalReport(
        candidate=about,
        split="valid",
        rows=1,
        metrics={},
        confusion=(),
        predictions_uri="",
        cost=cost(1.0),
    )
