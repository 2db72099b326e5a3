"""Hints on `digits` by our own loop, without services: `python -m` this file.

A LeNet teaches both students by answers alone, by its features, by relations, by both; beside the
control, over 3 seeds, on validation rows: macro-F1, mean loss, divergence from the teacher's
answers. The holdout is not looked at. Prints a Markdown table.
"""

import tempfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from flows.project_file import load_project
from tasks.data.snapshot import Rows, split_rows
from tasks.training.answers import logits_of
from tasks.training.course import Setting
from tasks.training.examples import encode
from tasks.training.hints import show_features
from tasks.training.model_folder import load_model
from tasks.training.recipes import Lesson, student_job, teacher_job
from tasks.training.scores import class_scores
from tests.benchmarks.movies_seeds import PROJECTS, SEEDS
from tests.in_process import CPU, site_of, snapshot, taught

WAYS: dict[str, dict[str, float] | None] = {
    "control": None,
    "answers": {},
    "features 0.3": {"features": 0.3},
    "features 1": {"features": 1.0},
    "relations 0.5": {"relations": 0.5},
    "both": {"features": 0.3, "relations": 0.5},
}


def said(folder: Path, rows: Rows, with_features: bool = False) -> NDArray[np.float32]:
    model, encoder, _ = load_model(folder)
    if with_features:
        show_features(model)
    return logits_of(model, encoder, encode(encoder, rows.columns, rows.labels), Setting(CPU))


def divergence(teacher_NC: NDArray[np.float32], student_NC: NDArray[np.float32]) -> float:
    theirs, ours = (torch.from_numpy(x).double().log_softmax(1) for x in (teacher_NC, student_NC))
    return float((theirs.exp() * (theirs - ours)).sum(1).mean())


def main(work: Path) -> None:
    torch.set_num_threads(1)
    project = load_project(PROJECTS / "digits.yaml")
    dataset = snapshot(project.data, PROJECTS, work / "data", project.name)
    site = site_of(work / "data", dataset)
    train, valid = (split_rows(work / "data", dataset, split) for split in ("train", "valid"))
    found: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    for seed in SEEDS:
        teacher, folder = project.teacher.model_copy(update={"seed": seed}), work / f"{seed}"
        taught(teacher_job(teacher, teacher.first_lr, site), folder)
        lesson, answers = said(folder, train, True), said(folder, valid)
        for student in project.students:
            seeded = student.model_copy(update={"seed": seed})
            for way, hints in WAYS.items():
                config = project.compress.distil.model_copy(update=hints or {})
                known = lesson if hints else lesson[:, : dataset.num_outputs].copy()
                own = None if hints is None else Lesson(config, known)
                made = taught(student_job(seeded, own, site), work / f"{seed}{student.name}{way}")
                given = said(made, valid)
                scores = class_scores(given, valid.labels)
                found.setdefault((student.name, way), []).append(
                    (scores["valid/macro_f1"], scores["valid/loss"], divergence(answers, given))
                )
    print("| student | taught by | macro-F1 | loss | divergence |\n|---|---|---|---|---|")
    for (name, way), each in found.items():
        means, spread = np.mean(each, axis=0), np.std(each, axis=0)
        shown = " | ".join(f"{m:.4f} ± {s:.4f}" for m, s in zip(means, spread, strict=True))
        print(f"| {name} | {way} | {shown} |")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder))
