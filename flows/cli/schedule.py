"""`schedule`, `worker`: retraining by the clock."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.console import answer_json, say
from flows.cli.session import home_for, reach
from flows.project_file import load_project

app = typer.Typer()


@app.command()
def schedule(
    project_file: Annotated[Path, typer.Argument(help="The project's YAML file.")],
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Retrain by the project file's clock, here, as long as the services are up."""
    project = load_project(project_file)
    reach(home_for(project_file), start=True)
    from flows.schedule import put_on_schedule
    from infra.results import ensure_result_block

    ensure_result_block()
    made = put_on_schedule(project)
    if as_json:
        answer_json(made)
    else:
        say(f"{project.name} runs at {made['cron']} ({made['timezone']}); its parameters can be")
        say(f"edited in the Prefect UI, deployment retrain/{made['deployment']}")
