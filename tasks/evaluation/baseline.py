"""The floor: a plain model that is cheap to train and always in the table, one a kind of data."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tasks.artifacts import DatasetRef
from tasks.data.scale import scaled
from tasks.data.snapshot import Rows, split_rows
from tasks.evaluation.biases import fit_interactions
from tasks.evaluation.boosting import fit_boosting
from tasks.evaluation.fitted import Baseline
from tasks.evaluation.hog import fit_hog
from tasks.evaluation.kneser_ney import fit_kneser_ney
from tasks.evaluation.mfcc import fit_mfcc
from tasks.evaluation.statistics_logreg import fit_statistics
from tasks.evaluation.tfidf import fit_tfidf
from tasks.training.model_folder import ModelCard, num_params, save_model


def save_baseline(data: Path, dataset: DatasetRef, folder: Path) -> tuple[str, str, int]:
    """Fit on all training rows and fill the model folder; name, digest, number of parameters."""
    rows = split_rows(data, dataset, "train")
    rows = replace(rows, labels=scaled(rows.labels, dataset.scale))
    fitted = FITS[dataset.task if dataset.task in FITS else dataset.kind](rows, dataset)
    card = ModelCard(
        family=fitted.family,
        config=fitted.config,
        encoder=fitted.encoder,
        task=dataset.task,
        classes=dataset.classes,
        scale=dataset.scale,
        inputs=dataset.inputs,
    )
    digest = save_model(folder, fitted.weights, card, fitted.encoder_files, [])
    return fitted.name, digest, num_params(fitted.weights)


FITS: dict[str, Callable[[Rows, DatasetRef], Baseline]] = {
    "text": fit_tfidf,
    "table": fit_boosting,
    "image": fit_hog,
    "audio": fit_mfcc,
    "series": fit_statistics,
    "interactions": fit_interactions,
    "generation": fit_kneser_ney,
}
"""One baseline for each kind of data, and for each task that has models of its own."""
