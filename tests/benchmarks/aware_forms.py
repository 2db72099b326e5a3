"""What training with a form's rounding is worth: `python -m` this file PROJECT STUDENT WORK.

A student of a shipped project, taught by its teacher; as it is, after passes more in float, and
after as many with rounding, at `--lr`; each in float and in its form (`--precision`), on
validation rows: macro-F1, answers other than its own in float, divergence of the form's answers
from the teacher's. The holdout is not looked at. `--epochs` more over `--rows` of the training
rows. What is trained stays in WORK. Prints a Markdown table, means over `--seeds`. No service is
needed.
"""

import argparse
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from time import process_time

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import rel_entr

from flows.project import Project
from flows.project_file import load_project
from tasks.artifacts import DatasetRef
from tasks.compression.config import TRAINED_FOR, AwareConfig, QuantizeConfig
from tasks.data.snapshot import split_rows
from tasks.evaluation.isolation import answers
from tasks.evaluation.metrics import quality_of
from tasks.packaging.export import export_bundle
from tasks.training.answers import logits_of
from tasks.training.config import ComputeConfig, TrainConfig
from tasks.training.course import Setting
from tasks.training.device import choose_device
from tasks.training.examples import encode
from tasks.training.model_folder import load_model, trained_blueprint
from tasks.training.recipes import Lesson, Site, aware_job, student_job, teacher_job
from tests.benchmarks.movies_seeds import PROJECTS
from tests.in_process import quantized, snapshot, taught

ALONE = ComputeConfig(workers=1, device="cpu")
DEVICE = choose_device(ALONE)


def site_in(work: Path, project: Project) -> Site:
    """The project's rows, prepared once."""
    about = work / "dataset.json"
    if not about.exists():
        dataset = snapshot(project.data, PROJECTS, work / "data", project.name)
        about.write_text(dataset.model_dump_json(), encoding="utf-8")
    dataset = DatasetRef.model_validate_json(about.read_text(encoding="utf-8"))
    return Site(dataset=dataset, dataset_folder=work / "data", compute=ALONE)


def said_by(teacher: Path, kept: Path, site: Site, split: str) -> NDArray[np.float32]:
    """The teacher's logits of a split, asked once."""
    if not kept.exists():
        model, encoder, _ = load_model(teacher)
        rows = split_rows(site.dataset_folder, site.dataset, split)  # type: ignore[arg-type]
        examples = encode(encoder, rows.columns, rows.labels)
        np.save(kept, logits_of(model, encoder, examples, Setting(DEVICE)))
    found: NDArray[np.float32] = np.load(kept)
    return found


def models_of(
    work: Path, project: Project, config: TrainConfig, seed: int, form: QuantizeConfig
) -> Iterable[tuple[str, Path]]:
    """The student, and what more passes make of it, each trained once."""
    site, teacher = site_in(work, project), work / f"teacher-{seed}"
    if not teacher.exists():
        asked = project.teacher.model_copy(update={"seed": seed})
        assert isinstance(asked, TrainConfig)
        taught(teacher_job(asked, asked.first_lr, site), teacher, DEVICE)
    said = said_by(teacher, work / f"answers-{seed}.npy", site, "train")
    lesson, config = Lesson(project.compress.distil, said), config.model_copy(update={"seed": seed})
    student = work / f"{config.name}-{seed}"
    if not student.exists():
        taught(student_job(config, lesson, site), student, DEVICE)
    yield "as it is", student
    more = form.aware
    assert more is not None, "it is trained for"
    job = aware_job(config, form, lesson, site, trained_blueprint(student))
    in_float = replace(job, course=replace(job.course, fake_quantized=None))
    for way, each in (("float", in_float), (form.name, job)):
        begin = process_time()
        folder = work / f"{student.name}-{way}-{more.epochs}x{more.max_rows}-{job.course.lr:.2g}"
        if not folder.exists():
            taught(each, folder, DEVICE)
            print(f"{folder.name}: {process_time() - begin:.0f} CPU s", flush=True)
        yield f"{more.epochs} x {way}", folder


def figures_of(
    model: Path, form: QuantizeConfig, site: Site, teacher: NDArray[np.float32]
) -> NDArray[np.float64]:
    """macro-F1 in float and in its form, share of other answers, divergence from the teacher."""
    data, dataset = site.dataset_folder, site.dataset
    bundle = model.with_name(f"{model.name}-bundle")
    smaller = bundle.with_name(f"{bundle.name}-{form.precision}")
    rows = split_rows(data, dataset, "valid")
    if not bundle.exists():
        export_bundle(model, bundle, dataset.target, rows.columns)
    if not smaller.exists():
        quantized((data, dataset), bundle, smaller, form)
    found = [answers(folder, rows.columns) for folder in (bundle, smaller)]
    scores = [quality_of(each, rows.labels, dataset.classes)["macro_f1"] for each in found]
    others = float((found[0].argmax(1) != found[1].argmax(1)).mean())
    expected = torch.from_numpy(teacher).double().softmax(1).numpy()
    apart = float(rel_entr(expected, found[1].astype(np.float64)).sum(1).mean())
    return np.array([*scores, others, apart])


def main(
    project_name: str, student: str, work: Path, seeds: list[int], form: QuantizeConfig
) -> None:
    torch.set_num_threads(1)
    work.mkdir(exist_ok=True)
    project = load_project(PROJECTS / f"{project_name}.yaml")
    config = next(each for each in project.students if each.name == student)
    assert isinstance(config, TrainConfig), f"{student} is not trained by steps"
    site = site_in(work, project)
    found: dict[str, list[NDArray[np.float64]]] = {}
    for seed in seeds:
        for way, model in models_of(work, project, config, seed, form):
            teacher = said_by(work / f"teacher-{seed}", work / f"valid-{seed}.npy", site, "valid")
            found.setdefault(way, []).append(figures_of(model, form, site, teacher))
    print(f"| trained further | float | {form.precision} | others | from the teacher |")
    print("|---" * 5 + "|")
    for way, each in found.items():
        means, spread = np.mean(each, axis=0), np.std(each, axis=0)
        shown = " | ".join(f"{m:.4f} ± {s:.4f}" for m, s in zip(means, spread, strict=True))
        print(f"| {way} | {shown} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("project")
    parser.add_argument("student")
    parser.add_argument("work", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[7, 8, 9])
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--lr", type=float)
    parser.add_argument("--precision", choices=TRAINED_FOR, default="int8")
    asked = parser.parse_args()
    more = AwareConfig(epochs=asked.epochs, max_rows=asked.rows, lr=asked.lr or "auto")
    chosen = QuantizeConfig(precision=asked.precision, aware=more)
    main(asked.project, asked.student, asked.work, asked.seeds, chosen)
