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
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Of a continuation: max_tokens, temperature, top_k, ... =value"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Score a file with the champion; the rows again, with labels, numbers or continuations.

    How a continuation is drawn may be said of a champion that writes texts.
    """
    from flows.cli import champions
    from tasks.predict_file import predict_file
    from tasks.promotion.entries import standing_of

    standing = standing_of(champions.open_ledger(name).mended())
    if standing.champion is None:
        raise ValueError(f"{name}: no champion yet; `modelworks run` makes the first")
    sampling = dict(map(setting, settings or ()))
    rows = predict_file(standing.champion.uri, source, target, sampling)
    answer = {"project": name, "version": standing.version, "rows": rows, "out": str(target)}
    if as_json:
        answer_json(answer)
    else:
        out.print(f"{rows:,} rows scored by version {standing.version} to {target}")


def setting(text: str) -> tuple[str, int | float]:
    """`temperature=0.5` as a name and a number; ValueError for anything else."""
    name, _, value = text.partition("=")
    try:
        return name, int(value) if value.lstrip("-").isdigit() else float(value)
    except ValueError as error:
        raise ValueError(f"--set {text!r} must be name=number, as in temperature=0.5") from error
