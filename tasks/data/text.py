"""What is particular to rows of text: which columns, what is empty, equal, or nearly so."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tasks.data.config import DataConfig
from tasks.data.near_duplicates import near_duplicate_groups
from tasks.data.plain_text import FORMAT as PLAIN
from tasks.data.plain_text import TEXT
from tasks.data.table import Ids, Mask, Table, is_missing, shortened

NOISE = re.compile(r"https?://\S+|www\.\S+|@\w+|\brt\b|[^\w@]+|[_@]")
"""Does not tell two texts apart: links, who is addressed, the mark of a retweet, punctuation."""
MIN_MEAN_WORDS = 2.5
"""A column of fewer words a row is a name or a code, not free text."""
QUANTILES = (0.0, 0.05, 0.5, 0.95, 1.0)


class TextKind:
    """Rows with free text in one column or in several, which are read as one text."""

    name = "text"
    drops_equal_rows = True
    why = "a column of free text"
    why_inputs = "the longest texts"

    def choose_inputs(self, table: Table, target: str) -> tuple[str, ...]:
        """The column with the longest texts; ValueError when no column holds free text."""
        if table.facts.get("format") == PLAIN:
            return (TEXT,)
        lengths = {
            name: _mean_length(table.columns[name]) for name in table.names if name != target
        }
        best = max(lengths, key=lambda name: lengths[name], default=None)
        if best is None or lengths[best] == 0:
            beside = f" beside the target {target!r}" if target else ""
            raise ValueError(
                f"data.inputs: {table.path.name} has no column of free text{beside} "
                f"(columns: {shortened(table.names)})"
            )
        return (best,)

    def check_inputs(self, table: Table, inputs: Sequence[str]) -> None:
        """Pass when every cell is a string or nothing; ValueError otherwise."""
        for name in inputs:
            for row, value in enumerate(table.columns[name]):
                if not (isinstance(value, str) or is_missing(value)):
                    raise ValueError(
                        f"{table.where(row)}: data.inputs {name!r} is {value!r}, text was expected"
                    )

    def opened(self, table: Table, config: DataConfig) -> Table:
        """The table as it is: its cells hold the values themselves."""
        del config
        return table

    def types(
        self, columns: Mapping[str, Sequence[Any]], given: Mapping[str, str]
    ) -> dict[str, str]:
        """None: a text is a text. ValueError when the project gives types."""
        del columns
        if given:
            raise ValueError(f"data.columns {', '.join(given)}: kind text has no types of columns")
        return {}

    def typed(
        self, columns: Mapping[str, Sequence[Any]], types: Mapping[str, str]
    ) -> dict[str, list[Any]]:
        """The texts as they are; beside other columns a missing cell is an empty text."""
        del types
        if len(columns) == 1:
            return {name: list(values) for name, values in columns.items()}
        return {
            name: ["" if is_missing(value) else value for value in values]
            for name, values in columns.items()
        }

    def unusable(self, columns: Mapping[str, Sequence[Any]]) -> dict[str, Mask]:
        """Rows to drop, by reason: those without a visible character in any column."""
        texts = _texts(columns)
        empty = (is_missing(text) or not text.strip() for text in texts)
        return {"empty text": np.fromiter(empty, dtype=np.bool_, count=len(texts))}

    def keys(self, columns: Mapping[str, Sequence[Any]]) -> list[str]:
        """What a row is, as a string: rows with equal keys ask the same question."""
        return ["\x1f".join(row) for row in zip(*columns.values(), strict=True)]

    def near_duplicates(self, columns: Mapping[str, Sequence[Any]]) -> Ids:
        """A group number for each row; near-copies (retweets, say) share one."""
        return near_duplicate_groups([normal_form(text) for text in _texts(columns)])

    def figures(self, columns: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
        """Length quantiles for the data report."""
        texts = _texts(columns)
        return {
            "quantiles": list(QUANTILES),
            "characters": _quantiles([len(text) for text in texts]),
            "words": _quantiles([len(text.split()) for text in texts]),
        }


def normal_form(text: str) -> str:
    """Lower case without links, addressees, retweet marks and punctuation; the text if all is."""
    lowered = text.lower()
    return " ".join(NOISE.sub(" ", lowered).split()) or lowered


def _texts(columns: Mapping[str, Sequence[Any]]) -> Sequence[Any]:
    """The text of each row, its columns side by side."""
    first, *others = columns.values()
    return [" ".join(row) for row in zip(first, *others, strict=True)] if others else first


def _mean_length(values: Sequence[Any]) -> float:
    """Mean characters of a column of free text; 0 for any other column."""
    texts = [value for value in values if not is_missing(value)]
    if not texts or not all(isinstance(text, str) for text in texts):
        return 0.0
    if sum(len(text.split()) for text in texts) < MIN_MEAN_WORDS * len(texts):
        return 0.0
    return sum(map(len, texts)) / len(texts)


def _quantiles(lengths: Sequence[int]) -> list[int]:
    return [int(value) for value in np.quantile(lengths, QUANTILES, method="lower")]
