"""`modelworks run`: the main job, watched."""

import os
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import BaseModel

from flows.cli.console import ProgressLines, answer_json, say
from flows.cli.report import print_outcome
from flows.cli.session import home_for, reach
from flows.project import Project
from flows.project_file import load_project
from infra import stack
from infra.imports import import_whole
from infra.lock import holder
from tasks.compression.config import CompressConfig
from tasks.data.prepare import prepare_rows
from tasks.read_source import with_local_source
from tasks.sweep.config import SweepConfig

app = typer.Typer()
Trained = TypeVar("Trained", bound=BaseModel)
SAMPLE_EPOCHS = 10
SAMPLE_HELP = f"A true run on this many rows, in at most {SAMPLE_EPOCHS} epochs each."
THOROUGH_SEEDS = 3
THOROUGH_HELP = (
    f"What is taught and its controls by {THOROUGH_SEEDS} seeds, or more: evaluate.seeds."
)
SAMPLE_TRIALS = 4
"""Of a search for settings."""
SAMPLE_TEACHERS = 2
SIDE_BY_SIDE = 2
"""Trainings at a time."""
EXIT_CODES = {"promoted": 0, "held": 0, "refused": 3, "waiting": 4}


@app.command()
def run(  # noqa: PLR0913, PLR0917 (each is an option of the command)
    project_file: Annotated[Path, typer.Argument(help="The project's YAML file.")],
    sample: Annotated[int | None, typer.Option(help=SAMPLE_HELP)] = None,
    overrides: Annotated[list[str] | None, typer.Option("--set", help="key=value")] = None,
    rerun: Annotated[list[str] | None, typer.Option(help="Run this step again.")] = None,
    thorough: Annotated[bool, typer.Option(help=THOROUGH_HELP)] = False,
    fail: Annotated[bool, typer.Option(help="Do not wait for another run of it.")] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Retrain, shrink, prove, and promote if the proof holds."""
    project = load_project(project_file, overrides or [])
    if sample is not None:
        project = sampled(project, sample)
    if thorough:
        project = thoroughly(project)
    home = home_for(project_file)
    if fail and (other := holder(home, project.name)):
        raise ValueError(f"{project.name} is being retrained by {other.get('run')}; --fail given")
    if not stack.is_up(home):
        # Bad data is refused before the services are started.
        prepare_rows(with_local_source(project.data), Path())
    reach(home, start=True)
    if sample is not None:
        _start_workers()
    summary = _retrain(project, rerun or [], as_json)
    raise typer.Exit(EXIT_CODES[summary["decision"]["verdict"]])


def sampled(project: Project, rows: int) -> Project:
    """Return `project` on `rows` rows, under a name of its own, with epochs and a sweep to match.

    Raises `ValueError` below 200 rows: their holdout would prove nothing at all.
    """
    if rows < 200:
        raise ValueError(f"--sample {rows}: must be at least 200 rows")
    changes: dict[str, Any] = {
        "name": f"{project.name}-sample",
        # One worker needs no group of processes, which takes longer to start than these rows need.
        "compute": project.compute.model_copy(update={"workers": 1}),
        "data": project.data.model_copy(update={"max_rows": rows}),
        "teacher": _shorter(project.teacher),
        "students": tuple(_shorter(student) for student in project.students),
        "sweep": _shorter_sweep(project.sweep),
        "compress": _shorter_lesson(project.compress, rows),
    }
    return project.model_copy(update=changes)


def _shorter_lesson(compress: CompressConfig, rows: int) -> CompressConfig:
    """The same by few teachers, with no more rows without labels than there are with one."""
    few = {"teachers": min(SAMPLE_TEACHERS, compress.distil.teachers)}
    if compress.distil.unlabelled is not None:
        few["most_unlabelled"] = min(rows, compress.distil.most_unlabelled or rows)
    distil = compress.distil.model_copy(update=few)
    return compress.model_copy(update={"distil": distil})


def thoroughly(project: Project) -> Project:
    """Return `project` with enough seeds to tell what the teacher is worth."""
    seeds = max(THOROUGH_SEEDS, project.evaluate.seeds)
    return project.model_copy(
        update={"evaluate": project.evaluate.model_copy(update={"seeds": seeds})}
    )


def _shorter_sweep(sweep: SweepConfig) -> SweepConfig:
    """The same searches with a few trials each."""
    few = {"trials": min(SAMPLE_TRIALS, sweep.budget.trials)}
    search = sweep.search.model_copy(update={"confirm_seeds": min(2, sweep.search.confirm_seeds)})
    budget = sweep.budget.model_copy(update=few)
    return sweep.model_copy(update={"trials": 2, "rows": 256, "search": search, "budget": budget})


def _start_workers() -> None:
    """Let those of the trainings start while this process imports the flow.

    To wait for them later would take longer than the trainings of a sample.
    """
    from infra.cluster import start_workers

    start_workers(SIDE_BY_SIDE, "tasks.training.recipes")


def _shorter(settings: Trained) -> Trained:
    """The same training in no more epochs than a sample gets; an estimator has none."""
    epochs = min(getattr(settings, "epochs", 0), SAMPLE_EPOCHS)
    return settings.model_copy(update={"epochs": epochs}) if epochs else settings


def _retrain(project: Project, rerun: list[str], as_json: bool) -> dict[str, Any]:
    # Prefect reads its settings when it is imported: not before `reach` has set them.
    import_whole("flows.cli.watch")
    from flows.cli.watch import retrain_watched

    say(f"project  {project.name}")
    with ProgressLines() as lines:
        outcome = retrain_watched(project, rerun)
    summary = {**outcome.summary(), "steps": lines.steps, "warnings": lines.warnings}
    if as_json:
        answer_json(summary)
    else:
        print_outcome(outcome, os.environ["PREFECT_API_URL"], lines.steps)
    return summary
