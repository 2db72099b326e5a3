"""A trial's model as it would be deployed: exported, in fewer bits, asked in a process of its own.

What a search trades against one another, measured as a retraining measures its candidates.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from torch import Tensor

from tasks.artifacts import DatasetRef
from tasks.compression.config import QuantizeConfig
from tasks.compression.gain import is_smaller
from tasks.compression.quantize import quantize_bundle
from tasks.compression.sample import Sample
from tasks.data.snapshot import Rows
from tasks.evaluation.confusions import Metric
from tasks.evaluation.isolation import answers, cost_figures, latency_figures
from tasks.evaluation.quality import FIGURES, LATENCY_ROWS
from tasks.evaluation.recommended import truth_of
from tasks.packaging.bundle import bundle_bytes
from tasks.packaging.deploy import ALONE, DeployConfig
from tasks.packaging.export import export_bundle
from tasks.sweep.passes import Check, unhindered
from tasks.training.job import TrainingJob
from tasks.training.recipes import save_trained

QUALITY_ROWS = 2000
"""Validation rows that a trial's bundle answers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """In which form a trial's model is deployed, and what proves it."""

    dataset: DatasetRef
    rows: Rows
    """Validation rows."""
    metric: Metric
    form: QuantizeConfig | None
    """None: as it was trained."""
    sample: Sample
    """What a quantiser looks at."""
    deploy: DeployConfig = ALONE
    """Where it answers."""


def deployed_figures(
    job: TrainingJob,
    trained: Mapping[str, Tensor],
    about: Deployment,
    sought: Collection[str],
    check: Check = unhindered,
) -> dict[str, float]:
    """Those that are sought of: quality on validation rows, latency (ms), size and peak memory (MB)
    of the exported model.

    A form that is no smaller is not taken: then the figures are of the float bundle. Raises what
    `check` does between two of the measurements.
    """
    check()
    with TemporaryDirectory(prefix="trial-") as work:
        model, bundle = Path(work, "model"), Path(work, "bundle")
        save_trained(model, job, trained, [])
        export_bundle(model, bundle, about.dataset.target, about.rows.columns)
        check()
        bundle = _compressed(bundle, about)
        figures = {"size_mb": bundle_bytes(bundle) / 1e6}
        if "quality" in sought:
            check()
            figures["quality"] = _quality(bundle, about)
        columns = about.rows.spread(LATENCY_ROWS).columns
        if not {"p50_ms", "p95_ms"}.isdisjoint(sought):
            check()
            [latency] = latency_figures([bundle], columns, about.deploy)
            figures |= {"p50_ms": latency["p50"], "p95_ms": latency["p95"]}
        if "memory_mb" in sought:
            check()
            figures["memory_mb"] = cost_figures(bundle, columns, about.deploy)["peak_memory_mb"]
        return {name: figure for name, figure in figures.items() if name in sought}


def _compressed(bundle: Path, about: Deployment) -> Path:
    if about.form is None:
        return bundle
    smaller = bundle.with_name("smaller")
    quantize_bundle(bundle, smaller, about.form, about.sample)
    return smaller if is_smaller(bundle_bytes(smaller), bundle_bytes(bundle)) else bundle


def _quality(bundle: Path, about: Deployment) -> float:
    asked = about.rows.spread(QUALITY_ROWS)
    found, truth = answers(bundle, asked.columns), truth_of(asked, about.dataset)
    figures, _, _ = FIGURES[about.dataset.task](found, truth, about.dataset.classes)
    return figures[about.metric]
