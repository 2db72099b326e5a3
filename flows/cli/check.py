"""`modelworks check`: the plan, before anything is paid for."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from flows.cli.console import answer_json, out, say
from flows.cli.session import HOME_NAME, reach
from flows.project import Project
from flows.project_file import load_project
from infra import stack
from infra.environment import find_home
from tasks.data.table import shortened

app = typer.Typer()


@app.command()
def check(
    project_file: Annotated[Path, typer.Argument(help="The project's YAML file.")],
    overrides: Annotated[list[str] | None, typer.Option("--set", help="key=value")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Read the project and its data; say what `run` would do and what it could prove."""
    project = load_project(project_file, overrides or [])
    home = find_home()
    is_up = home is not None and stack.is_up(home)
    if home is not None and is_up:
        reach(home)
    else:
        say(f"no services answer ({home or HOME_NAME}): what is kept cannot be seen")
    plan = _plan(project, is_up)
    if as_json:
        answer_json(plan)
    else:
        _print(plan)


def _plan(project: Project, is_up: bool) -> dict[str, Any]:
    # Reading settings at import, Prefect must not come in before `reach` has set them.
    from flows.plan import draw_plan
    from tasks.data.dataset import split_sizes
    from tasks.data.prepare import prepare_rows
    from tasks.data.report import warnings_of
    from tasks.prepare_data import drift_since_last
    from tasks.promotion.proof import detectable_difference
    from tasks.read_source import with_local_source

    prepared = prepare_rows(with_local_source(project.data), Path())
    drift = drift_since_last(project.name, prepared) if is_up else {}
    rows = split_sizes(prepared)
    planned = draw_plan(project, rows["train"], look_up=is_up)
    return {
        "project": project.name,
        "task": project.data.task,
        "rows": rows,
        "classes": list(prepared.classes),
        "dropped": prepared.rows.dropped,
        "warnings": warnings_of(prepared, drift),
        "steps": [step._asdict() for step in planned],
        "minutes": round(sum(step.seconds for step in planned) / 60, 1),
        "detectable_difference": (
            detectable_difference(rows["test"], confidence=project.gate.confidence)
            if project.data.task == "classification"
            else None
        ),
    }


def _print(plan: dict[str, Any]) -> None:
    table = Table(title=f"{plan['project']}: what `run` would do")
    table.add_column("step")
    table.add_column("state")
    table.add_column("about", justify="right")
    for step in plan["steps"]:
        about = f"{step['seconds']:.0f} s" if step["state"] == "to run" else ""
        table.add_row(step["name"], step["state"], about)
    out.print(table)
    rows = plan["rows"]
    dropped = ", ".join(f"{count} {why}" for why, count in plan["dropped"].items() if count)
    out.print(f"rows: {rows['train']:,} train, {rows['valid']:,} valid, {rows['test']:,} holdout")
    out.print(f"dropped: {dropped or 'none'}; {_target(plan)}")
    for warning in plan["warnings"]:
        out.print(f"warning: {warning}", markup=False, soft_wrap=True)
    out.print(f"about {plan['minutes']} minutes on two cores")
    if plan["detectable_difference"] is not None:
        out.print(
            f"the holdout can tell apart two models whose quality differs by "
            f"{plan['detectable_difference']:.3f} or more"
        )


def _target(plan: dict[str, Any]) -> str:
    if plan["task"] == "generation":
        return "target: the texts themselves"
    names = plan["classes"]
    return f"classes: {shortened(names, most=100)}" if names else "target: a number"
