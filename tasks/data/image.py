"""What is particular to rows of pictures: how they are read, what is damaged, what is the same."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.data.config import DataConfig
from tasks.data.files import check_corrupt, is_named, read_cells
from tasks.data.table import Ids, Mask, Table, is_missing, shortened
from tasks.packaging.predictor.image import SUFFIXES, cell_of, pixels_of, stored_pixels

Columns = Mapping[str, Sequence[Any]]
Pixels = NDArray[np.uint8]
HASH_SIDE = 8
SAME_GREY = 12
"""Largest difference of a grey in the thumbnails of two pictures that count as one."""


class ImageKind:
    """Rows with one picture each, which the snapshot keeps at the network's size as netpbm."""

    name = "image"
    drops_equal_rows = True
    why = f"files that end in {', '.join(SUFFIXES)}"
    why_inputs = "the column of files"

    def choose_inputs(self, table: Table, target: str) -> tuple[str, ...]:
        """The first column of pictures; ValueError when there is none."""
        for name in table.names:
            known = [value for value in table.columns[name] if not is_missing(value)]
            if name != target and known and all(map(_is_picture, known)):
                return (name,)
        raise ValueError(
            f"data.inputs: {table.path.name} has no column of files that end in "
            f"{', '.join(SUFFIXES)} (columns: {shortened(table.names)})"
        )

    def check_inputs(self, table: Table, inputs: Sequence[str]) -> None:
        """Pass when `inputs` is one column; what its cells hold is seen when they are opened."""
        del table
        if len(inputs) != 1:
            raise ValueError(f"data.inputs has {len(inputs)} columns, kind image takes exactly one")

    def opened(self, table: Table, config: DataConfig) -> Table:
        """The table with its pictures read, None for each that cannot be.

        Raises ValueError when those are more than the share `data.max_corrupt`.
        """
        (name,) = config.inputs
        size, channels = config.image.size, config.image.channels
        asked = None if channels == "auto" else int(channels)

        def read(cell: Any) -> Pixels:
            return pixels_of(cell, size, asked)

        found, corrupt = read_cells(table, name, read, SUFFIXES)
        check_corrupt(table, corrupt, config.max_corrupt, "pictures")
        columns = {**table.columns, name: _cells(found)}
        return replace(table, columns=columns, facts={**table.facts, "corrupt": corrupt})

    def types(self, columns: Columns, given: Mapping[str, str]) -> dict[str, str]:
        """None: a picture is a picture. ValueError when the project gives types."""
        del columns
        if given:
            raise ValueError(f"data.columns {', '.join(given)}: kind image has no types of columns")
        return {}

    def typed(self, columns: Columns, types: Mapping[str, str]) -> dict[str, list[Any]]:
        """The pictures as they were opened."""
        del types
        return {name: list(values) for name, values in columns.items()}

    def unusable(self, columns: Columns) -> dict[str, Mask]:
        """Rows to drop, by reason: those whose picture could not be read."""
        (cells,) = columns.values()
        gone = (cell is None for cell in cells)
        return {"corrupt file": np.fromiter(gone, dtype=np.bool_, count=len(cells))}

    def keys(self, columns: Columns) -> list[str]:
        """What a row is, as a string: equal pixels ask the same question."""
        (cells,) = columns.values()
        return list(cells)

    def near_duplicates(self, columns: Columns) -> Ids:
        """A group number for each row; copies that were scaled or packed anew share one."""
        (cells,) = columns.values()
        return alike([stored_pixels(cell) for cell in cells])

    def figures(self, columns: Columns) -> dict[str, Any]:
        """Shape of the pictures as they are kept, and how light they are, for the data report."""
        (cells,) = columns.values()
        greys = [float(stored_pixels(cell).mean()) for cell in cells]
        at = (0, 0.05, 0.5, 0.95, 1)
        quantiles: list[float] = np.quantile(greys, at).tolist() if greys else []
        return {
            "shape": list(stored_pixels(cells[0]).shape) if cells else [],
            "mean_grey": [round(value, 1) for value in quantiles],
        }


def alike(pictures: Sequence[Pixels]) -> Ids:
    """A group number for each picture: equal difference hashes, and thumbnails nearly the same.

    The difference hash says of each pair of neighbours in a thumbnail which one is lighter.
    """
    groups: dict[bytes, list[tuple[NDArray[np.int16], int]]] = {}
    found, count = np.empty(len(pictures), dtype=np.int64), 0
    for row, picture in enumerate(pictures):
        small = _thumbnail(picture)
        seen = groups.setdefault((small[:, 1:] > small[:, :-1]).tobytes(), [])
        group = next((g for other, g in seen if np.abs(other - small).max() <= SAME_GREY), count)
        if group == count:
            seen.append((small, count))
            count += 1
        found[row] = group
    return found


def _thumbnail(picture: Pixels) -> NDArray[np.int16]:
    """Greys [8, 9] of the picture: nine columns have eight steps between them."""
    from PIL import Image

    grey = Image.fromarray(picture).convert("L")
    small = grey.resize((HASH_SIDE + 1, HASH_SIDE), Image.Resampling.BILINEAR)
    return np.asarray(small).astype(np.int16)


def _is_picture(cell: Any) -> bool:
    if isinstance(cell, list):
        return bool(cell) and isinstance(cell[0], list)
    return isinstance(cell, bytes) or is_named(cell, SUFFIXES)


def _cells(found: Sequence[Pixels | None]) -> list[str | None]:
    """Base64 of each picture, all in colour when one is."""
    is_colour = any(each is not None and each.ndim == 3 for each in found)
    cells: list[str | None] = []
    for each in found:
        if each is None:
            cells.append(None)
        elif is_colour and each.ndim == 2:
            cells.append(cell_of(np.repeat(each[:, :, None], 3, axis=2)))
        else:
            cells.append(cell_of(each))
    return cells
