from collections.abc import Callable

import pytest

from tasks.artifacts import Candidate, Decision, EvalReport, Verdict
from tasks.evaluation.config import BudgetConfig
from tasks.promotion import moves
from tasks.promotion.config import GatePolicy, PromoteConfig
from tasks.promotion.entries import Standing
from tasks.promotion.ledger import Ledger, Note, StaleDecision, Subject
from tasks.promotion.selection import select

Make = Callable[..., Candidate]


def note(id_: str) -> Note:
    return Note(id=id_, actor="ann", reason="slow")


def judge(
    ledger: Ledger, candidate: Candidate, version: int, verdict: Verdict, question: str = "q"
) -> None:
    standing = moves.standing_for(ledger, question)
    decision = Decision(
        verdict=verdict,
        reason="figures",
        candidate=candidate.name,
        candidate_sha256=candidate.sha256,
        champion_sha256=standing.champion.sha256 if standing.champion else None,
        checks=(),
    )
    subject = Subject(candidate=candidate, version=version)
    moves.record_verdict(ledger, decision, subject, standing, "night")


def reign(ledger: Ledger, make: Make, names: str) -> None:
    for version, name in enumerate(names, start=1):
        judge(ledger, make(name), version, "promoted", question=f"q-{name}")


@pytest.mark.parametrize(
    ("verdict", "action", "champion"),
    [("promoted", "promote", "b"), ("held", "decision", "a"), ("refused", "decision", "a"),
     ("waiting", "wait", "a")],
    ids=["promoted", "held", "refused", "waiting"],
)  # fmt: skip
def test_a_verdict_becomes_an_entry(
    ledger: Ledger, candidate: Make, verdict: Verdict, action: str, champion: str
) -> None:
    reign(ledger, candidate, "a")
    judge(ledger, candidate("b"), 2, verdict)
    assert ledger.chain().entries[-1].action == action
    assert ledger.standing().champion == candidate(champion)


def test_the_same_run_again_meets_the_champion_it_met(ledger: Ledger, candidate: Make) -> None:
    """Else it would find itself on the throne, decide anew, and reuse nothing."""
    reign(ledger, candidate, "a")
    before = moves.standing_for(ledger, "tonight")
    judge(ledger, candidate("b"), 2, "promoted", question="tonight")
    assert moves.standing_for(ledger, "tonight") == before
    assert moves.standing_for(ledger, "another").champion == candidate("b")
    judge(ledger, candidate("b"), 2, "promoted", question="tonight")
    assert len(ledger.chain().entries) == 2


def test_whoever_a_run_says_waits_is_the_one_that_waits(ledger: Ledger, candidate: Make) -> None:
    def waits(name: str, version: int) -> int:
        judge(ledger, candidate(name), version, "waiting", question=f"q-{name}")
        pending = ledger.chain().pending()
        assert pending is not None
        assert pending.candidate == candidate(name)
        return len(ledger.chain().entries)

    said = [waits("a", 1), waits("b", 2), waits("b", 2), waits("a", 1), waits("a", 1)]
    assert said == [1, 2, 2, 3, 3], "said again, it is not written again"
    waits("b", 2)
    moves.reject(ledger, note("n"))
    assert [waits("a", 1), waits("a", 1)] == [6, 6], "whoever was sent away keeps nobody waiting"


@pytest.mark.parametrize("move", [moves.approve, moves.reject])
def test_a_version_is_approved_that_was_looked_at(
    ledger: Ledger, candidate: Make, move: Callable[..., object]
) -> None:
    judge(ledger, candidate("a"), 1, "waiting", question="q-a")
    judge(ledger, candidate("b"), 2, "waiting", question="q-b")
    with pytest.raises(ValueError, match=r"version 1 of \w+ does not wait for approval, 2 does"):
        move(ledger, note("n"), 1)
    move(ledger, note("n"), 2)


def test_after_a_rollback_the_question_is_new(ledger: Ledger, candidate: Make) -> None:
    reign(ledger, candidate, "ab")
    moves.rollback(ledger, note("r1"))
    standing = moves.standing_for(ledger, "q-b")
    assert standing.champion == candidate("a")
    assert standing.generation == 3
    bar = standing.bar_of(candidate("b").sha256)
    assert bar is not None
    assert bar.startswith("rolled back by ann on 2026-11-21T10:00:")
    assert bar.endswith(": slow")


def test_a_decision_against_a_former_champion_is_stale(ledger: Ledger, candidate: Make) -> None:
    reign(ledger, candidate, "a")
    old = ledger.standing()
    reign(ledger, candidate, "b")
    decision = Decision(
        verdict="promoted",
        reason="r",
        candidate="c",
        candidate_sha256="c",
        champion_sha256=None,
        checks=(),
    )
    subject = Subject(candidate=candidate("c"), version=3)
    with pytest.raises(StaleDecision, match="has changed since this was decided"):
        moves.record_verdict(ledger, decision, subject, old, "night")
    assert ledger.standing().champion == candidate("b")


def test_rollback_goes_back_step_by_step(ledger: Ledger, candidate: Make) -> None:
    reign(ledger, candidate, "abc")
    moves.rollback(ledger, note("r1"))
    assert ledger.standing().champion == candidate("b")
    moves.rollback(ledger, note("r2"))
    assert ledger.standing().champion == candidate("a")
    with pytest.raises(ValueError, match="tweets has no earlier champion to roll back to"):
        moves.rollback(ledger, note("r3"))


def test_rollback_of_the_same_command_happens_once(ledger: Ledger, candidate: Make) -> None:
    reign(ledger, candidate, "abc")
    first = moves.rollback(ledger, note("r1"))
    assert moves.rollback(ledger, note("r1")) == first
    assert ledger.standing().champion == candidate("b")


def test_rollback_to_a_version_bars_all_that_it_passes(ledger: Ledger, candidate: Make) -> None:
    reign(ledger, candidate, "abc")
    moves.rollback(ledger, note("r1"), to_version=1)
    standing = ledger.standing()
    assert standing.champion == candidate("a")
    assert {bar.sha256 for bar in standing.barred} == {candidate(n).sha256 for n in "bc"}


@pytest.mark.parametrize("version", [3, 9], ids=["today's", "unknown"])
def test_rollback_to_no_former_champion_is_refused(
    ledger: Ledger, candidate: Make, version: int
) -> None:
    reign(ledger, candidate, "abc")
    with pytest.raises(ValueError, match=f"version {version} of tweets is .*; allowed: 1, 2"):
        moves.rollback(ledger, note("r1"), to_version=version)


def test_a_promotion_by_hand_lifts_the_bar(ledger: Ledger, candidate: Make) -> None:
    reign(ledger, candidate, "ab")
    moves.rollback(ledger, note("r1"))
    moves.promote(ledger, candidate("b"), 2, note("p1"))
    standing = ledger.standing()
    assert standing.champion == candidate("b")
    assert standing.barred == ()


def test_promoting_the_champion_is_refused(ledger: Ledger, candidate: Make) -> None:
    reign(ledger, candidate, "a")
    with pytest.raises(ValueError, match="tweets@1 is the champion already"):
        moves.promote(ledger, candidate("a"), 1, note("p1"))


def test_approval_moves_what_waited(ledger: Ledger, candidate: Make) -> None:
    reign(ledger, candidate, "a")
    judge(ledger, candidate("b"), 2, "waiting", question="tonight")
    moves.approve(ledger, note("a1"))
    assert ledger.standing().champion == candidate("b")
    assert ledger.chain().pending() is None
    # The run that waited is not decided a second time as waiting.
    assert moves.standing_for(ledger, "tonight").champion == candidate("b")
    with pytest.raises(ValueError, match="no candidate of tweets waits for approval"):
        moves.approve(ledger, note("a2"))


def test_rejection_ends_the_wait_and_bars(ledger: Ledger, candidate: Make) -> None:
    reign(ledger, candidate, "a")
    judge(ledger, candidate("b"), 2, "waiting")
    moves.reject(ledger, note("a1"))
    standing = ledger.standing()
    assert standing.champion == candidate("a")
    assert (standing.bar_of(candidate("b").sha256) or "").startswith("rejected by ann")
    with pytest.raises(ValueError, match="no candidate of tweets waits for approval"):
        moves.approve(ledger, note("a2"))


def test_a_later_candidate_takes_the_place_of_one_that_waits(
    ledger: Ledger, candidate: Make
) -> None:
    reign(ledger, candidate, "a")
    judge(ledger, candidate("b"), 2, "waiting")
    judge(ledger, candidate("c"), 3, "waiting")
    moves.approve(ledger, note("a1"))
    assert ledger.standing().champion == candidate("c")


def test_approval_of_old_evidence_is_refused(ledger: Ledger, candidate: Make) -> None:
    """What waits was compared with a champion that has gone."""
    reign(ledger, candidate, "ab")
    judge(ledger, candidate("c"), 3, "waiting")
    moves.rollback(ledger, note("r1"))
    with pytest.raises(ValueError, match="no candidate of tweets waits"):
        moves.approve(ledger, note("a1"))


def test_a_first_champion_may_wait_for_approval_too(ledger: Ledger, candidate: Make) -> None:
    judge(ledger, candidate("a"), 1, "waiting")
    assert ledger.standing() == Standing()
    moves.approve(ledger, note("a1"))
    assert ledger.standing().champion == candidate("a")


def test_another_gate_asks_another_question(report: Callable[..., EvalReport]) -> None:
    selection = select([report("s"), report("b", role="baseline")], BudgetConfig(), "macro_f1")
    strict, lenient = GatePolicy(margin=0.0), GatePolicy(margin=0.02)
    asked = [moves.question_of(gate, PromoteConfig(), selection) for gate in (strict, lenient)]
    assert len(set(asked)) == 2
