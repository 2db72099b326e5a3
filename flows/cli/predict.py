"""`modelworks predict`: score a file with the champion."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.console import answer_json, out

app = typer.Typer()


@app.command()
def predict(
    name: Annotated[str, typer.Argument(help="The project.")],
    source: Annotated[Path, typer.Argument(metavar="IN", help="A file of rows, or a folder.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="Written whole or not at all.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Score a file with the champion; the rows again, with labels and probabilities."""
    from flows.cli import champions
    from tasks.predict_file import predict_file
    from tasks.promotion.entries import standing_of

    standing = standing_of(champions.open_ledger(name).mended())
    if standing.champion is None:
        raise ValueError(f"{name}: no champion yet; `modelworks run` makes the first")
    rows = predict_file(standing.champion.uri, source, target)
    answer = {"project": name, "version": standing.version, "rows": rows, "out": str(target)}
    if as_json:
        answer_json(answer)
    else:
        out.print(f"{rows:,} rows scored by version {standing.version} to {target}")
