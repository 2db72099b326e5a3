from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tasks.artifacts import Decision, EvalReport
from tasks.promotion.config import GatePolicy, PromoteConfig
from tasks.promotion.entries import Bar, Standing
from tasks.promotion.gate import Contender, Evidence, decide
from tasks.promotion.selection import Selection

Make = Callable[..., EvalReport]
Predictions = Callable[..., np.ndarray]


@pytest.fixture
def gate(report: Make, truth: np.ndarray, predictions: Predictions) -> Callable[..., Decision]:
    """Decide from (name, accuracy, costs) triples; seeds differ so that errors do."""

    def contender(name: str, accuracy: float, seed: int = 0, **costs: Any) -> Contender:
        answers = np.eye(3)[predictions(accuracy, seed)]
        return Contender(report(name, split="test", **costs), answers)

    def run(
        candidate: Contender, champion: Contender | None, baseline: Contender, **facts: Any
    ) -> Decision:
        selection = Selection(
            name=candidate.name,
            sha256=candidate.sha256,
            fits=facts.get("fits", True),
            baseline_sha256=baseline.sha256,
            baseline_fits=facts.get("baseline_fits", True),
            reason="chosen",
            checks=(),
        )
        standing = Standing(
            champion=champion.report.candidate if champion else None,
            version=3 if champion else None,
            generation=1 if champion else 0,
            barred=facts.get("barred", ()),
            unasked=facts.get("unasked", ""),
        )
        champion = None if standing.unasked else champion
        evidence = Evidence(
            truth=truth, classes=3, candidate=candidate, baseline=baseline, champion=champion
        )
        policy = facts.get("policy", GatePolicy(resamples=500))
        promote = PromoteConfig(approval=facts.get("approval", "none"))
        return decide(policy, promote, selection, standing, evidence)

    run.contender = contender  # type: ignore[attr-defined]
    return run


def passed(decision: Decision) -> dict[str, bool]:
    return {check.name: check.passed for check in decision.checks}


def test_a_better_candidate_is_promoted(gate: Any) -> None:
    new, old = gate.contender("new", 0.80), gate.contender("old", 0.70)
    decision = gate(new, old, gate.contender("base", 0.6, role="baseline"))
    assert decision.verdict == "promoted"
    assert decision.candidate == "new"
    assert decision.champion_sha256 == old.sha256
    assert decision.reason.startswith(
        "new is better than the champion old (version 3): macro_f1 +0.0998"
    )
    assert passed(decision)["better"]


@pytest.mark.parametrize("seed", range(12))
def test_noise_is_not_promoted_more_than_its_confidence(gate: Any, seed: int) -> None:
    new, old = gate.contender("new", 0.70, seed), gate.contender("old", 0.70, seed + 100)
    decision = gate(new, old, gate.contender("base", 0.6, role="baseline"))
    assert decision.verdict == "held"
    assert "new is not proven better than the champion old (version 3)" in decision.reason


def test_a_worse_candidate_is_held_even_if_cheaper(gate: Any) -> None:
    new = gate.contender("new", 0.65, p50=0.1, size_bytes=1000)
    decision = gate(new, gate.contender("old", 0.70), gate.contender("base", 0.6))
    assert decision.verdict == "held"
    assert not passed(decision)["not worse"]


def test_the_champion_itself_is_held(gate: Any) -> None:
    same = gate.contender("same", 0.7)
    decision = gate(same, same, gate.contender("base", 0.1))
    assert (decision.verdict, decision.reason) == ("held", "same is the champion already")


def test_an_equal_model_of_equal_cost_is_held(gate: Any) -> None:
    """Another bundle with the same answers: a tie is never a reason."""
    decision = gate(
        gate.contender("twin", 0.7), gate.contender("old", 0.7), gate.contender("base", 0.1)
    )
    assert decision.verdict == "held"


@pytest.mark.parametrize(
    ("costs", "verdict"),
    [
        ({"p50": 0.5}, "promoted"),
        ({"size_bytes": 500_000}, "promoted"),
        ({"p50": 0.96}, "held"),
        ({"p50": 0.5, "size_bytes": 1_040_000}, "promoted"),
        ({"p50": 0.5, "size_bytes": 1_060_000}, "held"),
        ({"p50": 1.06, "size_bytes": 500_000}, "held"),
    ],
    ids=["faster", "smaller", "by-4-percent", "size-up-4", "size-up-6", "slower-but-smaller"],
)
@pytest.mark.parametrize("margin", [0.0, 0.01], ids=["no-margin", "margin"])
def test_the_same_answers_for_less_are_promoted(
    gate: Any, costs: dict[str, Any], verdict: str, margin: float
) -> None:
    decision = gate(
        gate.contender("new", 0.7, **costs),
        gate.contender("old", 0.7),
        gate.contender("base", 0.1),
        policy=GatePolicy(resamples=500, margin=margin),
    )
    assert decision.verdict == verdict


@pytest.mark.parametrize(
    ("costs", "verdict"),
    [
        ({"p50": 0.85, "noise": 0.04}, "promoted"),
        ({"p50": 0.85, "noise": 0.12}, "held"),
        ({"p50": 0.85, "noise": 0.12, "size_bytes": 500_000}, "promoted"),
        ({"p50": 1.0, "noise": 0.12, "size_bytes": 940_000}, "promoted"),
    ],
    ids=["beyond", "within", "within-but-smaller", "noise-is-none-of-size"],
)
def test_less_time_counts_beyond_the_noise_of_both(
    gate: Any, costs: dict[str, Any], verdict: str
) -> None:
    new, old = gate.contender("new", 0.7, **costs), gate.contender("old", 0.7, noise=0.05)
    decision = gate(new, old, gate.contender("base", 0.1))
    assert decision.verdict == verdict
    within = "p50 0.85 ms against 1 ms, -15 %, within the noise of 17 %"
    said = next(check.detail for check in decision.checks if check.name == "cheaper")
    assert (within in said) == (costs["p50"] < 1 and costs["noise"] > 0.1)


def test_cheaper_is_no_reason_when_the_policy_says_better(gate: Any) -> None:
    decision = gate(
        gate.contender("new", 0.7, p50=0.1),
        gate.contender("old", 0.7),
        gate.contender("base", 0.1),
        policy=GatePolicy(resamples=500, when="better"),
    )
    assert decision.verdict == "held"
    assert "cheaper" not in passed(decision)


def test_without_a_champion_the_baseline_is_the_opponent(gate: Any) -> None:
    decision = gate(gate.contender("new", 0.8), None, gate.contender("base", 0.7))
    assert (decision.verdict, decision.candidate) == ("promoted", "new")
    assert decision.champion_sha256 is None


def test_the_baseline_becomes_first_champion_when_nothing_beats_it(gate: Any) -> None:
    base = gate.contender("base", 0.7, 1)
    decision = gate(gate.contender("new", 0.7, 2), None, base)
    assert (decision.verdict, decision.candidate) == ("promoted", "base")
    assert decision.candidate_sha256 == base.sha256
    assert decision.reason.startswith(
        "the baseline base becomes the first champion: "
        "new is not proven better than the baseline base"
    )


def test_a_baseline_beyond_the_budget_does_not(gate: Any) -> None:
    decision = gate(
        gate.contender("new", 0.7, 2), None, gate.contender("base", 0.7, 1), baseline_fits=False
    )
    assert decision.verdict == "held"
    assert decision.reason.endswith("and the baseline does not fit the budget")


def test_a_selected_baseline_is_the_first_champion(gate: Any) -> None:
    base = gate.contender("base", 0.7)
    decision = gate(base, None, base)
    assert (decision.verdict, decision.reason) == ("promoted", "the first champion: chosen")


def test_nothing_that_fits_is_held(gate: Any) -> None:
    decision = gate(gate.contender("new", 0.9), None, gate.contender("base", 0.1), fits=False)
    assert (decision.verdict, decision.reason) == ("held", "chosen")


def test_a_bundle_that_was_sent_away_is_held(gate: Any) -> None:
    new = gate.contender("new", 0.9)
    bar = Bar(sha256=new.sha256, sentence="rolled back by ann on 2026-11-21: slow")
    decision = gate(new, gate.contender("old", 0.6), gate.contender("base", 0.1), barred=(bar,))
    assert decision.verdict == "held"
    assert decision.reason == "new was rolled back by ann on 2026-11-21: slow"


def test_a_champion_that_cannot_be_asked_keeps_its_place(gate: Any) -> None:
    new, old = gate.contender("new", 0.9), gate.contender("old", 0.6)
    why = "it reads carrier, none of tonight's inputs (data.inputs)"
    decision = gate(new, old, gate.contender("base", 0.1), unasked=why)
    assert decision.verdict == "held"
    assert decision.champion_sha256 == old.sha256
    assert decision.reason == (
        "the champion old (version 3) cannot be asked: it reads carrier, none of "
        "tonight's inputs (data.inputs); new takes its place by `modelworks promote` alone"
    )


def test_approval_makes_it_wait(gate: Any) -> None:
    decision = gate(
        gate.contender("new", 0.8),
        gate.contender("old", 0.7),
        gate.contender("base", 0.6),
        approval="one",
    )
    assert decision.verdict == "waiting"
    assert decision.reason.startswith("waits for approval: new is better than the champion old")
