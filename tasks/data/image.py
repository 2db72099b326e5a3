"""What is particular to rows of pictures: how they are read, what is damaged, what is the same."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.data.config import DataConfig
from tasks.data.file_kind import Columns, FileKind
from tasks.data.files import check_corrupt, is_named, read_cells
from tasks.data.table import Ids, Table
from tasks.packaging.predictor.image import SUFFIXES, cell_of, pixels_of, stored_pixels

Pixels = NDArray[np.uint8]
HASH_SIDE = 8
SAME_GREY = 12
"""Largest difference of a grey in the thumbnails of two pictures that count as one."""


class ImageKind(FileKind):
    """Rows with one picture each, which the snapshot keeps at the network's size as netpbm."""

    name = "image"
    suffixes = SUFFIXES

    def is_one(self, cell: Any) -> bool:
        """Whether a cell is a picture: a name, bytes or content."""
        if isinstance(cell, list):
            return bool(cell) and isinstance(cell[0], list)
        return isinstance(cell, bytes) or is_named(cell, SUFFIXES)

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
