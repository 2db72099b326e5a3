"""What ops do: `promote`, `rollback`, `approve`, `reject`, `history`, `compare`, `descendants`.

The work is in `flows.cli.champions`, imported when a command runs: MLflow takes seconds to import.
"""

from typing import Annotated

import typer

from flows.cli.console import answer_json, out

app = typer.Typer()
Name = Annotated[str, typer.Argument(help="The project.")]
Waiting = Annotated[
    str, typer.Argument(metavar="NAME[@VERSION]", help="Of a version: not if another waits by now.")
]
Reason = Annotated[str, typer.Option(help="Why; written to the ledger.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


@app.command()
def promote(
    name: Annotated[str, typer.Argument(metavar="NAME[@VERSION]", help="Default: the newest.")],
    reason: Reason,
    as_json: AsJson = False,
) -> None:
    """Make a registered version champion, because you say so."""
    from flows.cli import champions

    ledger, version = champions.opened(name)
    note = champions.new_note("promote", reason)
    champions.carry_out(ledger, champions.hand_promotion(ledger, version, note), as_json)


@app.command()
def rollback(
    name: Name,
    reason: Reason,
    to: Annotated[int | None, typer.Option(help="Version of a former champion.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make the previous champion champion again; what is left stays away until promoted by hand."""
    from flows.cli import champions
    from tasks.promotion import moves

    ledger = champions.open_ledger(name)
    note = champions.new_note("rollback", reason)
    champions.carry_out(ledger, lambda: moves.rollback(ledger, note, to), as_json)


@app.command()
def approve(name: Waiting, reason: Reason, as_json: AsJson = False) -> None:
    """Make the candidate that waits champion."""
    from flows.cli import champions
    from tasks.promotion import moves

    ledger, version = champions.opened(name)
    note = champions.new_note("approve", reason)
    champions.carry_out(ledger, lambda: moves.approve(ledger, note, version), as_json)


@app.command()
def reject(name: Waiting, reason: Reason, as_json: AsJson = False) -> None:
    """Send the candidate that waits away; it stays away until promoted by hand."""
    from flows.cli import champions
    from tasks.promotion import moves

    ledger, version = champions.opened(name)
    note = champions.new_note("reject", reason)
    champions.carry_out(ledger, lambda: moves.reject(ledger, note, version), as_json)


@app.command()
def history(name: Name, as_json: AsJson = False) -> None:
    """Every decision of a project, who made it and why; says when the chain is broken."""
    from flows.cli import champions

    chain = champions.open_ledger(name).mended()
    if as_json:
        entries = [entry.model_dump(mode="json") for entry in chain.entries]
        answer_json({"project": name, "entries": entries, "faults": list(chain.faults)})
    else:
        out.print(champions.history_table(name, chain.entries))
        for fault in chain.faults:
            out.print(f"BROKEN: {fault}", markup=False)
    if chain.faults:
        raise typer.Exit(1)


@app.command()
def compare(name: Name, as_json: AsJson = False) -> None:
    """Candidates of the latest run and the champion, side by side."""
    from flows.cli import champions

    ledger = champions.open_ledger(name)
    parent = champions.latest_run(name)
    rows = champions.compared_rows(ledger, parent)
    if as_json:
        candidates = [row.model_dump() for row in rows]
        run = {"run_id": parent.run_id, "run_url": parent.url}
        answer_json({"project": name, **run, "candidates": candidates})
    else:
        out.print(champions.comparison_table(name, rows))
        out.print("pareto: nothing here is at least as good, fast and small, and better in one")
        out.print(f"MLflow   {parent.url}", soft_wrap=True)


@app.command()
def descendants(
    name: Annotated[str, typer.Argument(metavar="NAME@VERSION", help="A registered version.")],
    as_json: AsJson = False,
) -> None:
    """The family of a version, over all runs: who it was made from, and who was made from it."""
    from flows.cli import champions

    ledger, version = champions.opened(name)
    family = champions.relatives(ledger.project, version)
    if as_json:
        members = [relative.model_dump() for relative in family]
        answer_json({"project": ledger.project, "version": version, "family": members})
    else:
        for tree in champions.family_trees(ledger.project, family):
            out.print(tree)
