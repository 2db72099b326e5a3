"""`modelworks sweep`: better settings for one model of a project."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from flows.cli.console import ProgressLines, answer_json, out, say
from flows.cli.session import home_for, reach
from flows.project import Project
from flows.project_file import load_project
from flows.sweep_target import root_of
from infra.imports import import_whole
from tasks.sweep.picking import SOUGHT, Pick, picked
from tasks.sweep_artifacts import Confirmed, Searched, SettingsTrial

app = typer.Typer()
SHOWN = 5


@app.command()
def sweep(
    project_file: Annotated[Path, typer.Argument(help="The project's YAML file.")],
    trials: Annotated[int | None, typer.Option(help="Instead of sweep.budget.trials.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Instead of sweep.budget.minutes.")] = None,
    overrides: Annotated[list[str] | None, typer.Option("--set", help="key=value")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Search for better settings; called again, it goes on from wherever it was."""
    given = {"trials": trials, "minutes": minutes}
    budget = [f"sweep.budget.{name}={value}" for name, value in given.items() if value is not None]
    project = load_project(project_file, [*(overrides or []), *budget])
    root_of(project)
    reach(home_for(project_file), start=True)
    found, confirmed = _swept(project)
    if as_json:
        sure = confirmed.model_dump(mode="json") if confirmed else None
        answer_json({"searched": found.model_dump(mode="json"), "confirmed": sure})
    else:
        _print(found, confirmed, picked(found.best, found.objectives, project.budget))


def _swept(project: Project) -> tuple[Searched, Confirmed | None]:
    # Prefect reads its settings when it is imported: not before `reach` has set them.
    import_whole("flows.sweep")
    from flows.cli.watch import called
    from flows.sweep import sweep as run_sweep
    from tasks.step import refresh

    refresh(["search_settings"])  # whatever was found before, there may be budget left
    say(f"project  {project.name}")
    with ProgressLines():
        found = called(run_sweep, project)
    return found.searched, found.confirmed


def _print(found: Searched, confirmed: Confirmed | None, pick: Pick | None) -> None:
    out.print(f"engine   {found.engine}", highlight=False, soft_wrap=True)
    spent = f"{found.wall_seconds:.0f} s, {found.cost['cost/cpu_hours'] * 3600:.0f} CPU s"
    money = f", money {found.cost['cost/money']:.4f}" if found.cost["cost/money"] else ""
    out.print(f"ended    {found.ended}: {len(found.trials)} trials in {spent}{money}")
    if not found.best:
        out.print("best     none: no trial was completed")
    else:
        shown = _shown(found, pick)
        out.print(_table(found, shown))
        if len(found.objectives) > 1 and len(found.best) > len(shown):
            more = f"{len(found.best) - len(shown)} more of the front of {len(found.best)}"
            out.print(f"front    {more} in pages/sweep.html and sweep.json of the run in MLflow")
        if pick:
            out.print(f"budget   {pick.sentence}", highlight=False, soft_wrap=True)
        chosen = pick.trial if pick else found.best[0]
        out.print(f"settings of trial {chosen.number}:")
        for name, value in chosen.values.items():
            out.print(f"  --set {name}={value}", highlight=False)
    if confirmed:
        who = "pick    " if pick else "winner  "
        out.print(f"{who} {confirmed.sentence}", highlight=False, soft_wrap=True)
    out.print(f"MLflow   {found.run.url}", highlight=False, soft_wrap=True)


def _shown(found: Searched, pick: Pick | None) -> list[SettingsTrial]:
    """The best few; of a Pareto front what the budget picked and a few others."""
    if len(found.objectives) > 1:
        taken = pick.trial if pick else None
        return sorted(found.best, key=lambda trial: trial != taken)[:SHOWN]
    complete = [trial for trial in found.trials if trial.state == "complete"]
    sign = -1 if found.objectives[0] in SOUGHT else 1
    return sorted(complete, key=lambda trial: sign * trial.objectives[0])[:SHOWN]


def _table(found: Searched, shown: list[SettingsTrial]) -> Table:
    names = list(dict.fromkeys(name for trial in shown for name in trial.values))
    table = Table()
    headings = [found.metric if name == "score" else name for name in found.objectives]
    for heading in ("trial", *headings, *names):
        table.add_column(heading, justify="right")
    for trial in shown:
        table.add_row(*_cells(found, trial, names))
    return table


def _cells(found: Searched, trial: SettingsTrial, names: list[str]) -> list[str]:
    values = [trial.values.get(name, "") for name in names]
    shown = [f"{value:.4g}" if isinstance(value, float) else str(value) for value in values]
    named = zip(found.objectives, trial.objectives, strict=True)
    figures = [found.shown(value) if name == "score" else value for name, value in named]
    return [str(trial.number), *(f"{value:.5g}" for value in figures), *shown]
