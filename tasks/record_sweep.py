"""What a sweep found, in MLflow: pages, pictures, a table, settings to copy, a study to open."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import optuna

from infra import tracking
from infra.journal import sweep_storage
from tasks.artifacts import RunRef
from tasks.costs.cost import total
from tasks.evaluation.config import BudgetConfig
from tasks.kept_costs import kept_costs
from tasks.step import ended_steps, step
from tasks.sweep.outcome import opposite
from tasks.sweep.pages import write_pages
from tasks.sweep.picking import picked
from tasks.sweep.summary import what_mattered
from tasks.sweep_artifacts import LOSS, Confirmed, Searched

STUDY_FILE = "study.db"
"""Opened by `optuna-dashboard sqlite:///study.db`."""


@step()
def record_sweep(
    found: Searched, confirmed: Confirmed | None, budget: BudgetConfig | None = None
) -> RunRef:
    """Write all of it to the sweep's run, which has ended, with what it cost so far."""
    run_id = found.run.run_id
    with TemporaryDirectory() as name, sweep_storage(found.study) as storage:
        folder = Path(name)
        study = as_measured(found, optuna.load_study(study_name=found.study, storage=storage))
        names = [found.metric_of(each) for each in found.objectives]
        sentences = [what_mattered(study, names), f"Ended: {found.ended}."]
        if confirmed:
            sentences.append(f"The winner {confirmed.sentence}.")
        if pick := picked(found.best, found.objectives, budget or BudgetConfig()):
            sentences.append(f"By the budget: {pick.sentence}.")
        write_pages(study, folder / "pages", objectives=names)
        table = {
            "searched": found.model_dump(mode="json"),
            "confirmed": confirmed.model_dump(mode="json") if confirmed else None,
        }
        (folder / "sweep.json").write_text(json.dumps(table, indent=1), encoding="utf-8")
        (folder / "what_mattered.txt").write_text("\n".join(sentences) + "\n", encoding="utf-8")
        optuna.copy_study(
            from_study_name=found.study,
            from_storage=storage,
            to_storage=f"sqlite:///{folder / STUDY_FILE}",
            to_study_name=f"sweep-{found.study[:8]}",
        )
        tracking.log_files(run_id, folder)
    costs = kept_costs(each.key for each in ended_steps()).values()
    spent = total(each.cost for each in costs).metrics()
    tracking.log_metrics(run_id, figures_of(found, confirmed) | spent)
    tracking.set_tags(run_id, {"mlflow.note.content": "\n\n".join(sentences)})
    return found.run


def as_measured(found: Searched, study: optuna.Study) -> optuna.Study:
    """Return the study with its metric as people know it: a loss, not minus a loss."""
    if found.metric != LOSS or "score" not in found.objectives:
        return study
    return opposite(study, found.objectives.index("score"))


def figures_of(found: Searched, confirmed: Confirmed | None) -> dict[str, float]:
    """Return how long the sweep took, and what it gained."""
    figures = {
        "trials": float(len(found.trials)),
        "cost/wall_hours": found.wall_seconds / 3600,
    }
    if found.best and len(found.objectives) == 1:
        figures[found.metric] = found.shown(found.best[0].objectives[0])
    if confirmed:
        figures |= {"confirmed/gain": confirmed.gain, "confirmed/spread": confirmed.spread}
    return figures
