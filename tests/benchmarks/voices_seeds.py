"""Accuracy on the holdout of the project `voices`, over seeds of the split and of the training:
`python -m` this file. Prints a Markdown table. About 6 minutes on one core.
"""

import tempfile
from pathlib import Path

import numpy as np
import torch

from flows.project import Project
from flows.project_file import load_project
from tasks.artifacts import DatasetRef
from tasks.data.snapshot import split_rows
from tasks.evaluation.baseline import save_baseline
from tasks.packaging.export import export_bundle, prove_parity
from tasks.packaging.predictor import Predictor
from tasks.training.config import TrainConfig
from tasks.training.recipes import teacher_job
from tests.in_process import site_of, snapshot, taught

SEEDS = (7, 8, 9, 10, 11)
PROJECT = Path(__file__).parents[2] / "flows" / "projects" / "voices.yaml"


def prepared(project: Project, seed: int, folder: Path) -> DatasetRef:
    split = project.data.split.model_copy(update={"seed": seed})
    config = project.data.model_copy(update={"split": split})
    return snapshot(config, PROJECT.parent, folder, project.name)


def accuracy(model: Path, data: Path, dataset: DatasetRef) -> float:
    """Of the exported bundle on the holdout."""
    test, bundle = split_rows(data, dataset, "test"), model.with_suffix(".bundle")
    export_bundle(model, bundle, dataset.target, test.columns)
    found = Predictor.load(bundle).probabilities(test.columns)
    prove_parity(model, bundle, test.columns, found)
    return float((found.argmax(1) == test.labels).mean())


def trained(config: TrainConfig, data: Path, dataset: DatasetRef, model: Path) -> None:
    taught(teacher_job(config, config.usual_lr, site_of(data, dataset)), model)


def scores_of(project: Project, seed: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = folder / "data"
        dataset = prepared(project, seed, data)
        found = {}
        floor, _, _ = save_baseline(data, dataset, folder / "floor")
        found[floor] = accuracy(folder / "floor", data, dataset)
        for config in (project.teacher, *project.students):
            seeded = config.model_copy(update={"seed": seed})
            trained(seeded, data, dataset, folder / config.name)
            found[config.name] = accuracy(folder / config.name, data, dataset)
            plain = seeded.augment.model_copy(update={"shift": 0, "noise": 0, "masks": 0})
            bare = f"{config.name}, not varied"
            trained(seeded.model_copy(update={"augment": plain}), data, dataset, folder / bare)
            found[bare] = accuracy(folder / bare, data, dataset)
        return found


def main() -> None:
    torch.set_num_threads(1)
    project = load_project(PROJECT)
    found = [scores_of(project, seed) for seed in SEEDS]
    print(f"| model | accuracy | {' | '.join(f'seed {seed}' for seed in SEEDS)} |")
    print("|---" * (2 + len(SEEDS)) + "|")
    for name in found[0]:
        scores = [each[name] for each in found]
        print(f"| {name} | {np.mean(scores):.4f} | {' | '.join(f'{s:.3f}' for s in scores)} |")


if __name__ == "__main__":
    main()
