"""A project of interactions by our own loop, without services: `python -m` this file [MODEL ...].

Each model over 3 seeds, as exported, on the holdout, beside the baseline. `--project NAME` takes
another shipped project. Prints a Markdown table.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from flows.project_file import load_project
from tasks.artifacts import DatasetRef
from tasks.data.snapshot import split_rows
from tasks.evaluation.baseline import save_baseline
from tasks.evaluation.quality import FIGURES
from tasks.evaluation.recommended import truth_of
from tasks.packaging.export import export_bundle
from tasks.packaging.predictor import Predictor
from tasks.training.config import ComputeConfig
from tasks.training.recipes import Site, teacher_job
from tests.in_process import snapshot, taught

SEEDS = (7, 8, 9)
PROJECTS = Path(__file__).resolve().parents[2] / "flows" / "projects"


def figures(model: Path, data: Path, dataset: DatasetRef) -> dict[str, float]:
    rows = split_rows(data, dataset, "test")
    bundle = model.with_name(f"{model.name}-bundle")
    export_bundle(model, bundle, dataset.target, rows.take(np.arange(8)).columns)
    found = Predictor.load(bundle).probabilities(rows.columns)
    return FIGURES[dataset.task](found, truth_of(rows, dataset), dataset.classes)[0]


def main(project_name: str, names: list[str]) -> None:
    torch.set_num_threads(1)
    project = load_project(PROJECTS / f"{project_name}.yaml")
    configs = [project.teacher, *project.students]
    with tempfile.TemporaryDirectory() as work:
        data = Path(work) / "data"
        dataset = snapshot(project.data, PROJECTS, data, project.name)
        site = Site(dataset=dataset, dataset_folder=data, compute=ComputeConfig(workers=1))
        started = time.monotonic()
        name, *_ = save_baseline(data, dataset, Path(work) / "baseline")
        floor = figures(Path(work) / "baseline", data, dataset)
        print("| model |", " | ".join(floor), "| seconds |")
        print("|---|" + "---|" * (len(floor) + 1))
        said = " | ".join(f"{value:.4f}" for value in floor.values())
        print(f"| {name} | {said} | {time.monotonic() - started:.0f} |", flush=True)
        for config in (config for config in configs if not names or config.model in names):
            started, found = time.monotonic(), []
            for seed in SEEDS:
                folder = Path(work) / f"{config.model}-{seed}"
                seeded = config.model_copy(update={"seed": seed})
                taught(teacher_job(seeded, config.first_lr, site), folder)
                found.append(figures(folder, data, dataset))
            means = {n: [each[n] for each in found] for n in floor}
            said = " | ".join(f"{np.mean(v):.4f} ± {np.std(v):.4f}" for v in means.values())
            seconds = (time.monotonic() - started) / len(SEEDS)
            print(f"| {config.model} | {said} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--project", default="movies")
    parser.add_argument("models", nargs="*")
    arguments = parser.parse_args()
    main(arguments.project, arguments.models)
