"""Bits per byte of the shipped language project, without services: `python -m` this file SEED ...

Baseline, teacher, each student and its control are trained in this process by one worker, exported,
quantised, and measured on the holdout as exported; the gate's own test compares each with the
baseline. Prints a Markdown table.
"""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from flows.project import Project
from flows.project_file import load_project
from tasks.data.snapshot import split_rows
from tasks.evaluation.baseline import save_baseline
from tasks.evaluation.isolation import answers
from tasks.evaluation.likelihood import text_figures
from tasks.packaging.bundle import bundle_bytes
from tasks.packaging.export import export_bundle
from tasks.promotion.bits import bits_difference
from tasks.promotion.records import read_history
from tasks.training.answers import logits_of
from tasks.training.config import ComputeConfig
from tasks.training.course import Setting
from tasks.training.device import choose_device, use_allotted_threads
from tasks.training.examples import encode
from tasks.training.job import TrainingJob
from tasks.training.labelling import TAUGHT_ROWS
from tasks.training.model_folder import load_model
from tasks.training.objectives import kept_for_students
from tasks.training.recipes import Lesson, Site, student_job, teacher_job
from tests.in_process import quantized, snapshot, taught

PROJECT = Path("flows/projects/language.yaml")
COMPUTE = ComputeConfig(workers=1, device="cpu")
HEAD = ("model", "bits per byte", "perplexity", "against the baseline", "MB", "train s")


def trained(job: TrainingJob, folder: Path) -> float:
    """Fill the model folder; seconds."""
    begin = time.monotonic()
    history = read_history(taught(job, folder, choose_device(COMPUTE)))
    scores = [f"{point['valid/loss']:.3f}" for point in history if "valid/loss" in point]
    print(folder.name, "valid loss", *scores, file=sys.stderr, flush=True)
    return time.monotonic() - begin


def lesson_of(project: Project, site: Site, teacher: Path) -> Lesson:
    model, encoder, _ = load_model(teacher)
    rows = split_rows(site.dataset_folder, site.dataset, "train")
    examples = encode(encoder, rows.columns, rows.labels)
    width = int(np.quantile(examples.lengths, TAUGHT_ROWS, method="higher"))
    setting, kept = Setting(choose_device(COMPUTE)), kept_for_students("generation", width)
    return Lesson(project.compress.distil, logits_of(model, encoder, examples, setting, kept))


def measured(project: Project, site: Site, folder: Path, seconds: dict[str, float]) -> None:
    """Export, quantise and print a line for each model folder."""
    columns = [split_rows(site.dataset_folder, site.dataset, s).columns for s in ("valid", "test")]
    floor = None
    for name, spent in seconds.items():
        bundles = [folder / f"{name}-float"]
        export_bundle(folder / name, bundles[0], "", columns[0])
        if name not in ("baseline", "teacher") and not name.endswith("-control"):
            bundles.append(folder / f"{name}-int8")
            quantized((site.dataset_folder, site.dataset), bundles[0], bundles[1])
        for bundle in bundles:
            found = answers(bundle, columns[1])
            floor = found if floor is None else floor
            figures = text_figures(found, np.zeros(0), ())[0]
            against = str(bits_difference(found, floor, project.gate)) if floor is not found else ""
            shown = f"{figures['bits_per_byte']:.4f}", f"{figures['perplexity']:.2f}", against
            size = f"{bundle_bytes(bundle) / 1e6:.2f}"
            print("|", " | ".join([bundle.name, *shown, size, f"{spent:.0f}"]), "|", flush=True)


def main(seed: int) -> None:
    project = load_project(PROJECT)
    with TemporaryDirectory() as place:
        folder = Path(place)
        dataset = snapshot(project.data, Path(), folder, project.name)
        site = Site(dataset=dataset, dataset_folder=folder, compute=COMPUTE)
        seconds: dict[str, float] = {}
        begin = time.monotonic()
        save_baseline(folder, site.dataset, folder / "baseline")
        seconds["baseline"] = time.monotonic() - begin
        config = project.teacher.model_copy(update={"seed": seed})
        job = teacher_job(config, config.first_lr, site)
        seconds["teacher"] = trained(job, folder / "teacher")
        lesson = lesson_of(project, site, folder / "teacher")
        for student in project.students:
            seeded = student.model_copy(update={"seed": seed})
            for name, taught in ((student.name, lesson), (f"{student.name}-control", None)):
                seconds[name] = trained(student_job(seeded, taught, site), folder / name)
        measured(project, site, folder, seconds)


if __name__ == "__main__":
    use_allotted_threads()
    print("|", " | ".join(HEAD), "|\n" + "|---" * len(HEAD) + "|")
    for argument in sys.argv[1:] or ["7"]:
        print(f"| seed {argument} |" + " |" * (len(HEAD) - 1))
        main(int(argument))
