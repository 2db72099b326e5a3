"""What the gate and people may do to a ledger, each written down with who and why."""

import hashlib

from tasks.artifacts import Candidate, Decision, Verdict
from tasks.promotion.config import GatePolicy, PromoteConfig
from tasks.promotion.entries import Action, Chain, Entry, Standing, standing_of
from tasks.promotion.ledger import Check, Ledger, Note, StaleDecision, Subject
from tasks.promotion.selection import Selection

ACTION_OF: dict[Verdict, Action] = {
    "promoted": "promote",
    "waiting": "wait",
    "held": "decision",
    "refused": "decision",
}


def decision_id(decision: Decision, standing: Standing) -> str:
    """The same decision against the same reign of a champion is one decision, unless another
    candidate has waited since, or one was sent away."""
    against = f"{standing.generation} {standing.after}" if standing.after else standing.generation
    text = f"{against}\n{decision.model_dump_json()}"
    return f"decision-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def question_of(gate: GatePolicy, promote: PromoteConfig, selection: Selection) -> str:
    """Digest of what is asked of the gate, the champion aside."""
    text = "\n".join(part.model_dump_json() for part in (gate, promote, selection))
    return hashlib.sha256(text.encode()).hexdigest()


def standing_for(ledger: Ledger, question: str) -> Standing:
    """What the question is decided against: today's standing, or the one it was answered with.

    A run that is repeated after its own promotion would else meet itself as champion, and decide
    anew. Only while nothing has moved since: after a rollback the question is a new one.
    """
    chain = ledger.mended()
    for entry in reversed(chain.entries):
        is_answer = entry.action == "promote" and entry.evidence.get("question") == question
        if is_answer and entry.champion == chain.seat:
            chain = chain.before(entry)
            break
    found = {"question": question, "after": chain.last_of_others(question)}
    return standing_of(chain).model_copy(update=found)


def record_verdict(
    ledger: Ledger, decision: Decision, subject: Subject, standing: Standing, actor: str
) -> Entry:
    """Write the gate's decision; a verdict of `promoted` makes the candidate champion.

    Raises StaleDecision when the champion has changed since `standing`.
    """
    evidence = {"question": standing.question, "decision": decision.model_dump(mode="json")}
    note = Note(
        id=decision_id(decision, standing),
        actor=actor,
        reason=decision.reason,
        evidence=evidence,
    )
    action = ACTION_OF[decision.verdict]
    return ledger.append(action, subject, note, unchanged_since(ledger, standing.generation))


def promote(ledger: Ledger, candidate: Candidate, version: int, note: Note) -> Entry:
    """Make a registered version champion because a person says so."""
    chain = ledger.chain()
    if chain.find(note.id) is None and chain.seat and chain.seat.sha256 == candidate.sha256:
        raise ValueError(f"{ledger.project}@{version} is the champion already")
    check = unchanged_since(ledger, chain.generation)
    subject = Subject(candidate=candidate, version=version)
    return ledger.append("promote", subject, note, check)


def rollback(ledger: Ledger, note: Note, to_version: int | None = None) -> Entry:
    """Make the previous champion, or a given former one, champion again.

    The bundles that this leaves behind are barred until a person promotes them.
    """
    chain = ledger.chain()
    if (done := chain.find(note.id)) is not None:
        return done
    target = _former_reign(chain, ledger.project, to_version)
    reigns = chain.reigns()
    left = [entry.bundle for entry in reigns[reigns.index(target) + 1 :]]
    note = note.model_copy(update={"evidence": {**note.evidence, "left": left}})
    subject = Subject(candidate=target.candidate, version=target.version)
    return ledger.append("rollback", subject, note, unchanged_since(ledger, chain.generation))


def approve(ledger: Ledger, note: Note, version: int | None = None) -> Entry:
    """Make the waiting candidate champion; raises ValueError when another version waits."""
    waiting = _waiting(ledger.chain(), ledger.project, version)
    generation = waiting.champion.generation if waiting.champion else 0
    note = note.model_copy(update={"evidence": {**note.evidence, "waited": waiting.seq}})

    def check(chain: Chain) -> None:
        _same_waiting(ledger, waiting)(chain)
        unchanged_since(ledger, generation)(chain)

    return ledger.append("approve", _subject(waiting), note, check)


def reject(ledger: Ledger, note: Note, version: int | None = None) -> Entry:
    """Send the waiting candidate away; it is barred until a person promotes it.

    Raises ValueError when another version waits.
    """
    waiting = _waiting(ledger.chain(), ledger.project, version)
    note = note.model_copy(update={"evidence": {**note.evidence, "waited": waiting.seq}})
    return ledger.append("reject", _subject(waiting), note, _same_waiting(ledger, waiting))


def _former_reign(chain: Chain, project: str, version: int | None) -> Entry:
    former = chain.reigns()[:-1]
    if not former:
        raise ValueError(f"{project} has no earlier champion to roll back to")
    if version is None:
        return former[-1]
    found = next((entry for entry in reversed(former) if entry.version == version), None)
    if found is None:
        allowed = ", ".join(sorted({str(entry.version) for entry in former}))
        raise ValueError(
            f"version {version} of {project} is no earlier champion; allowed: {allowed}"
        )
    return found


def _waiting(chain: Chain, project: str, version: int | None = None) -> Entry:
    waiting = chain.pending()
    if waiting is None:
        raise ValueError(f"no candidate of {project} waits for approval")
    if version not in (None, waiting.version):
        raise ValueError(
            f"version {version} of {project} does not wait for approval, {waiting.version} does"
        )
    return waiting


def _subject(entry: Entry) -> Subject:
    return Subject(candidate=entry.candidate, version=entry.version)


def _same_waiting(ledger: Ledger, waiting: Entry) -> Check:
    def check(chain: Chain) -> None:
        if _waiting(chain, ledger.project).seq != waiting.seq:
            raise ValueError(f"another candidate of {ledger.project} waits by now: look again")

    return check


def unchanged_since(ledger: Ledger, generation: int) -> Check:
    """Refuse with StaleDecision when the champion has changed since `generation`."""

    def check(chain: Chain) -> None:
        if chain.generation != generation:
            raise StaleDecision(
                f"the champion of {ledger.project} has changed since this was decided "
                f"(change {chain.generation}, decided at {generation}): decide again"
            )

    return check
