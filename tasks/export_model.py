"""From float weights to the graph that is deployed."""

from pathlib import Path
from tempfile import TemporaryDirectory

from infra.storage import open_storage
from tasks.artifacts import Candidate, DatasetRef, TrainedModel
from tasks.compression.sparsity import zipped_bytes
from tasks.evaluation.exporting import export_and_prove
from tasks.evaluation.quality import prediction_prefix
from tasks.packaging.answers import save_answers
from tasks.packaging.bundle import bundle_bytes
from tasks.step import step


@step()
def export_model(model: TrainedModel, dataset: DatasetRef) -> Candidate:
    """Bundle the model, prove that the graph answers alike, keep its validation answers."""
    storage = open_storage()
    source, data = storage.fetch_folder(model.uri), storage.fetch_folder(dataset.uri)
    with TemporaryDirectory() as folder:
        bundle, found = Path(folder, model.name), Path(folder, "predictions")
        digest, answers = export_and_prove(source, bundle, data, dataset, model.role)
        save_answers(found, answers)
        storage.upload_folder(found, prediction_prefix(digest, dataset.sha256, "valid"))
        return Candidate(
            name=model.name,
            role=model.role,
            parent=model.parent,
            uri=storage.upload_folder(bundle, f"bundles/{digest}"),
            sha256=digest,
            size_bytes=bundle_bytes(bundle),
            params=model.params,
            model_sha256=model.sha256,
            parents=model.parents,
            zeros=model.zeros,
            form=model.form,
            zipped_bytes=zipped_bytes(bundle) if model.zeros else None,
        )
