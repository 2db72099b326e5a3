"""The end of a retraining, in MLflow: verdict, reason, evidence, Pareto plot."""

from pathlib import Path
from tempfile import TemporaryDirectory

from infra import tracking
from tasks.artifacts import Decision, EvalReport, RunRef
from tasks.evaluation.plots import plot_pareto
from tasks.promotion.config import GatePolicy
from tasks.step import step


@step()
def record_decision(
    run: RunRef,
    reports: list[EvalReport],
    gate: GatePolicy,
    selected: str,
    decision: Decision,
    version: int,
) -> str:
    """Write the decision to the parent run and end it; the verdict."""
    with TemporaryDirectory() as folder:
        plot_pareto(reports, gate.metric, selected, Path(folder) / "plots" / "pareto.png")
        (Path(folder) / "decision.json").write_text(decision.model_dump_json(indent=1))
        tracking.log_files(run.run_id, Path(folder))
    tags = {
        "modelworks.verdict": decision.verdict,
        "modelworks.reason": decision.reason[:4000],
        "modelworks.selected": selected,
        "modelworks.version": str(version),
    }
    tracking.set_tags(run.run_id, tags)
    tracking.end_run(run.run_id, "FINISHED")
    return decision.verdict
