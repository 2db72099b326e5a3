"""May the candidate replace the champion? Numbers in, decision out.

Promoted when the interval of the difference lies above zero, or, if the policy says so, when the
candidate is not worse by more than the margin and measurably cheaper: median latency or size more
than 5 % lower, and neither of the two more than 5 % higher. A latency counts as lower only beyond
the noise of both measurements. A tie is never a reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.artifacts import Candidate, Check, Decision, EvalReport
from tasks.evaluation.confusions import Metric
from tasks.promotion.bits import bits_difference
from tasks.promotion.config import GatePolicy, PromoteConfig
from tasks.promotion.entries import Standing
from tasks.promotion.explained import r2_difference
from tasks.promotion.proof import Difference, paired_difference
from tasks.promotion.ranking import auc_difference
from tasks.promotion.recommending import ndcg_difference
from tasks.promotion.selection import Selection

CHEAPER_BY = 0.05
"""Latency of one bundle varies by a few percent between two measurements."""


Answers = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Contender:
    """One bundle on the holdout: its figures, and its answer to each row [rows, C]."""

    report: EvalReport
    answers: Answers

    @property
    def predicted(self) -> Answers:
        """The likeliest class of each row."""
        return np.asarray(self.answers.argmax(axis=1), dtype=np.int64)

    @property
    def numbers(self) -> Answers:
        """Of a regression."""
        return np.asarray(self.answers[:, 0])

    @property
    def scores(self) -> Answers:
        """How likely the second of two classes is."""
        return np.asarray(self.answers[:, 1])

    @property
    def name(self) -> str:
        """Of the candidate."""
        return self.report.candidate.name

    @property
    def sha256(self) -> str:
        """Of the bundle."""
        return self.report.candidate.sha256


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What the holdout showed, all on the same rows."""

    truth: Answers
    """Positions of classes, of a regression numbers, of a ranking items and users [rows, 2]."""
    classes: int
    candidate: Contender
    baseline: Contender
    champion: Contender | None = None

    @property
    def opponent(self) -> Contender:
        """Whom the candidate must beat."""
        return self.champion or self.baseline


def decide(
    policy: GatePolicy,
    promote: PromoteConfig,
    selection: Selection,
    standing: Standing,
    evidence: Evidence,
) -> Decision:
    """The decision about the selected candidate; without a champion maybe about the baseline."""
    checks = [*selection.checks]
    if (held := _held_at_once(selection, standing, evidence, checks)) is not None:
        return held
    opponent = evidence.opponent
    if opponent.sha256 == evidence.candidate.sha256:
        reason = f"the first champion: {selection.reason}"
        return _promoted(evidence.candidate, evidence, promote, reason, checks)
    difference = _difference(policy, evidence)
    named = _named(opponent.name, standing)
    won = _reason_to_promote(policy, difference, evidence, named, checks)
    if won is not None:
        return _promoted(evidence.candidate, evidence, promote, won, checks)
    lost = f"{evidence.candidate.name} is not proven better than {named}: {difference}"
    return _when_not_proven(selection, standing, evidence, promote, (lost, checks))


def _held_at_once(
    selection: Selection, standing: Standing, evidence: Evidence, checks: list[Check]
) -> Decision | None:
    """Reasons that no figure can outweigh."""
    candidate = evidence.candidate
    bar = standing.bar_of(candidate.sha256)
    checks.append(Check(name="not sent away", passed=bar is None, detail=bar or "never was"))
    same = evidence.champion is not None and evidence.champion.sha256 == candidate.sha256
    what = "the champion's own" if same else "not the champion's"
    checks.append(
        Check(name="another bundle", passed=not same, detail=f"{candidate.sha256[:12]} is {what}")
    )
    if not selection.fits:
        return _held(evidence, selection.reason, checks)
    if same:
        return _held(evidence, f"{candidate.name} is the champion already", checks)
    if bar is not None:
        return _held(evidence, f"{candidate.name} was {bar}", checks)
    if standing.champion is not None and standing.unasked:
        held = _held(evidence, _unasked(standing.champion, standing, candidate.name), checks)
        return held.model_copy(update={"champion_sha256": standing.champion.sha256})
    return None


def _unasked(champion: Candidate, standing: Standing, candidate: str) -> str:
    """Why there is nothing to compare with, and who decides then."""
    return (
        f"{_named(champion.name, standing)} cannot be asked: {standing.unasked}; {candidate} takes "
        "its place by `modelworks promote` alone"
    )


def _difference(policy: GatePolicy, evidence: Evidence) -> Difference:
    """Candidate minus opponent on the same rows, with its interval."""
    return DIFFERENCES[policy.metric](policy, evidence)


def _class_difference(policy: GatePolicy, evidence: Evidence) -> Difference:
    ours, theirs = evidence.candidate.predicted, evidence.opponent.predicted
    return paired_difference(evidence.truth, ours, theirs, evidence.classes, policy)


def _area_difference(policy: GatePolicy, evidence: Evidence) -> Difference:
    assert evidence.classes == 2, "selection lets roc_auc through for two classes only"
    ours, theirs = evidence.candidate.scores, evidence.opponent.scores
    return auc_difference(evidence.truth, ours, theirs, policy)


def _number_difference(policy: GatePolicy, evidence: Evidence) -> Difference:
    ours, theirs = evidence.candidate.numbers, evidence.opponent.numbers
    return r2_difference(evidence.truth, ours, theirs, policy)


def _item_difference(policy: GatePolicy, evidence: Evidence) -> Difference:
    ours, theirs = evidence.candidate.answers, evidence.opponent.answers
    return ndcg_difference(evidence.truth, ours, theirs, policy)


def _bits_difference(policy: GatePolicy, evidence: Evidence) -> Difference:
    return bits_difference(evidence.candidate.answers, evidence.opponent.answers, policy)


DIFFERENCES: dict[Metric, Callable[[GatePolicy, Evidence], Difference]] = {
    "macro_f1": _class_difference,
    "accuracy": _class_difference,
    "roc_auc": _area_difference,
    "r2": _number_difference,
    "ndcg": _item_difference,
    "bits_saved": _bits_difference,
}
"""How candidate and opponent are compared, by metric; more is better."""


def _reason_to_promote(
    policy: GatePolicy,
    difference: Difference,
    evidence: Evidence,
    opponent: str,
    checks: list[Check],
) -> str | None:
    """Add the checks of quality and cost; the sentence that promotes, if one does."""
    candidate = evidence.candidate
    better = difference.low > 0
    checks.append(Check(name="better", passed=better, detail=str(difference)))
    if policy.when == "better_or_cheaper":
        not_worse = difference.low >= -policy.margin
        bound = f"lower bound {difference.low:+.4f}, allowed {-policy.margin:+.4f}"
        checks.append(Check(name="not worse", passed=not_worse, detail=bound))
        cheaper, costs = _cost_comparison(candidate.report, evidence.opponent.report)
        checks.append(Check(name="cheaper", passed=cheaper, detail=costs))
        if not better and not_worse and cheaper:
            sentence = f"{candidate.name} is cheaper than {opponent} and not worse"
            return f"{sentence}: {costs}; {difference}"
    return f"{candidate.name} is better than {opponent}: {difference}" if better else None


def _named(opponent: str, standing: Standing) -> str:
    """The opponent in a sentence: a candidate and the champion often share a name."""
    if standing.champion is None:
        return f"the baseline {opponent}"
    version = f" (version {standing.version})" if standing.version else ""
    return f"the champion {opponent}{version}"


def _cost_comparison(candidate: EvalReport, opponent: EvalReport) -> tuple[bool, str]:
    ours, theirs = candidate.cost.latency_ms, opponent.cost.latency_ms
    size, their_size = candidate.candidate.size_bytes / 1e6, opponent.candidate.size_bytes / 1e6
    slower, larger = ours.p50 / theirs.p50, size / their_size
    noise = ours.noise + theirs.noise
    is_faster = slower < 1 - max(CHEAPER_BY, noise)
    is_smaller = larger < 1 - CHEAPER_BY
    cheaper = (is_faster or is_smaller) and max(slower, larger) <= 1 + CHEAPER_BY
    latency = f"p50 {ours.p50:.3g} ms against {theirs.p50:.3g} ms, {_percent(slower - 1)}"
    if slower < 1 - CHEAPER_BY and not is_faster:
        latency += f", within the noise of {noise:.0%}".replace("%", " %")
    sizes = f"size {size:.3g} MB against {their_size:.3g} MB, {_percent(larger - 1)}"
    return cheaper, f"{latency}; {sizes}"


def _percent(change: float) -> str:
    return f"{change:+.0%}".replace("%", " %")


def _when_not_proven(
    selection: Selection,
    standing: Standing,
    evidence: Evidence,
    promote: PromoteConfig,
    lost: tuple[str, list[Check]],
) -> Decision:
    """The champion stays; where there is none yet, the baseline takes the place."""
    reason, checks = lost
    baseline = evidence.baseline
    if evidence.champion is not None:
        return _held(evidence, reason, checks)
    if not selection.baseline_fits:
        return _held(evidence, f"{reason}; and the baseline does not fit the budget", checks)
    if (bar := standing.bar_of(baseline.sha256)) is not None:
        return _held(evidence, f"{reason}; and the baseline was {bar}", checks)
    first = f"the baseline {baseline.name} becomes the first champion: {reason}"
    return _promoted(baseline, evidence, promote, first, checks)


def _promoted(
    winner: Contender, evidence: Evidence, promote: PromoteConfig, reason: str, checks: list[Check]
) -> Decision:
    waits = promote.approval != "none"
    return Decision(
        verdict="waiting" if waits else "promoted",
        reason=f"waits for approval: {reason}" if waits else reason,
        candidate=winner.name,
        candidate_sha256=winner.sha256,
        champion_sha256=evidence.champion.sha256 if evidence.champion else None,
        checks=tuple(checks),
    )


def _held(evidence: Evidence, reason: str, checks: list[Check]) -> Decision:
    return Decision(
        verdict="held",
        reason=reason,
        candidate=evidence.candidate.name,
        candidate_sha256=evidence.candidate.sha256,
        champion_sha256=evidence.champion.sha256 if evidence.champion else None,
        checks=tuple(checks),
    )
