"""Learning curves and the choice of the learning rate, to MLflow."""

from pathlib import Path
from tempfile import TemporaryDirectory

from infra import tracking
from infra.storage import open_storage
from tasks.artifacts import RunRef, TrainedModel, Tuned
from tasks.evaluation.plots import plot_learning_curves, plot_learning_rates
from tasks.promotion.config import USUAL_METRICS
from tasks.promotion.records import child_key, child_tags, read_history
from tasks.step import step

CHOOSING = tuple(f"curve/valid/{metric}" for metric in USUAL_METRICS)
"""What is drawn: the first of these that the models recorded."""


@step()
def record_training(run: RunRef, models: list[TrainedModel], tuned: Tuned) -> dict[str, str]:
    """Give every model a child run with its curve; run ids by name."""
    with TemporaryDirectory() as folder:
        picture = plot_learning_rates(tuned, Path(folder) / "learning_rates.png")
        tracking.log_files(run.run_id, picture, "plots")
        tracking.log_files(run.run_id, _plot_curves(models, Path(folder)), "plots")
    tracking.set_tags(run.run_id, {"modelworks.learning_rate": tuned.reason})
    tracking.log_metrics(run.run_id, {"tuned/lr": tuned.lr})
    return {model.name: _record_model(run, model) for model in models}


def _plot_curves(models: list[TrainedModel], folder: Path) -> Path:
    curves = {m.name: read_history(open_storage().fetch_folder(m.uri)) for m in models}
    seen = {metric for curve in curves.values() for point in curve for metric in point}
    metric = next((name for name in CHOOSING if name in seen), CHOOSING[0])
    return plot_learning_curves(curves, metric, folder / "learning_curves.png")


def _record_model(run: RunRef, model: TrainedModel) -> str:
    params = {"role": model.role, "parent": model.parent, "params": model.params}
    if model.batch_size is not None:
        params["batch_size"] = model.batch_size
    key, tags = child_key(run, model), child_tags(model)
    child = tracking.child_run(run.run_id, key, model.name, tags, params)
    tracking.log_history(child, read_history(open_storage().fetch_folder(model.uri)))
    return child
