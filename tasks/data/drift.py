"""How far rows have moved since the last snapshot: inputs or their measures, and the labels.

Values fall into bins that the last snapshot decides: tenths of its numbers, its most frequent
categories or words. The population stability index of two histograms p and q is the sum of
(p - q) ln(p / q) over the bins: below 0.1 hardly a change, above 0.2 a marked one (Siddiqi, Credit
Risk Scorecards, 2006). Few rows alone make it large, so a chi-square test must agree.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.data.arrow_column import ArrowColumn
from tasks.data.config import DataConfig
from tasks.data.measures import MEASURES, looked_at, measures_of
from tasks.data.prepare import Prepared
from tasks.data.splitting import SPLITS

BINS = 10
MOST_NAMES = 100
"""Categories or words with a bin of their own; all others share one."""
FEWEST = 5
"""A name of fewer rows shares the bin too: the chi-square test wants five (Cochran, 1954)."""
READ_ROWS = 64
"""Pictures, sounds or series of a snapshot that are in memory at once."""
SURE = 0.001
"""Chance of such a difference between two samples of one population, below which it is believed."""
Counts = npt.NDArray[np.float64]


class Drift(NamedTuple):
    """How far one column has moved."""

    psi: float
    p_value: float

    def is_above(self, limit: float) -> bool:
        """Whether it moved by more than `limit`, and not by chance."""
        return self.psi > limit and self.p_value < SURE


def drift_since(last: Path, prepared: Prepared) -> dict[str, Drift]:
    """Drift since the snapshot in `last`, as far as both have the columns: of each input or, where
    its cells are neither numbers nor names, of what is measured of it; of what is kept beside the
    inputs; of the target. Inputs only of what was an input of the same kind then."""
    config = prepared.config
    labels = {config.target: prepared.rows.labels} if config.target else {}
    now: dict[str, Sequence[Any]] = {**prepared.kept, **labels}
    there = _columns(last, _in_one_role(last, config, now), config)
    before = _compared(config, there)
    later = _compared(config, {name: now[name] for name in there})
    found = {name: drift_of(before[name], later[name]) for name in later}
    types = {**prepared.beside_types, **prepared.types}
    # Time moves by itself.
    return {n: d for n, d in found.items() if d is not None and types.get(n) != "moment"}


def _in_one_role(last: Path, config: DataConfig, names: Iterable[str]) -> list[str]:
    """The columns that were inputs of this kind then as they are now, or no inputs on both days."""
    report = json.loads((last / "report.json").read_text(encoding="utf-8"))
    is_same = report.get("kind") == config.kind
    then = report.get("inputs", ())
    return [
        name
        for name in names
        if (name in then) == (name in config.inputs) and (is_same or name not in then)
    ]


def _compared(config: DataConfig, columns: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Inputs by their measures, if there are any, and the other columns as they are."""
    inputs = {name: cells for name, cells in columns.items() if name in config.inputs}
    others = {name: cells for name, cells in columns.items() if name not in inputs}
    return {**(measures_of(config.kind, inputs) if inputs else {}), **others}


def drift_of(before: Sequence[Any], now: Sequence[Any]) -> Drift | None:
    """Drift between two columns of numbers, names or texts; None for anything else."""
    types = _types_of(before) | _types_of(now)
    if not types or not types <= {bool, int, float, str}:
        return None
    counted = _name_counts if str in types else _number_counts
    counts = counted(before, now)
    counts = counts[:, counts.sum(axis=0) > 0]
    if counts.shape[1] < 2:
        return Drift(0.0, 1.0)
    from scipy.stats import chi2_contingency  # half a second, for who has an earlier snapshot

    return Drift(stability_index(*counts), float(chi2_contingency(counts).pvalue))


def stability_index(before: Counts, now: Counts) -> float:
    """Population stability index of two histograms; half a row is added to every bin."""
    p, q = ((counts + 0.5) / (counts + 0.5).sum() for counts in (before, now))
    return float(((p - q) * np.log(p / q)).sum())


def drift_sentences(drift: Mapping[str, Drift], limit: float) -> list[str]:
    """A sentence for each column that moved by more than `limit`."""
    return [
        f"{name!r} has drifted since the last snapshot (stability index {found.psi:.2f}, "
        f"limit {limit:g})"
        for name, found in drift.items()
        if found.is_above(limit)
    ]


def _types_of(values: Sequence[Any]) -> set[type]:
    if isinstance(values, ArrowColumn) and values.is_number:
        return set() if values.missing().all() else {float}
    if isinstance(values, ArrowColumn) and values.has_few_values:
        values = values.codes()[1]
    return {type(value) for value in values if value is not None}


def _columns(folder: Path, wanted: Sequence[str], config: DataConfig) -> dict[str, Sequence[Any]]:
    """The wanted columns of all splits, as far as the snapshot has them; of inputs that have to be
    decoded only the rows that are looked at."""
    files = [folder / f"{split}.parquet" for split in SPLITS]
    names = [name for name in pq.read_schema(files[0]).names if name in wanted]
    large = [name for name in names if name in config.inputs and config.kind in MEASURES]
    small = [name for name in names if name not in large]
    whole = pa.concat_tables(
        [pq.read_table(file, columns=small) for file in files], promote_options="permissive"
    )
    found: dict[str, Sequence[Any]] = {name: ArrowColumn(whole.column(name)) for name in small}
    return {**_looked_at(files, large), **found} if large else found


def _looked_at(files: Sequence[Path], names: Sequence[str]) -> dict[str, Sequence[Any]]:
    """Cells of the rows that are measured: Arrow has no room for all pictures of a snapshot."""
    chosen = looked_at(sum(pq.read_metadata(file).num_rows for file in files))
    cells: dict[str, list[Any]] = {name: [] for name in names}
    start = 0
    for file in files:
        with pq.ParquetFile(file, memory_map=True) as opened:
            for batch in opened.iter_batches(READ_ROWS, columns=list(names)):
                stop = start + len(batch)
                rows = chosen[(chosen >= start) & (chosen < stop)] - start
                for name in names:
                    cells[name] += batch.column(name).take(pa.array(rows)).to_pylist()
                start = stop
    return dict(cells)


def _number_counts(before: Sequence[Any], now: Sequence[Any]) -> Counts:
    """[2, bins]: rows of both by tenths of the earlier numbers, and those in which none stands."""
    columns = [_numbers(values) for values in (before, now)]
    known = columns[0][~np.isnan(columns[0])]
    edges = np.unique(np.quantile(known, np.arange(1, BINS) / BINS)) if len(known) else np.zeros(0)
    # Open below, closed above: a value that many rows share has a bin that ends with it.
    bins = [np.where(np.isnan(c), BINS, np.searchsorted(edges, c)) for c in columns]
    return np.stack([np.bincount(b, minlength=BINS + 1) for b in bins]).astype(np.float64)


def _numbers(values: Sequence[Any]) -> Counts:
    if isinstance(values, ArrowColumn) and values.is_number:
        return values.numbers()
    return np.array(list(values), dtype=np.float64)


def _tally(values: Sequence[Any]) -> "Counter[str]":
    """How often each name stands there, in the order in which they first do; missing is one."""
    if not (isinstance(values, ArrowColumn) and values.has_few_values):
        return Counter("" if value is None else str(value) for value in values)
    codes, different = values.codes()
    found: Counter[str] = Counter()
    for value, count in zip(different, np.bincount(codes).tolist(), strict=True):
        found["" if value is None else str(value)] += count
    return found


def _words(texts: "Counter[str]") -> "Counter[str]":
    found: Counter[str] = Counter()
    for text, count in texts.items():
        for word in text.lower().split():
            found[word] += count
    return found


def _name_counts(before: Sequence[Any], now: Sequence[Any]) -> Counts:
    """[2, bins]: rows of both by the most frequent names or, of texts, words by words."""
    earlier, later = _tally(before), _tally(now)
    if len(earlier) > min(MOST_NAMES, len(before) / 2):
        earlier, later = _words(earlier), _words(later)
    names = [name for name, count in earlier.most_common(MOST_NAMES) if count >= FEWEST]
    rows = [[counts[name] for name in names] for counts in (earlier, later)]
    others = [counts.total() - sum(row) for counts, row in zip((earlier, later), rows, strict=True)]
    return np.array([[*row, rest] for row, rest in zip(rows, others, strict=True)], dtype=float)
