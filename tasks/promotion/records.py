"""What the tracking server is told about artifacts: names, figures, keys. Pure."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.artifacts import Candidate, EvalReport, RunRef, TrainedModel
from tasks.quality_artifacts import QualityReport
from tasks.sweep_artifacts import LOSS

RETRAIN = "retrain"
"""Role of a parent run; its children have their candidate's."""
MADE_FROM, MODEL, PARENTS = "modelworks.parent", "modelworks.model", "modelworks.parents"
"""Tags of a model: its parents' name, the digests of its float weights and of theirs."""

OF_OBJECTIVES = {
    "p50_ms": "latency/p50_ms",
    "p95_ms": "latency/p95_ms",
    "memory_mb": "memory/peak_mb",
    "size_mb": "size/bytes",
    "parameters": "params",
}


def digest_of(*parts: Any) -> str:
    """One digest of JSON values."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def flat_params(settings: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """`{"teacher": {"lr": 1}}` as `{"teacher.lr": "1"}`; lists of tables by number."""
    flat: dict[str, str] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            flat |= flat_params(value, f"{prefix}{name}.")
        elif isinstance(value, Sequence) and value and isinstance(value[0], Mapping):
            for index, item in enumerate(value):
                flat |= flat_params(item, f"{prefix}{name}.{index}.")
        else:
            flat[prefix + name] = str(value)
    return flat


def figures_of(report: EvalReport) -> dict[str, float]:
    """All figures of a report by the names that every child run shares."""
    cost = report.cost
    quality = {f"{report.split}/{name}": value for name, value in report.figures.items()}
    figures = {
        **quality,
        "latency/p50_ms": cost.latency_ms.p50,
        "latency/p95_ms": cost.latency_ms.p95,
        "latency/noise": cost.latency_ms.noise,
        "throughput/rows_per_second": cost.rows_per_second,
        "memory/peak_mb": cost.peak_memory_mb,
        "size/bytes": float(report.candidate.size_bytes),
        "params": float(report.candidate.params),
    }
    if cost.tokens_per_second is not None:
        figures["throughput/tokens_per_second"] = cost.tokens_per_second
    if cost.eager_p50_ms is not None:
        figures["latency/eager_p50_ms"] = cost.eager_p50_ms
    if cost.eager_memory_mb is not None:
        figures["memory/eager_peak_mb"] = cost.eager_memory_mb
    return {safe_name(name): value for name, value in figures.items()}


def objective_figures(
    objectives: Mapping[str, float], score: str, quality: str
) -> dict[str, float]:
    """What a search seeks, by the names that figures of candidates have.

    `score` and `quality` are the names of what these are: `valid/loss`, `valid/accuracy`.
    """
    names = OF_OBJECTIVES | {"score": score, "quality": quality}
    factors = {"size_mb": 1e6, "score": -1.0 if score == LOSS else 1.0}
    return {
        safe_name(names.get(each, each)): value * factors.get(each, 1.0)
        for each, value in objectives.items()
    }


def data_figures(report: Mapping[str, Any]) -> dict[str, float]:
    """Figures of a data report: rows, warnings, how far each column has drifted."""
    rows = {f"data/rows_{name}": float(report["rows"][name]) for name in ("read", "kept")}
    drift = {
        f"data/drift/{safe_name(name)}": float(found["psi"])
        for name, found in report.get("drift", {}).items()
    }
    return {**rows, **drift, "data/warnings": float(len(report.get("warnings", ())))}


def quality_figures(report: QualityReport) -> dict[str, float]:
    """What damage leaves of the metric, and the chosen one's estimate on each slice."""
    known = {
        **{f"robust/{probed.name}": probed.estimate for probed in report.robustness},
        **{f"slice/{s.slicing}/{s.name}": s.estimates[report.sha256] for s in report.slices},
    }
    found = {name: estimate.value for name, estimate in known.items() if estimate is not None}
    if report.calibration is not None:
        found["calibration_error_before"] = report.calibration.error_before
        found["temperature"] = report.calibration.temperature
    return {safe_name(f"test/{name}"): value for name, value in found.items()}


def safe_name(name: str) -> str:
    """A name that MLflow takes: a class may be called anything."""
    return re.sub(r"[^\w\-. :/]", "_", name, flags=re.ASCII)


def child_key(run: RunRef, item: TrainedModel | Candidate) -> str:
    """Key of the child run that a model and the bundle exported from it share."""
    sha256 = item.sha256 if isinstance(item, TrainedModel) else item.model_sha256
    return f"{run.run_id}/{item.name}/{sha256[:16]}"


def child_tags(item: TrainedModel | Candidate) -> dict[str, str]:
    """Role, parent models and digests, as tags."""
    sha256 = item.sha256 if isinstance(item, TrainedModel) else item.model_sha256
    tags: dict[str, str] = {"modelworks.role": item.role, MODEL: sha256}
    if item.parent is not None:
        tags[MADE_FROM] = item.parent
    if item.parents:
        tags[PARENTS] = " ".join(item.parents)
    if isinstance(item, Candidate):
        tags["modelworks.bundle"] = item.sha256
    return tags


def read_history(folder: Path) -> list[dict[str, float]]:
    """The learning curve in a model folder; empty for a model that has none.

    Scores of the float model while it learned are named `curve/valid/...`: `valid/...` is what the
    exported bundle scored.
    """
    path = folder / "history.json"
    if not path.is_file():
        return []
    points: list[dict[str, float]] = json.loads(path.read_text(encoding="utf-8"))
    return [{_curve_name(name): value for name, value in point.items()} for point in points]


def _curve_name(name: str) -> str:
    return safe_name(f"curve/{name}" if name.startswith("valid/") else name)
