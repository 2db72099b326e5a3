"""Students of the project `sentiment`, taught by the teacher on all rows, without services.

`python -m tests.benchmarks.sentiment_students WORK [NAME ...]` trains the teachers that STUDENTS
name and those students, one after the other on one thread, and tells their macro-F1 and bytes on
validation rows. `python -m tests.benchmarks.compress_sentiment WORK table NAME ...` then measures
them beside the teacher, `... holdout NAME` looks at the holdout.
"""

import argparse
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from tasks.compression.distil_config import DistilConfig
from tasks.data.made_rows import made_texts
from tasks.data.snapshot import split_rows
from tasks.packaging.answers import load_answers, save_answers
from tasks.packaging.bundle import bundle_bytes
from tasks.training.answers import logits_of
from tasks.training.architectures import MiniLM
from tasks.training.config import TrainConfig
from tasks.training.course import Setting
from tasks.training.device import choose_device
from tasks.training.examples import Columns, encode
from tasks.training.model_folder import load_model
from tasks.training.recipes import Lesson, student_job, teacher_job
from tests.benchmarks.compress_sentiment import (
    ALONE,
    PROJECT,
    bundles_of,
    macro_f1,
    site_in,
)
from tests.in_process import taught

LABELS = {"temperature": 2, "weight": 0.8}
MADE_SEED = 7


class Taught(NamedTuple):
    """A student and its lesson."""

    fields: dict[str, Any]
    seeds: tuple[int, ...] = (7,)
    """Of its teachers."""
    made: int = 0
    """Rows made of each training row."""


ONE = {"layers": 1, "feed_forward": 768}
WITH_WORDS = {**ONE, "min_count": 8, "frozen_words": False}
STUDENTS = {
    "two-e1": Taught({"layers": 2, "feed_forward": 768}),
    "one-e3": Taught({**ONE, "epochs": 3}),
    "one-e6": Taught({**ONE, "epochs": 6, "min_count": 8}),
    "one-e6-two-teachers": Taught({**ONE, "epochs": 6, "min_count": 6}, seeds=(7, 8)),
    "one-e10-two-teachers": Taught({**ONE, "epochs": 10, "min_count": 8}, seeds=(7, 8)),
    "one-e5-made": Taught({**ONE, "epochs": 5, "min_count": 8}, made=1),
    "one-e3-b8": Taught({**ONE, "epochs": 3, "min_count": 8}),
    "one-e3-words": Taught({**WITH_WORDS, "epochs": 3}),
    "one-e4-two-teachers": Taught({**WITH_WORDS, "epochs": 4}, seeds=(7, 8)),
    "one-e4-three-teachers": Taught({**WITH_WORDS, "epochs": 4}, seeds=(7, 8, 9)),
    "one-e2-made": Taught({**ONE, "epochs": 2, "min_count": 6}, made=4),
}


def teacher_of(work: Path, seed: int) -> Path:
    """The teacher of this seed, trained once; the project's own is that of compress_sentiment."""
    folder = work / ("teacher" if seed == PROJECT.teacher.seed else f"teacher-{seed}")
    if not folder.exists():
        config = PROJECT.teacher.model_copy(update={"seed": seed})
        assert isinstance(config, TrainConfig)
        taught(teacher_job(config, config.usual_lr, site_in(work)), folder, choose_device(ALONE))
    return folder


def answers_of(work: Path, seed: int, columns: Columns, name: str) -> NDArray[np.float32]:
    """What that teacher says of these rows."""
    kept = work / f"{name}-{seed}"
    if not kept.exists():
        model, encoder, _ = load_model(teacher_of(work, seed))
        rows = len(next(iter(columns.values())))
        examples = encode(encoder, columns, np.zeros(rows, np.int64))
        save_answers(kept, logits_of(model, encoder, examples, Setting(choose_device(ALONE))))
    return load_answers(kept)


def lesson_of(work: Path, student: Taught) -> Lesson:
    """Answers to the training rows, and behind them those to the rows that are made of them."""
    site = site_in(work)
    columns = split_rows(site.dataset_folder, site.dataset, "train").columns
    made = made_texts(columns, student.made, MADE_SEED) if student.made else {}
    blocks = []
    for seed in student.seeds:
        parts = [answers_of(work, seed, columns, "train")]
        if made:
            parts.append(answers_of(work, seed, made, f"made{student.made}"))
        blocks.append(np.concatenate(parts))
    config = DistilConfig(teachers=len(student.seeds), made_rows=student.made, **LABELS)
    return Lesson(config, np.concatenate(blocks, axis=1), made)


def told(work: Path, name: str) -> str:
    """A line about one student, trained if need be."""
    student, begin = STUDENTS[name], perf_counter()
    if not (work / name).exists():
        config = MiniLM(name=name, **student.fields)
        job = student_job(config, lesson_of(work, student), site_in(work))
        taught(job, work / name, choose_device(ALONE))
    seconds, cells = perf_counter() - begin, []
    for bundle in bundles_of(work, name):
        cells += [f"{macro_f1(bundle, site_in(work), 'valid'):.4f}"]
        cells += [f"{bundle_bytes(bundle) / 1e6:.2f}"]
    return f"| {name} | {seconds:.0f} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("names", nargs="*", default=list(STUDENTS))
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    print("| student | seconds | float F1 | MB | int8 F1 | MB | int8, tables int4 F1 | MB |")
    print("|---" * 8 + "|")
    for name in asked.names:
        print(told(asked.work, name), flush=True)


if __name__ == "__main__":
    main()
