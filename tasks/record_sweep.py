"""What a sweep found, in MLflow: pages, pictures, a table, settings to copy, a study to open."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import optuna
from prefect.runtime import flow_run

from infra import tracking
from infra.journal import sweep_storage
from tasks.artifacts import RunRef
from tasks.costs.cost import Cost, cost_of, total
from tasks.costs.meter import used_so_far
from tasks.costs.shares import StepCost
from tasks.evaluation.config import BudgetConfig
from tasks.kept_costs import kept_costs, prices
from tasks.promotion.records import objective_figures
from tasks.run_alone import run_alone, search_lock
from tasks.step import ended_steps, step
from tasks.sweep.outcome import opposite
from tasks.sweep.pages import write_pages
from tasks.sweep.picking import SOUGHT, Pick, picked
from tasks.sweep.summary import what_mattered
from tasks.sweep_artifacts import LOSS, Confirmed, Searched

STUDY_FILE = "study.db"
"""Opened by `optuna-dashboard sqlite:///study.db`."""
SEARCH, RECORD = "search_settings", "record_sweep"
"""Steps whose cost is that of all their calls."""
STEPS = "steps"
"""Where the study keeps what each step cost, by its key, or its name."""


@step()
def record_sweep(
    project: str, found: Searched, confirmed: Confirmed | None, budget: BudgetConfig | None = None
) -> RunRef:
    """Write all of it to the sweep's run, which has ended, with what it cost so far."""
    # A run and a sweep of one project may search side by side: one of them writes to the study.
    with run_alone(search_lock(project), flow_run.name, flow_run.id):
        return _recorded(found, confirmed, budget or BudgetConfig())


def _recorded(found: Searched, confirmed: Confirmed | None, budget: BudgetConfig) -> RunRef:
    run_id = found.run.run_id
    with TemporaryDirectory() as name, sweep_storage(found.study) as storage:
        folder = Path(name)
        searched = optuna.load_study(study_name=found.study, storage=storage)
        study = as_measured(found, searched)
        names = [found.metric_of(each) for each in found.objectives]
        sentences = [what_mattered(study, names), f"Ended: {found.ended}."]
        pick = picked(found.best, found.objectives, budget)
        if pick:
            sentences.append(f"By the budget: {pick.sentence}.")
        if confirmed:
            sentences.append(f"{'The pick' if pick else 'The winner'} {confirmed.sentence}.")
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
        costs = kept_costs(each.key for each in ended_steps())
        spent = cost_so_far(searched, costs, cost_of(*used_so_far(), prices()))
    figures = figures_of(found, pick, confirmed) | spent.metrics()
    tracking.log_metrics(run_id, figures)
    tracking.set_tags(run_id, {"mlflow.note.content": "\n\n".join(sentences)})
    return found.run


def cost_so_far(study: optuna.Study, costs: Mapping[str, StepCost], recording: Cost) -> Cost:
    """Return the cost of the steps of this call and of all before it, each once, by their keys.

    A call with another budget searches under another key: what it cost includes what others did.
    `recording` is the cost of this step, which has not ended.
    """
    known: dict[str, dict[str, float]] = dict(study.user_attrs.get(STEPS, {}))
    known[RECORD] = asdict(Cost(**known.get(RECORD, {})) + recording)
    for key, each in costs.items():
        known[SEARCH if each.step == SEARCH else key] = asdict(each.cost)
    study.set_user_attr(STEPS, known)
    return total(Cost(**each) for each in known.values())


def as_measured(found: Searched, study: optuna.Study) -> optuna.Study:
    """Return the study with its metric as people know it: a loss, not minus a loss."""
    if found.metric != LOSS or "score" not in found.objectives:
        return study
    return opposite(study, found.objectives.index("score"))


def figures_of(found: Searched, pick: Pick | None, confirmed: Confirmed | None) -> dict[str, float]:
    """Return how long the sweep took, what it found, and what it gained.

    Of a front the figures are those of the trial that the budget picks; beside them stands the best
    of each objective, which may be of another trial each.
    """
    figures = {
        "trials": float(len(found.trials)),
        "cost/wall_hours": found.wall_seconds / 3600,
    }
    is_front = len(found.objectives) > 1
    chosen = pick.trial if pick else None if is_front else next(iter(found.best), None)
    if chosen:
        figures |= named_figures(found, chosen.objectives)
    if is_front and found.best:
        columns = zip(*(trial.objectives for trial in found.best), strict=True)
        pairs = zip(found.objectives, columns, strict=True)
        ends = [(max if name in SOUGHT else min)(values) for name, values in pairs]
        figures |= {f"best/{name}": end for name, end in named_figures(found, ends).items()}
    if confirmed:
        figures |= {"confirmed/gain": confirmed.gain, "confirmed/spread": confirmed.spread}
    return figures


def named_figures(found: Searched, values: Sequence[float]) -> dict[str, float]:
    """Return values of all objectives by the names that figures of candidates have."""
    named = dict(zip(found.objectives, values, strict=True))
    return objective_figures(named, found.metric, found.quality)
