"""A fitted estimator as a model folder: model.json, model.onnx and its answers; never a pickle."""

import logging
from pathlib import Path

import onnx
import ray
from safetensors.numpy import save_file

from tasks.costs.meter import answer_of, measured
from tasks.estimators.fitting import FittedEstimator, fit_estimator
from tasks.packaging.bundle import GRAPH
from tasks.packaging.manifest import digest_of_files, write_manifest
from tasks.training.distributed import MAX_FAILURES, check_cluster
from tasks.training.job import OnProgress
from tasks.training.model_folder import CARD, HISTORY, LESSON, VALID, ModelCard
from tasks.training.recipes import SavedModel, Site
from tasks.training.sklearn_architecture import SklearnEstimator, SklearnTeacher

log = logging.getLogger(__name__)


def estimator_into(
    folder: Path, config: SklearnEstimator, site: Site, threads: int, on_progress: OnProgress
) -> SavedModel:
    """Fit on the cluster that this process is connected to, and write the model folder.

    Raises ValueError when it cannot learn these rows, and for a student that does not export.
    """
    check_cluster(threads)
    on_progress(0, 1, f"fitting {config.estimator}")
    task = ray.remote(num_cpus=threads, max_retries=MAX_FAILURES)(measured(fit_estimator))
    train, valid = site.rows("train"), site.rows("valid")
    try:
        fitted = answer_of(ray.get(task.remote(config, site.dataset, train, valid, threads)))
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    on_progress(1, 1, f"fitted {config.estimator}")
    return save_estimator(folder, fitted, config, site)


def save_estimator(
    folder: Path, fitted: FittedEstimator, config: SklearnEstimator, site: Site
) -> SavedModel:
    """Fill `folder`; ValueError when a candidate has no graph."""
    if fitted.graph is None and not isinstance(config, SklearnTeacher):
        raise ValueError(
            f"estimator {config.estimator} of {config.name} may teach and not be a candidate: "
            f"{fitted.why}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    deciding = _write(folder, fitted, config, site)
    (folder / HISTORY).write_text("[]\n", encoding="utf-8")
    digest = digest_of_files(folder, deciding)
    write_manifest(folder, digest)
    if fitted.graph is None:
        log.warning("%s teaches and is not in the table: %s", config.estimator, fitted.why)
    return SavedModel(digest, fitted.params, exports=fitted.graph is not None)


def _write(
    folder: Path, fitted: FittedEstimator, config: SklearnEstimator, site: Site
) -> list[str]:
    """Names of the files that decide an answer, or the lesson of what cannot answer."""
    card = ModelCard(
        family="estimator",
        config=config.model_dump(mode="json", exclude={"name", "model"}),
        encoder=fitted.features.encoder,
        task=site.dataset.task,
        classes=site.dataset.classes,
        scale=site.dataset.scale,
        inputs=site.dataset.inputs,
    )
    (folder / CARD).write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")
    for name, content in fitted.features.files.items():
        (folder / name).write_bytes(content)
    answers = {VALID: fitted.valid} | ({} if fitted.lesson is None else {LESSON: fitted.lesson})
    for name, logits in answers.items():
        save_file({"answers": logits}, folder / name)
    if fitted.graph is not None:
        onnx.save(fitted.graph, folder / GRAPH)
    return [CARD, *fitted.features.files, *([GRAPH] if fitted.graph is not None else answers)]
