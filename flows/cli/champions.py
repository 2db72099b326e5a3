"""The work behind the commands of ops: find the ledger, move the champion, show what is known."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from flows.cli.console import answer_json, out, say
from flows.cli.session import existing_home, reach
from infra import registry, tracking
from infra.storage import open_storage
from tasks.artifacts import Candidate
from tasks.mirror_aliases import mirror_aliases
from tasks.promotion import moves
from tasks.promotion.actor import actor
from tasks.promotion.comparison import Row, Seen, compare
from tasks.promotion.entries import Entry
from tasks.promotion.family import Member, Relative, family_of, origins_of
from tasks.promotion.ledger import Ledger, Note
from tasks.promotion.records import MADE_FROM, MODEL, PARENTS, RETRAIN

EVERY = 10_000
"""Runs of one answer: more than any project has that are of one family."""
FIGURES = {
    "valid/accuracy": ".4f",
    "valid/macro_f1": ".4f",
    "test/macro_f1": ".4f",
    "valid/r2": ".4f",
    "test/r2": ".4f",
    "valid/ndcg": ".4f",
    "test/ndcg": ".4f",
    "valid/bits_per_byte": ".4f",
    "test/bits_per_byte": ".4f",
    "latency/p50_ms": ".2f",
    "latency/p95_ms": ".2f",
    "size/bytes": ",.0f",
}


def open_ledger(project: str) -> Ledger:
    """The project's ledger, after saying where we are; ValueError names those that exist."""
    home = existing_home()
    reach(home)
    say(f"home  {home}")
    store = open_storage()
    known = sorted({key.split("/")[1] for key in store.keys("ledger/")})
    if project not in known:
        raise ValueError(f"project {project!r} has no ledger; known: {', '.join(known) or 'none'}")
    ledger = Ledger(store, project)
    seat = ledger.mended().seat
    say(f"champion  {project}@{seat.version}" if seat else f"champion  none of {project} yet")
    return ledger


def opened(reference: str) -> tuple[Ledger, int | None]:
    """The ledger of NAME or NAME@VERSION, and that version, if one is named; `ValueError` for what
    is none."""
    project, _, version = reference.partition("@")
    if version and not version.isdecimal():
        raise ValueError(f"version {version!r} of {project} must be a number, as in {project}@3")
    return open_ledger(project), int(version) if version else None


def hand_promotion(ledger: Ledger, version: int | None, note: Note) -> Callable[[], Entry]:
    """The move to the version that was asked for, or to the newest; ValueError if there is none."""
    found = registry.get_version(ledger.project, version)
    candidate = Candidate.model_validate_json(found.tags["modelworks.candidate"])
    return lambda: moves.promote(ledger, candidate, found.version, note)


def latest_run(project: str) -> tracking.TrackedRun:
    """The newest retraining of the project that came to a verdict; ValueError if none did."""
    parents = tracking.find_runs(project, {tracking.ROLE: RETRAIN})
    decided = next((run for run in parents if "modelworks.verdict" in run.tags), None)
    if decided is None:
        raise ValueError(f"no run of {project} has come to a verdict yet")
    return decided


def new_note(action: str, reason: str) -> Note:
    """Who acts and why, with an id of its own."""
    if not reason.strip():
        raise ValueError("--reason must say why")
    return Note(id=f"{action}-{uuid4()}", actor=actor(), reason=reason.strip())


def carry_out(ledger: Ledger, move: Callable[[], Entry], as_json: bool) -> None:
    """Make the move, let the aliases follow, and say what became of it."""
    entry = move()
    mirror_aliases(ledger.project)
    if as_json:
        fields = {"action", "reason", "actor", "time", "version", "bundle", "champion"}
        told = entry.model_dump(mode="json", include=fields)
        answer_json({"project": ledger.project, "entry": entry.seq, **told})
        return
    seat = entry.champion
    champion = f"{ledger.project}@{seat.version}" if seat else "none"
    what = f"{entry.candidate.name} (version {entry.version})"
    out.print(f"{entry.action}: {what}; champion {champion}", markup=False)


def history_table(name: str, entries: tuple[Entry, ...]) -> Table:
    """One line an entry."""
    table = Table(title=f"{name}: ledger")
    for heading in ("#", "time", "who", "action", "version", "candidate", "champion", "reason"):
        table.add_column(heading, overflow="fold")
    for entry in entries:
        champion = f"@{entry.champion.version}" if entry.champion else ""
        version = f"@{entry.version}" if entry.version is not None else ""
        facts = (version, entry.candidate.name, champion, entry.reason)
        table.add_row(str(entry.seq), entry.time[:19], entry.actor, entry.action, *facts)
    return table


def compared_rows(ledger: Ledger, parent: tracking.TrackedRun) -> list[Row]:
    """Candidates of one run and the champion, best first."""
    seen = [
        _seen(run) for run in tracking.find_runs(ledger.project, {tracking.PARENT: parent.run_id})
    ]
    versions = registry.versions(ledger.project)
    seat = ledger.mended().seat
    if seat is not None and seat.sha256 not in {item.bundle for item in seen}:
        home_run = next((v.run_id for v in versions if v.version == seat.version), None)
        seen += [_seen(tracking.get_run(home_run))] if home_run else []
    champion = seat.sha256 if seat else None
    numbers = {item.sha256: item.version for item in versions}
    return compare(seen, champion, parent.tags.get("modelworks.selected"), numbers)


def _seen(run: tracking.TrackedRun) -> Seen:
    tags = run.tags
    role, bundle = tags.get(tracking.ROLE, ""), tags.get(registry.BUNDLE, "")
    return Seen(name=run.name, role=role, bundle=bundle, metrics=run.metrics)


def comparison_table(name: str, rows: list[Row]) -> Table:
    """One line a candidate."""
    table = Table(title=f"{name}: latest run and champion")
    for heading in ("candidate", "role", "version", "", "pareto"):
        table.add_column(heading)
    shown = {key: spec for key, spec in FIGURES.items() if any(key in r.metrics for r in rows)}
    for heading in shown:
        table.add_column(heading, justify="right")
    for row in rows:
        version = f"@{row.version}" if row.version is not None else ""
        figures = [_figure(row.metrics.get(key), spec) for key, spec in shown.items()]
        marks = (version, row.mark, "*" if row.pareto else "")
        style = "bold" if row.mark else None
        table.add_row(row.name, row.role, *marks, *figures, style=style)
    return table


def _figure(value: float | None, spec: str) -> Any:
    return "" if value is None else format(value, spec)


def relatives(project: str, version: int | None) -> list[Relative]:
    """The family of a version, over all runs; ValueError for no such version."""
    if version is None:
        raise ValueError(f"name a version of {project}, as in {project}@3")
    own = tracking.get_run(registry.get_version(project, version).run_id)
    beside, key = _children(project, own.tags[tracking.PARENT]), _member(own).key
    origins = origins_of(beside, key)
    runs = _runs_that_know(project, origins) - {own.tags[tracking.PARENT]}
    members = [*beside, *(member for run in runs for member in _children(project, run))]
    numbers = {item.sha256: item.version for item in registry.versions(project)}
    return family_of(members, key, numbers)


def _runs_that_know(project: str, models: set[str]) -> set[str]:
    """Ids of the runs that have one of these models, or one that is made from it."""
    found = [
        run
        for model in models
        for run in (
            *tracking.find_runs(project, {MODEL: model}, EVERY),
            *tracking.find_runs(project, {PARENTS: f"%{model}%"}, EVERY, "LIKE"),
        )
    ]
    return {run.tags[tracking.PARENT] for run in found}


def _children(project: str, run_id: str) -> list[Member]:
    return [_member(run) for run in tracking.find_runs(project, {tracking.PARENT: run_id}, EVERY)]


def _member(run: tracking.TrackedRun) -> Member:
    """A model as its run knows it.

    Where that is from before digests were kept, names tell who was made from whom, within its run:
    the id of that stands for all digests.
    """
    tags, parent_run = run.tags, run.tags[tracking.PARENT]
    return Member(
        name=run.name,
        role=tags.get(tracking.ROLE, ""),
        model=tags.get(MODEL, parent_run),
        parent=tags.get(MADE_FROM),
        parents=tuple(tags.get(PARENTS, "" if MODEL in tags else parent_run).split()),
        bundle=tags.get(registry.BUNDLE, ""),
    )


def family_trees(project: str, family: list[Relative]) -> list[Tree]:
    """A tree for each model that was first; a branch for each, below one that it was made from."""
    trees: list[Tree] = []
    branches: list[Tree] = []
    for relative in family:
        version = "".join(f"  {project}@{number}" for number in relative.versions)
        style = "bold" if relative.standing == "asked" else ""
        label = Text(f"{relative.name}  {relative.role}  {relative.model[:8]}{version}", style)
        del branches[relative.depth :]
        branches.append(branches[-1].add(label) if branches else Tree(label))
        trees += branches if relative.depth == 0 else []
    return trees
