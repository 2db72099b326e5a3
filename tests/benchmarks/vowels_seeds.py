"""The vowels by our own loop, without services: `python -m` this file [--folds].

Teacher, each student taught by it and its control, as exported, over 3 seeds, beside the baseline:
accuracy on the holdout. With `--folds` the holdout is left alone: five divisions of the other 270
rows, which is what settings are chosen by. Prints a Markdown table.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch

from flows.project import Project
from flows.project_file import load_project
from tasks.data.snapshot import split_rows
from tasks.evaluation.baseline import save_baseline
from tasks.training.answers import logits_of
from tasks.training.config import ComputeConfig
from tasks.training.course import Setting
from tasks.training.examples import encode
from tasks.training.model_folder import load_model
from tasks.training.recipes import Lesson, Site, student_job, teacher_job
from tests.benchmarks.movies_seeds import PROJECTS, SEEDS, figures
from tests.in_process import CPU, snapshot, taught

FOLDS = 5
FOLD_SHARE = 0.2


def lesson_of(project: Project, site: Site, teacher: Path) -> Lesson:
    model, encoder, _ = load_model(teacher)
    rows = split_rows(site.dataset_folder, site.dataset, "train")
    examples = encode(encoder, rows.columns, rows.labels)
    return Lesson(project.compress.distil, logits_of(model, encoder, examples, Setting(CPU)))


def accuracies(project: Project, seed: int, work: Path) -> dict[str, float]:
    """By model, of one seed of the training."""
    data = work / "data"
    dataset = snapshot(project.data, PROJECTS, data, project.name)
    site = Site(dataset=dataset, dataset_folder=data, compute=ComputeConfig(workers=1))
    name, *_ = save_baseline(data, dataset, work / "baseline")
    found = {name: figures(work / "baseline", data, dataset)["accuracy"]}
    teacher = project.teacher.model_copy(update={"seed": seed})
    taught(teacher_job(teacher, teacher.first_lr, site), work / "teacher")
    found[f"teacher: {teacher.model}"] = figures(work / "teacher", data, dataset)["accuracy"]
    lesson = lesson_of(project, site, work / "teacher")
    for student in project.students:
        seeded = student.model_copy(update={"seed": seed})
        for name, its_lesson in ((student.name, lesson), (f"{student.name}-control", None)):
            taught(student_job(seeded, its_lesson, site), work / name)
            found[name] = figures(work / name, data, dataset)["accuracy"]
    return found


def without_holdout(project: Project, seed: int) -> Project:
    """The same project on the rows that are not the holdout, a fifth of them in its place."""
    split = project.data.split.model_copy(update={"test": FOLD_SHARE, "seed": seed})
    data = project.data.model_copy(update={"split": split})
    return project.model_copy(update={"data": data})


def main(folds: bool) -> None:
    torch.set_num_threads(1)
    project = load_project(PROJECTS / "vowels.yaml")
    seeds = range(FOLDS) if folds else SEEDS
    found = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as work:
            asked = without_holdout(project, seed) if folds else project
            found.append(accuracies(asked, seed, Path(work)))
    print(f"| model | accuracy | {' | '.join(f'seed {seed}' for seed in seeds)} |")
    print("|---" * (2 + len(seeds)) + "|")
    for name in found[0]:
        each = [scores[name] for scores in found]
        said = " | ".join(f"{score:.4f}" for score in each)
        print(f"| {name} | {np.mean(each):.4f} ± {np.std(each):.4f} | {said} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--folds", action="store_true")
    main(parser.parse_args().folds)
