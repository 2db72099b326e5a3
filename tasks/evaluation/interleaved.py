"""Latencies that may be compared: all bundles in one process, in blocks A B B A.

A machine slows down and speeds up while it measures; whoever is asked in turn, forwards and then
backwards, meets the same of it. Each bundle is opened twice and both are timed like strangers
(an A/A check): what lies between the two is noise, and a gain below it is none.
Run as `python -m tasks.evaluation.interleaved BUNDLE [BUNDLE ...] DEPLOY ROWS OUT` by
`isolation.py`; DEPLOY is JSON: `threads` and `provider`, and `batch` for the rows of one call.
"""

import gc
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.evaluation.measure import (
    BLOCK_SECONDS,
    WARM_UP_ROWS,
    Answer,
    Columns,
    block_seconds,
    calls,
)
from tasks.packaging.predictor import Predictor

LEAST_ROUNDS, MOST_ROUNDS = 2, 6
"""A round asks everybody once; every second one goes backwards."""


def latencies(
    bundles: Sequence[Path], columns: Columns, batch: int = 1, **session: Any
) -> list[dict[str, float]]:
    """Of each bundle `p50` and `p95` of a whole call (ms), and its `noise`, a share of the p50."""
    twice = [Predictor.load(bundle, **session).probabilities for bundle in (*bundles, *bundles)]
    found_RS2 = np.array(timed_blocks(twice, calls(columns, batch)))
    return [
        figures_of(found_RS2[:, place], found_RS2[:, place + len(bundles)])
        for place in range(len(bundles))
    ]


def timed_blocks(
    answers: Sequence[Answer], rows: Sequence[Columns]
) -> list[list[tuple[float, float]]]:
    """p50 and p95 (ms) of a block of all rows, by round and by who was asked.

    The rows before a block that are not counted bring code and weights back into the caches.
    """
    rounds: list[list[tuple[float, float]]] = []
    begin, seconds = perf_counter(), BLOCK_SECONDS * len(answers) / 2
    while len(rounds) < LEAST_ROUNDS or (
        len(rounds) < MOST_ROUNDS and (len(rounds) % 2 or perf_counter() - begin < seconds)
    ):
        step = -1 if len(rounds) % 2 else 1
        blocks = [_block(answer, rows) for answer in answers[::step]]
        rounds.append(blocks[::step])
    return rounds


def _block(answer: Answer, rows: Sequence[Columns]) -> tuple[float, float]:
    for row in rows[:WARM_UP_ROWS]:
        answer(row)
    gc.collect()
    gc.disable()
    p50, p95 = np.percentile(block_seconds(answer, rows), (50, 95)) * 1000
    gc.enable()
    return float(p50), float(p95)


def figures_of(first_R2: NDArray[np.float64], second_R2: NDArray[np.float64]) -> dict[str, float]:
    """Medians over the blocks of both, and how far the two medians are apart."""
    p50, p95 = np.median(np.concatenate([first_R2, second_R2]), axis=0)
    apart = np.median(first_R2[:, 0]) - np.median(second_R2[:, 0])
    return {"p50": float(p50), "p95": float(p95), "noise": float(abs(apart) / p50)}


if __name__ == "__main__":
    *named, deploy, rows, out = sys.argv[1:]
    columns = json.loads(Path(rows).read_text(encoding="utf-8"))
    found = latencies(list(map(Path, named)), columns, **json.loads(deploy))
    Path(out).write_text(json.dumps(found), encoding="utf-8")
