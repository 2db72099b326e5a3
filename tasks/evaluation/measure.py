"""The process that only answers: its time, its memory, its answers, and nothing else in it.

Run as `python -m tasks.evaluation.measure (cost|answers) BUNDLE ROWS OUT` by `isolation.py`. It
imports what a deployed predictor imports, so that its peak memory is the predictor's own.
"""

import gc
import json
import resource
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from tasks.packaging.predictor import Predictor, Writer

WARM_UP_ROWS = 20
LEAST_BLOCKS, MOST_BLOCKS, BLOCK_SECONDS = 3, 7, 2.0
THROUGHPUT_ROWS = 32
WRITTEN_ROWS = 8
Columns = Mapping[str, Sequence[Any]]
Answer = Callable[[Columns], Any]


def measured_cost(bundle: Path, columns: Columns) -> dict[str, float]:
    """Throughput of batches, and peak memory of this process, which answers single rows too.

    Of a model that writes texts, a row is a text whose likelihood is told; how fast it writes is a
    figure of its own.
    """
    predictor = Predictor.load(bundle)
    block_seconds(predictor.probabilities, single_rows(columns))
    figures = {"rows_per_second": rows_per_second(predictor, columns)}
    if isinstance(predictor, Writer):
        figures["tokens_per_second"] = tokens_per_second(predictor, columns)
    return {**figures, "peak_memory_mb": peak_memory_mb()}


def latency_ms(answer: Answer, columns: Columns) -> tuple[float, float]:
    """p50 and p95 of one whole call a row: median over repeated blocks of all rows.

    A median of blocks, because a neighbour on the machine disturbs some blocks and not others.
    """
    rows = single_rows(columns)
    for row in rows[:WARM_UP_ROWS]:
        answer(row)
    gc.collect()
    gc.disable()
    blocks = [np.percentile(block, (50, 95)) for block in _timed_blocks(answer, rows)]
    gc.enable()
    p50, p95 = np.median(blocks, axis=0) * 1000
    return float(p50), float(p95)


def _timed_blocks(answer: Answer, rows: list[Columns]) -> list[list[float]]:
    """Seconds of each row, block by block, until there are enough or the time is up."""
    blocks: list[list[float]] = []
    begin = perf_counter()
    while len(blocks) < LEAST_BLOCKS or (
        len(blocks) < MOST_BLOCKS and perf_counter() - begin < BLOCK_SECONDS
    ):
        blocks.append(block_seconds(answer, rows))
    return blocks


def block_seconds(answer: Answer, rows: Sequence[Columns]) -> list[float]:
    """Seconds of each row, asked for one after the other."""
    seconds = []
    for row in rows:
        start = perf_counter()
        answer(row)
        seconds.append(perf_counter() - start)
    return seconds


def rows_per_second(predictor: Predictor, columns: Columns) -> float:
    """Rows answered in a second when they come 32 at a time; median of the passes of a second.

    The predictor sorts those 32 by length and batches them as it does elsewhere.
    """
    num_rows = len(next(iter(columns.values())))
    rates: list[float] = []
    begin = perf_counter()
    while not rates or (len(rates) < 5 and perf_counter() - begin < 1):
        start = perf_counter()
        for first in range(0, num_rows, THROUGHPUT_ROWS):
            part = {
                name: column[first : first + THROUGHPUT_ROWS] for name, column in columns.items()
            }
            predictor.probabilities(part)
        rates.append(num_rows / (perf_counter() - start))
    return median(rates)


def tokens_per_second(writer: Writer, columns: Columns) -> float:
    """Tokens drawn in a second after a few texts, one at a time, as it is usually drawn."""
    begin = perf_counter()
    tokens = sum(len(writer.drawn(row)[0]) for row in single_rows(columns)[:WRITTEN_ROWS])
    return tokens / (perf_counter() - begin)


def single_rows(columns: Columns) -> list[Columns]:
    """Each row as columns of length one."""
    num_rows = len(next(iter(columns.values())))
    return [{name: [column[i]] for name, column in columns.items()} for i in range(num_rows)]


def peak_memory_mb() -> float:
    """Largest resident set of this process so far, in units of 1,000,000 bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage counts the parent's pages too, from before exec
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6  # macOS counts bytes


def main(what: str, bundle: Path, rows: Path, out: Path) -> None:
    """Measure, or answer, and write the finding to `out`."""
    columns = json.loads(rows.read_text(encoding="utf-8"))
    if what == "cost":
        out.write_text(json.dumps(measured_cost(bundle, columns)), encoding="utf-8")
    else:
        with out.open("wb") as file:
            found = Predictor.load(bundle, threads=2).probabilities(columns)
            np.save(file, found, allow_pickle=False)


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:5]))
