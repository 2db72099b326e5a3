"""Every form with fewer bits of one student, side by side: `python -m` this file WORK [MODEL].

`plain` is the graph whose attention is written out, as it was before it became one node.

The student is the first two layers of MiniLM with 768 neurons, trained on 8,000 tweets and their
labels (MODEL: its folder, if there is one already). Validation rows alone. Prints a Markdown table:
bytes of the bundle, p50 of a whole call in blocks A B B A with the noise of an A/A check, noise of
the logits, answers other than the float model's and macro-F1. No service is needed.
"""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import get_args
from unittest.mock import patch

import numpy as np
import torch

from flows.project_file import load_project
from tasks.artifacts import DatasetRef
from tasks.compression.config import Precision, QuantizeConfig
from tasks.data.snapshot import split_rows
from tasks.evaluation.isolation import latency_figures
from tasks.evaluation.metrics import quality_of
from tasks.packaging import export
from tasks.packaging.bundle import EXPORT, bundle_bytes
from tasks.packaging.export import export_bundle
from tasks.packaging.predictor import Predictor
from tasks.training.config import ComputeConfig
from tasks.training.device import choose_device
from tasks.training.recipes import Site, student_job
from tests.benchmarks.movies_seeds import PROJECTS
from tests.in_process import quantized, snapshot, taught

JUDGED_ROWS = 1200
FORMS = [
    *(QuantizeConfig(precision=precision) for precision in get_args(Precision)),
    QuantizeConfig(precision="int8", keep="auto"),
    QuantizeConfig(precision="int8-static", keep="auto"),
    QuantizeConfig(precision="int4-weights", keep="auto", most_noise=0.01),
]
PLAIN = ("int8, plain", QuantizeConfig())


def bundles_of(work: Path, model: Path | None) -> tuple[dict[str, Path], tuple[Path, DatasetRef]]:
    """The float bundle and its forms by name, and the data; what is refused is said."""
    project = load_project(PROJECTS / "sentiment.yaml")
    data = work / "data"
    dataset = snapshot(project.data, PROJECTS, data, project.name)
    compute = ComputeConfig(workers=1)
    if model is None:
        student = project.students[0].model_copy(update={"max_rows": 8000})
        site = Site(dataset=dataset, dataset_folder=data, compute=compute)
        model = taught(student_job(student, None, site), work / "model", choose_device(compute))
    found = {"float32": work / "float32", "float32, plain": work / "plain"}
    rows = split_rows(data, dataset, "valid").columns
    export_bundle(model, found["float32"], dataset.target, {"text": rows["text"][:50]})
    with patch.object(export, "fused_attention", lambda _: nullcontext({})):
        export_bundle(model, found["float32, plain"], dataset.target, {"text": rows["text"][:50]})
    sources = [*(("float32", form.name, form) for form in FORMS), ("float32, plain", *PLAIN)]
    for source, name, form in sources:
        quantized((data, dataset), found[source], work / name, form)
        found[name] = work / name
        print(f"{name}: {(work / name / EXPORT).read_text()}", flush=True)
    return found, (data, dataset)


def main(work: Path, model: Path | None) -> None:
    torch.set_num_threads(1)
    work.mkdir(parents=True, exist_ok=True)
    bundles, (data, dataset) = bundles_of(work, model)
    rows = split_rows(data, dataset, "valid")
    spread = [np.linspace(0, len(rows) - 1, count).astype(int) for count in (200, JUDGED_ROWS)]
    timed = latency_figures(list(bundles.values()), rows.take(spread[0]).columns)
    judged = rows.take(spread[1])
    expected = Predictor.load(bundles["float32"]).probabilities(judged.columns)
    print("| form | MB | p50 ms | against float32 | A/A noise | other answers | macro-F1 |")
    print("|---|---|---|---|---|---|---|")
    for (name, bundle), figures in zip(bundles.items(), timed, strict=True):
        found = Predictor.load(bundle).probabilities(judged.columns)
        changed = (found.argmax(1) != expected.argmax(1)).mean()
        score = quality_of(found, judged.labels, dataset.classes)["macro_f1"]
        size, ratio = bundle_bytes(bundle) / 1e6, timed[0]["p50"] / figures["p50"]
        print(
            f"| {name} | {size:.2f} | {figures['p50']:.3f} | {ratio:.2f} | {figures['noise']:.1%} "
            f"| {changed:.1%} | {score:.4f} |",
            flush=True,
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
