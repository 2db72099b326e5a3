"""The process that only answers: its time, its memory, its answers, and nothing else in it.

Run as `python -m tasks.evaluation.measure (cost|answers) BUNDLE DEPLOY ROWS OUT` by `isolation.py`;
DEPLOY is JSON: `threads` and `provider`, for costs also `batch`, the rows of one call. It imports
what a deployed predictor imports, so that its peak memory is the predictor's own.
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


def measured_cost(
    bundle: Path, columns: Columns, batch: int = 1, **session: Any
) -> dict[str, float]:
    """Throughput of batches, and peak memory of this process, which answers single calls too.

    Of a model that writes texts, a row is a text whose likelihood is told; how fast it writes is a
    figure of its own.
    """
    predictor = Predictor.load(bundle, **session)
    block_seconds(predictor.probabilities, calls(columns, batch))
    figures = {"rows_per_second": rows_per_second(predictor, columns)}
    if isinstance(predictor, Writer):
        figures["tokens_per_second"] = tokens_per_second(predictor, columns)
    return {**figures, "peak_memory_mb": peak_memory_mb()}


def latency_ms(answer: Answer, columns: Columns, batch: int = 1) -> tuple[float, float]:
    """p50 and p95 of one whole call: median over repeated blocks of all rows.

    A median of blocks, because a neighbour on the machine disturbs some blocks and not others.
    """
    rows = calls(columns, batch)
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
    tokens = sum(len(writer.drawn(row)[0]) for row in calls(columns)[:WRITTEN_ROWS])
    return tokens / (perf_counter() - begin)


def calls(columns: Columns, batch: int = 1) -> list[Columns]:
    """The rows as columns of so many each; the last call may have fewer."""
    starts = range(0, len(next(iter(columns.values()))), batch)
    return [{name: cells[i : i + batch] for name, cells in columns.items()} for i in starts]


def peak_memory_mb() -> float:
    """Largest resident set of this process so far, in units of 1,000,000 bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage counts the parent's pages too, from before exec
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6  # macOS counts bytes


def main(what: str, bundle: Path, deploy: str, rows: Path, out: Path) -> None:
    """Measure, or answer, and write the finding to `out`."""
    columns = json.loads(rows.read_text(encoding="utf-8"))
    if what == "cost":
        found = measured_cost(bundle, columns, **json.loads(deploy))
        out.write_text(json.dumps(found), encoding="utf-8")
    else:
        with out.open("wb") as file:
            said = Predictor.load(bundle, **json.loads(deploy)).probabilities(columns)
            np.save(file, said, allow_pickle=False)


if __name__ == "__main__":
    what, bundle, deploy, rows, out = sys.argv[1:]
    main(what, Path(bundle), deploy, Path(rows), Path(out))
