"""Train a finished model on, computing as its form with fewer bits will."""

import tempfile
from functools import partial
from pathlib import Path

from infra.cluster import connect
from infra.progress import report
from infra.storage import open_storage
from tasks.artifacts import DatasetRef, TrainedModel
from tasks.code_digest import code_digest
from tasks.compression.config import QuantizeConfig
from tasks.compression.controls import CONTROL, named
from tasks.fetched_lesson import Taught, fetched_lesson, identity_of
from tasks.kept_checkpoints import checkpoints_at
from tasks.step import step
from tasks.training.config import ComputeConfig, TrainConfig
from tasks.training.job import run_key
from tasks.training.model_folder import trained_blueprint
from tasks.training.recipes import Site, aware_job, train_into


@step()
def train_aware(
    source: TrainedModel,
    config: TrainConfig,
    form: QuantizeConfig,
    taught: Taught | None,
    compute: ComputeConfig,
    dataset: DatasetRef,
) -> TrainedModel:
    """Return the float weights from which that form is made: of nothing else.

    When it is not taught, the control: its `source` is a control, too. `config` are the settings
    that `source` was trained with.
    """
    storage = open_storage()
    connect()
    what = (source.sha256, config, form, compute, *identity_of(taught))
    key = run_key("aware", code_digest(__name__), dataset, *what)
    store = checkpoints_at(key)
    site = Site(dataset=dataset, dataset_folder=storage.fetch_folder(dataset.uri), compute=compute)
    lesson = fetched_lesson(taught, dataset)
    blueprint = trained_blueprint(storage.fetch_folder(source.uri))
    of = source.name if taught else source.name.removesuffix(CONTROL)
    name, role = named(f"{of}-{form.name}", "compressed", is_control=taught is None)
    with tempfile.TemporaryDirectory(prefix="aware-") as folder:
        job = aware_job(config, form, lesson, site, blueprint)
        saved = train_into(Path(folder), job, store, partial(report, f"train_aware {name}"))
        uri = storage.upload_folder(Path(folder), f"models/{saved.digest}")
    return TrainedModel(
        name=name,
        role=role,
        parent=source.name,
        parents=(source.sha256,),
        uri=uri,
        sha256=saved.digest,
        params=saved.params,
        batch_size=source.batch_size,
        form=form.name,
    )
