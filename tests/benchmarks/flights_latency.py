"""One flight asked of gradient boosting and of the student: `python -m` this file [--rows 1000].

Three ways to answer the same rows on one thread, asked in turn block by block: scikit-learn's own
`predict_proba` on numbers that are ready, the baseline as this project exports it, and the first
student of the flights project as exported; the last two from a row of raw columns. Latency does not
depend on what was learned, so the student is a network that was built and not trained. Prints a
Markdown table.
"""

import argparse
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from sklearn.ensemble import HistGradientBoostingClassifier

from flows.project_file import load_project
from tasks.data.snapshot import split_rows
from tasks.evaluation.baseline import save_baseline
from tasks.packaging.export import export_bundle
from tasks.packaging.predictor import Predictor
from tasks.packaging.predictor.table import TableRows
from tasks.training.blueprint import first_model
from tasks.training.config import ComputeConfig, TrainConfig
from tasks.training.model_folder import card_of, save_model
from tasks.training.recipes import Site, teacher_job
from tasks.training.table_models import table_encoder
from tests.benchmarks.movies_seeds import PROJECTS
from tests.in_process import snapshot

BLOCKS = 7
Row = Mapping[str, Sequence[Any]]


def answerers(work: Path) -> tuple[dict[str, Callable[[Row], Any]], list[Row], list[Row]]:
    """Who answers a row, the raw rows, and the same rows as ready numbers."""
    project = load_project(PROJECTS / "flights.yaml")
    data = work / "data"
    dataset = snapshot(project.data, PROJECTS, data, project.name)
    train, test = (split_rows(data, dataset, split) for split in ("train", "test"))
    reader = TableRows.load(table_encoder(dataset, train.columns), Path())
    boosting = HistGradientBoostingClassifier(early_stopping=True, random_state=0)
    boosting.fit(reader.rows(train.columns), train.labels)

    few = test.take(np.arange(1000))
    site = Site(dataset=dataset, dataset_folder=data, compute=ComputeConfig(workers=1))
    save_baseline(data, dataset, work / "baseline")
    untrained(project.students[0], site, work / "student")
    exported = {"boosting, exported": "baseline", "student, exported": "student"}
    found: dict[str, Callable[[Row], Any]] = {
        "boosting, scikit-learn": lambda row: boosting.predict_proba(row["numbers"])
    }
    for name, folder in exported.items():
        export_bundle(work / folder, work / f"{folder}-bundle", dataset.target, few.columns)
        found[name] = Predictor.load(work / f"{folder}-bundle").probabilities
    numbers = reader.rows(few.columns)
    raw = [{n: [column[at]] for n, column in few.columns.items()} for at in range(len(few))]
    return found, raw, [{"numbers": numbers[at : at + 1]} for at in range(len(few))]


def untrained(config: TrainConfig, site: Site, folder: Path) -> None:
    job = teacher_job(config, config.first_lr, site)
    card = card_of(
        model := first_model(job.blueprint, config.seed), job.blueprint, job.classes, job.scale
    )
    save_model(folder, model.state_dict(), card, job.blueprint.files, [])


def main(rows: int) -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as work:
        asked, raw, ready = answerers(Path(work))
        seconds: dict[str, list[float]] = {name: [] for name in asked}
        for block in range(BLOCKS + 1):  # The first warms up.
            for name, answer in asked.items():
                these = ready if "scikit" in name else raw
                taken = []
                for row in these[:rows]:
                    start = perf_counter()
                    answer(row)
                    taken.append(perf_counter() - start)
                if block:
                    seconds[name].append(float(np.median(taken)))
    slowest = np.median(seconds["boosting, scikit-learn"])
    print("| who answers | p50 ms, median of blocks | blocks | times faster |")
    print("|---|---|---|---|")
    for name, blocks in seconds.items():
        p50, ends = np.median(blocks), f"{min(blocks) * 1e3:.4f} to {max(blocks) * 1e3:.4f}"
        print(f"| {name} | {p50 * 1e3:.4f} | {ends} | {slowest / p50:.1f} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1000)
    main(parser.parse_args().rows)
