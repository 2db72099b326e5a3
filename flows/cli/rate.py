"""`modelworks lr`: the learning rate alone, with its interval and whether to trust it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli.console import ProgressLines, answer_json, out, say
from flows.cli.session import home_for, reach
from flows.project import Project
from flows.project_file import load_project
from infra.imports import import_whole
from tasks.training.sklearn_architecture import SklearnTeacher

app = typer.Typer()
TRIALS, SEEDS, SECONDS = 8, 3, 600.0
STEPS = 150
"""Of one trial, where the teacher takes as many passes; fewer leave a network where it started."""
DECADES = 1.5
"""Searched on either side of the architecture's usual rate where the project gives no interval."""


@app.command("lr")
def learning_rate(
    project_file: Annotated[Path, typer.Argument(help="The project's YAML file.")],
    trials: Annotated[int, typer.Option(help="Rates that are tried.", min=1, max=64)] = TRIALS,
    seeds: Annotated[int, typer.Option(help="Trainings of each.", min=1, max=16)] = SEEDS,
    overrides: Annotated[list[str] | None, typer.Option("--set", help="key=value")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Find the teacher's learning rate: a range test, then a sweep that confirms it or does not."""
    project = searching(load_project(project_file, overrides or []), trials, seeds)
    reach(home_for(project_file), start=True)
    # Prefect reads its settings when it is imported: not before `reach` has set them.
    import_whole("flows.find_rate")
    from flows.cli.watch import called
    from flows.find_rate import find_rate

    say(f"project  {project.name}")
    with ProgressLines():
        tuned, run = called(find_rate, project)
    if as_json:
        answer_json({**tuned.model_dump(mode="json"), "url": run.url})
        return
    for one in sorted(tuned.trials, key=lambda one: one.lr):
        scores = " ".join(f"{score:.4f}" for score in one.scores)
        out.print(f"{one.lr:9.1e}  {one.schedule}  {one.score:.4f}  ({scores})", highlight=False)
    out.print(tuned.reason, highlight=False, soft_wrap=True)
    out.print(f"MLflow   {run.url}", highlight=False, soft_wrap=True)


def searching(project: Project, trials: int, seeds: int) -> Project:
    """Return the project with a wider and longer search, for a rate that nobody has given.

    Each trial takes about as many steps as tell rates apart, no more passes than the teacher has.
    Raises `ValueError` for a teacher that has no rate.
    """
    teacher = project.teacher
    if isinstance(teacher, SklearnTeacher):
        raise ValueError(f"teacher.estimator {teacher.estimator} has no learning rate to look for")
    factor = 10**DECADES
    rows = 32 if teacher.batch_size == "auto" else teacher.batch_size
    passes = min(teacher.epochs, max(project.sweep.epochs, -(-STEPS * rows // project.sweep.rows)))
    sweep: dict[str, Any] = project.sweep.model_dump() | {
        "trials": trials,
        "seeds": seeds,
        "epochs": passes,
        "max_seconds": max(SECONDS, project.sweep.max_seconds),
        "lr": project.sweep.lr or (teacher.first_lr / factor, teacher.first_lr * factor),
    }
    changes = {
        "sweep": type(project.sweep).model_validate(sweep),
        "teacher": teacher.model_copy(update={"lr": "auto"}),
    }
    return project.model_copy(update=changes)
