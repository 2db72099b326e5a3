"""A column of a table as Arrow keeps it: 8 bytes a number, 4 a word, where a list takes 40 to 100.

It is a sequence of plain values like any list; whoever walks over it holds few of them at once.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

PIECE = 1 << 16
"""Rows that are plain values at one time."""
Ids = npt.NDArray[np.int64]
Mapper = Callable[[list[Any], Callable[[int], int]], list[Any]]
"""Of some values and the row in which the one at a place of them stands: what becomes of them."""


class ArrowColumn(Sequence[Any]):
    """Cells of one Arrow type, None where nothing stands; words are kept once each."""

    def __init__(self, chunks: pa.ChunkedArray) -> None:
        if pa.types.is_float16(chunks.type):  # which few of Arrow's functions know
            chunks = chunks.cast(pa.float32())
        if pa.types.is_string_view(chunks.type):
            chunks = chunks.cast(pa.string())
        if pa.types.is_string(chunks.type) or pa.types.is_large_string(chunks.type):
            chunks = chunks.dictionary_encode()
        if pa.types.is_dictionary(chunks.type):
            chunks = chunks.unify_dictionaries()
        self.chunks = chunks

    def __len__(self) -> int:
        return len(self.chunks)

    def __iter__(self) -> Iterator[Any]:
        for start in range(0, len(self), PIECE):
            yield from _plain(self.chunks.slice(start, PIECE))

    @overload
    def __getitem__(self, place: int) -> Any: ...
    @overload
    def __getitem__(self, place: slice) -> list[Any]: ...
    def __getitem__(self, place: int | slice) -> Any:
        if not isinstance(place, slice):
            return self.chunks[int(place)].as_py()
        start, stop, step = place.indices(len(self))
        if step != 1:
            return list(self.take(np.arange(start, stop, step)))
        return _plain(self.chunks.slice(start, max(0, stop - start)))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Sequence) and len(self) == len(other) and all(map(_same, self, other))
        )

    __hash__ = None  # type: ignore[assignment]

    def take(self, rows: Ids) -> "ArrowColumn":
        """The cells of these rows, in this order."""
        one = self.chunks.chunk(0) if self.chunks.num_chunks == 1 else self.chunks
        found = one.take(pa.array(rows))
        return ArrowColumn(
            found if isinstance(found, pa.ChunkedArray) else pa.chunked_array([found])
        )

    @property
    def has_words(self) -> bool:
        """Whether the cells are words."""
        return bool(pa.types.is_dictionary(self.chunks.type))

    @property
    def has_few_values(self) -> bool:
        """Whether the cells are words or whole numbers, of which there are few different ones."""
        if self.has_words:
            return self.chunks.num_chunks == 0 or len(self.chunks.chunk(0).dictionary) <= PIECE
        return bool(
            pa.types.is_integer(self.chunks.type)
            and pc.count_distinct(self.chunks).as_py() <= PIECE
        )

    @property
    def is_number(self) -> bool:
        """Whether all cells are numbers, or missing."""
        type_ = self.chunks.type
        return bool(pa.types.is_integer(type_) or pa.types.is_floating(type_))

    def numbers(self) -> npt.NDArray[np.float64]:
        """float64 [rows], NaN where missing."""
        floats = self.chunks.cast(pa.float64(), safe=False)  # the nearest, as of any number
        found: npt.NDArray[np.float64] = floats.to_numpy()
        return found

    def missing(self) -> npt.NDArray[np.bool_]:
        """Where nothing stands."""
        found: npt.NDArray[np.bool_] = self.chunks.is_null(nan_is_null=True).to_numpy()
        return found

    def codes(self) -> tuple[Ids, list[Any]]:
        """Each cell as the place of its value among the different ones, None included, which stand
        in the order in which they first appear."""
        coded = self.chunks if self.has_words else self.chunks.dictionary_encode()
        coded = coded.unify_dictionaries()
        values = [*(coded.chunk(0).dictionary.to_pylist() if coded.num_chunks else []), None]
        places = [c.indices.fill_null(len(values) - 1).to_numpy() for c in coded.chunks]
        codes = np.concatenate([*places, np.empty(0, np.int32)]).astype(np.int64)
        first = np.full(len(values), len(codes))
        first[codes[::-1]] = np.arange(len(codes))[::-1]  # the last that is written stays
        order = np.argsort(first, kind="stable")[: int((first < len(codes)).sum())]
        rank = np.zeros(len(values), dtype=np.int64)
        rank[order] = np.arange(len(order))
        return rank[codes], [values[place] for place in order]

    def mapped(self, cell: Mapper, type_: pa.DataType) -> "ArrowColumn":
        """The column with `cell` done to its values: once to each where few differ, else piece by
        piece."""
        if self.has_few_values:
            codes, values = self.codes()
            found = pa.array(cell(values, lambda place: int(np.argmax(codes == place))), type_)
            found = found.dictionary_encode() if pa.types.is_string(type_) else found
            return ArrowColumn(pa.chunked_array([found.take(pa.array(codes))]))
        pieces = [
            pa.array(cell(self[start : start + PIECE], start.__add__), type_)
            for start in range(0, len(self), PIECE)
        ]
        return ArrowColumn(_in_one(ArrowColumn(pa.chunked_array(pieces, type_)).chunks))


def numeric(column: ArrowColumn) -> ArrowColumn:
    """A column of numbers as float64; NaN is missing."""
    floats = _in_one(column.chunks.cast(pa.float64(), safe=False))
    return ArrowColumn(pc.if_else(pc.is_nan(floats), pa.scalar(None, pa.float64()), floats))


def concatenated(columns: Sequence[ArrowColumn]) -> ArrowColumn:
    """All cells, one column after the other; ValueError when their types do not go together."""
    tables = [pa.table({"": column.chunks}) for column in columns]
    try:
        whole = pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise ValueError(str(error).splitlines()[0]) from error
    return ArrowColumn(whole.column(0))


def taken(values: Any, rows: Ids) -> Any:
    """The cells of these rows in this order: of a column a column, of a list a list."""
    if isinstance(values, ArrowColumn):
        return values.take(np.asarray(rows))
    return [values[row] for row in rows]


def appended(columns: Sequence[Any]) -> Any:
    """All cells, one column after the other: of columns a column, of lists a list."""
    if all(isinstance(column, ArrowColumn) for column in columns):
        return columns[0] if len(columns) == 1 else concatenated(columns)
    return [cell for column in columns for cell in column]


def written(values: Any, rows: Ids) -> Any:
    """Cells of a list at these rows as an array; a column stays one, of which pieces are taken."""
    return values if isinstance(values, ArrowColumn) else pa.array([values[row] for row in rows])


def cell_type(values: Any) -> pa.DataType:
    """The type in which cells are written."""
    if not isinstance(values, ArrowColumn):
        return values.type
    type_ = values.chunks.type
    return type_.value_type if pa.types.is_dictionary(type_) else type_


def piece_of(values: Any, rows: Ids, start: int) -> pa.Array | pa.ChunkedArray:
    """The next cells from `start` on of what is written at these rows, words written out."""
    if not isinstance(values, ArrowColumn):
        return values.slice(start, PIECE)
    return values.take(rows[start : start + PIECE]).chunks.cast(cell_type(values))


def _plain(chunks: pa.ChunkedArray) -> list[Any]:
    """Built-in values; by way of numpy, which is ten times as fast as Arrow's own."""
    if pa.types.is_dictionary(chunks.type) and chunks.num_chunks:
        words = [*chunks.chunk(0).dictionary.to_pylist(), None]
        places = [c.indices.fill_null(len(words) - 1).to_numpy() for c in chunks.chunks]
        return [words[place] for place in np.concatenate(places).tolist()]
    if chunks.null_count and pa.types.is_floating(chunks.type):
        gone = chunks.is_null().to_numpy().tolist()
        pairs = zip(chunks.to_numpy().tolist(), gone, strict=True)
        return [None if is_gone else value for value, is_gone in pairs]
    if not chunks.null_count and (
        pa.types.is_floating(chunks.type) or pa.types.is_integer(chunks.type)
    ):
        found: list[Any] = chunks.to_numpy().tolist()
        return found
    plain: list[Any] = chunks.to_pylist()
    return plain


def _in_one(chunks: pa.ChunkedArray) -> pa.ChunkedArray:
    """The same in one piece, from which rows are taken without a copy of all."""
    whole = chunks.combine_chunks()
    return whole if isinstance(whole, pa.ChunkedArray) else pa.chunked_array([whole])


def _same(first: Any, second: Any) -> bool:
    return bool(first == second)
