"""A trial's model as it would be deployed: exported, in fewer bits, asked in a process of its own.

What a search trades against one another, measured as a retraining measures its candidates.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from torch import Tensor

from tasks.compression.config import QuantizeConfig
from tasks.compression.quantize import NotSmaller, quantize_bundle
from tasks.compression.sample import sample_of
from tasks.data.snapshot import split_rows
from tasks.evaluation.confusions import Metric
from tasks.evaluation.isolation import answers, cost_figures, latency_figures
from tasks.evaluation.quality import FIGURES, latency_rows
from tasks.evaluation.recommended import truth_of
from tasks.packaging.bundle import bundle_bytes
from tasks.packaging.export import export_bundle
from tasks.training.job import TrainingJob
from tasks.training.recipes import Site, save_trained

QUALITY_ROWS = 2000
"""Validation rows that a trial's bundle answers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """In which form a trial's model is deployed, and what proves it."""

    site: Site
    metric: Metric
    form: QuantizeConfig | None = None
    """None: as it was trained."""


def deployed_figures(
    job: TrainingJob, trained: Mapping[str, Tensor], about: Deployment
) -> dict[str, float]:
    """Quality on validation rows, latency (ms), size and peak memory (MB) of the exported model.

    A form that is no smaller is not taken: then the figures are of the float bundle.
    """
    data, dataset = about.site.dataset_folder, about.site.dataset
    with TemporaryDirectory(prefix="trial-") as work:
        model, bundle = Path(work, "model"), Path(work, "bundle")
        save_trained(model, job, trained, [])
        rows = split_rows(data, dataset, "valid")
        export_bundle(model, bundle, dataset.target, rows.columns)
        bundle = _compressed(bundle, about)
        spread = np.linspace(0, len(rows) - 1, min(len(rows), QUALITY_ROWS)).round()
        asked = rows.take(spread.astype(np.int64))
        found, truth = answers(bundle, asked.columns), truth_of(asked, dataset)
        figures, _, _ = FIGURES[dataset.task](found, truth, dataset.classes)
        columns = latency_rows(data, dataset).columns
        (latency,), cost = latency_figures([bundle], columns), cost_figures(bundle, columns)
        return {
            "quality": figures[about.metric],
            "p50_ms": latency["p50"],
            "p95_ms": latency["p95"],
            "size_mb": bundle_bytes(bundle) / 1e6,
            "memory_mb": cost["peak_memory_mb"],
        }


def _compressed(bundle: Path, about: Deployment) -> Path:
    if about.form is None:
        return bundle
    smaller = bundle.with_name("smaller")
    sample = sample_of(about.site.dataset_folder, about.site.dataset)
    try:
        quantize_bundle(bundle, smaller, "trial", about.form, sample)
    except NotSmaller:
        return bundle
    return smaller
