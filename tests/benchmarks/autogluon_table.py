"""AutoGluon beside ours on `flights`: the same rows, machine and run.

    modelworks run flows/projects/flights.yaml     # on a stack that is still up
    eval "$(modelworks env)"
    python -m tests.benchmarks.autogluon_table PEERS/bin/python WORK [--seconds 300] [--repeats 3]

The newest registered version of `flights` is measured as it is deployed; AutoGluon is given the
very rows that it learned from, chose by and was proven on. How PEERS is made is said in
`peer_autogluon.py`, which runs in it. Latencies are asked in turn, ours, theirs, ours, of one row
and one thread; quality is that of the holdout.
"""

import argparse
import json
import os
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from sklearn.metrics import roc_auc_score

from flows.project_file import load_project
from infra.registry import get_version
from infra.storage import open_storage
from tasks.artifacts import Candidate
from tasks.evaluation.isolation import answers, cost_figures, latency_figures
from tasks.packaging.bundle import bundle_bytes, read_facts
from tests.benchmarks.movies_seeds import PROJECTS

SPLITS = ("train", "valid", "test")
LATENCY_ROWS = 300
OURS = "ours"
SCRIPT = Path(__file__).with_name("peer_autogluon.py")


def handed_over(
    dataset: Path, folder: Path, inputs: list[str], target: str
) -> dict[str, list[Any]]:
    """The rows of each split for the peer; those of the holdout for us."""
    folder.mkdir(parents=True, exist_ok=True)
    for split in SPLITS:
        table = pq.read_table(dataset / f"{split}.parquet", columns=[*inputs, target])
        pq.write_table(table.rename_columns([*inputs, "label"]), folder / f"{split}.parquet")
    columns: dict[str, list[Any]] = table.to_pydict()
    return columns


def asked_of_peer(python: Path, folder: Path, name: str) -> dict[str, float]:
    """`p50` and `memory` of one of the peer's models."""
    done = subprocess.run(
        [python, SCRIPT, "ask", folder, name],
        env=os.environ | {"OMP_NUM_THREADS": "1"}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def deployed() -> tuple[str, Path, Path]:
    """Name and bundle of the newest version, and the rows that it was made from."""
    version, storage = get_version("flights"), open_storage()
    candidate = Candidate.model_validate_json(version.tags["modelworks.candidate"])
    rows = f"s3://{storage.bucket}/datasets/flights/{version.tags['modelworks.dataset']}/"
    return candidate.name, storage.fetch_folder(candidate.uri), storage.fetch_folder(rows)


def in_turn(
    bundle: Path, few: dict[str, list[Any]], asks: dict[str, Callable[[], float]], repeats: int
) -> dict[str, float]:
    """Median p50 (ms) of everybody; ours is asked before, between and after."""
    turns: dict[str, list[float]] = {name: [] for name in (OURS, *asks)}
    for _ in range(repeats):
        turns[OURS].append(latency_figures([bundle], few)[0]["p50"])
        for name, ask in asks.items():
            turns[name].append(ask())
    turns[OURS].append(latency_figures([bundle], few)[0]["p50"])
    return {name: float(np.median(taken)) for name, taken in turns.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()

    name, bundle, dataset = deployed()
    facts = read_facts(bundle)
    target = load_project(PROJECTS / "flights.yaml").data.target
    columns = handed_over(dataset, asked.work, list(facts.inputs), target)
    labels = np.array([cell == facts.classes[-1] for cell in columns.pop(target)])
    if not (asked.work / "told.json").exists():
        command = [asked.python, SCRIPT, "fit", asked.work, str(asked.seconds)]
        subprocess.run(command, check=True)
    told = json.loads((asked.work / "told.json").read_text(encoding="utf-8"))
    said = dict(np.load(asked.work / "answers.npz"))

    few = {column: cells[:LATENCY_ROWS] for column, cells in columns.items()}
    memory = {OURS: cost_figures(bundle, few)["peak_memory_mb"]}

    def p50_of(peer: str) -> float:
        found = asked_of_peer(asked.python, asked.work, peer)
        memory[peer] = found["memory"]
        return found["p50"]

    p50 = in_turn(bundle, few, {n: partial(p50_of, n) for n in told["models"]}, asked.repeats)
    said[OURS] = answers(bundle, columns)[:, -1]
    scores = {n: float(roc_auc_score(labels, found)) for n, found in said.items()}
    sizes = {OURS: bundle_bytes(bundle)} | {n: each["bytes"] for n, each in told["models"].items()}
    print(f"ours is {name}; AutoGluon: fitted in {told['fit_s']:.0f} s, its best of that is ")
    print(f"{told['best']}, distilled in {told['distil_s']:.0f} s\n")
    print("| who | holdout AUC | p50 ms | of ours | MB | process MB |\n" + "|---" * 6 + "|")
    for who in sorted(scores, key=lambda each: -scores[each]):
        print(
            f"| {who} | {scores[who]:.4f} | {p50[who]:.3f} | {p50[who] / p50[OURS]:.0f} "
            f"| {sizes[who] / 1e6:.2f} | {memory[who]:.0f} |"
        )


if __name__ == "__main__":
    main()
