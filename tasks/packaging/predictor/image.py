"""Encoder of pictures: PNG or JPEG as a path, as bytes or in base64, or rows of pixels in lists.

A picture is turned as its camera says, laid on white where it is transparent, made grey or colour,
and stretched to the square that the network reads. Where it has that form already, as in our own
snapshots (netpbm: a line of header, then the pixels), pillow is not needed.
"""

import base64
import io
import re
import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .content import bytes_of, short

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = (".png", ".jpg", ".jpeg")
FORMS = f"a path ({', '.join(SUFFIXES)}), the bytes of such a file, its base64, or lists of pixels"
MOST_BYTES = 64 << 20
"""Of one file."""
MOST_PIXELS = 50_000_000
"""A few bytes can be made to unpack into any number of pixels; no camera makes more than these."""
WHITE = 255
_NETPBM = re.compile(rb"P([56]) (\d{1,5}) (\d{1,5}) 255\n")
# What pillow's decoders raise on bytes that are not what their header says.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, struct.error)


class ImageRows:
    """Pictures as `pixels` float32 [rows, channels, size, size], in standard scores."""

    names: tuple[str, ...] = ("pixels",)
    batch_rows = 64
    ragged_axes: tuple[int, ...] = ()
    suffixes: tuple[str, ...] = SUFFIXES
    """A cell that ends so names a file."""

    def __init__(
        self, column: str, shape: tuple[int, int], mean: Sequence[float], deviation: Sequence[float]
    ) -> None:
        self.column = column
        self._size, self._channels = shape
        self._factor = (1 / np.array(deviation, np.float32)).reshape(1, -1, 1, 1)
        self._mean = np.array(mean, np.float32).reshape(1, -1, 1, 1)

    @classmethod
    def load(cls, config: Mapping[str, Any], folder: Path) -> "ImageRows":
        """From the configuration alone; no file is read from `folder`."""
        del folder
        shape = (config["size"], config["channels"])
        return cls(config["column"], shape, config["mean"], config["deviation"])

    def rows(self, columns: Mapping[str, Sequence[Any]]) -> np.ndarray:
        """uint8 [rows, channels, size, size]; ValueError names the first row without a picture."""
        if self.column not in columns:
            found = ", ".join(map(str, columns))
            raise ValueError(f"column {self.column!r} is missing; found {found}")
        cells = columns[self.column]
        made = np.empty((len(cells), self._channels, self._size, self._size), np.uint8)
        for row, cell in enumerate(cells):
            try:
                pixels = pixels_of(cell, self._size, self._channels)
            except ValueError as error:
                raise ValueError(f"column {self.column!r}, row {row}: {error}") from error
            made[row] = pixels if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
        return made

    def length(self, row: np.ndarray) -> int:
        """All pictures are equally large."""
        del row
        return 1

    def batch(self, rows: Sequence[np.ndarray] | np.ndarray) -> dict[str, np.ndarray]:
        """Standard scores of these rows."""
        stacked = rows if isinstance(rows, np.ndarray) else np.stack(rows)
        return {"pixels": (stacked.astype(np.float32) - self._mean) * self._factor}


def pixels_of(cell: Any, size: int, channels: int | None = None) -> np.ndarray:
    """uint8 [size, size], or [size, size, 3] of a colour picture; `channels` 1 or 3 makes it so.

    Raises ValueError for whatever is no picture, without the place of the cell.
    """
    if isinstance(cell, str | bytes | bytearray):
        return _fitted(_decoded(bytes_of(cell, SUFFIXES, FORMS, MOST_BYTES), size), size, channels)
    return _fitted(_listed(cell), size, channels)


def cell_of(pixels: np.ndarray) -> str:
    """Base64 of the pixels as netpbm: text that any door lets through, and that unpacks at once."""
    height, width = pixels.shape[:2]
    header = f"P{6 if pixels.ndim == 3 else 5} {width} {height} 255\n"
    return base64.b64encode(header.encode() + pixels.tobytes()).decode()


def stored_pixels(cell: str) -> np.ndarray:
    """The pixels of a cell that `cell_of` made."""
    found = _netpbm(base64.b64decode(cell))
    assert found is not None, f"{cell[:20]} is no cell of ours"
    return found


def _decoded(data: bytes, size: int) -> np.ndarray:
    """Pixels uint8 [height, width] or [height, width, 3] of a PNG, a JPEG or our own netpbm."""
    plain = _netpbm(data)
    if plain is not None:
        return plain
    from PIL import Image, UnidentifiedImageError

    if not data:
        raise ValueError("the file is empty")
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
            _check_opened(image)
            # A JPEG unpacks at a half, a quarter or an eighth of its size for a part of the cost.
            image.draft(None, (2 * size, 2 * size))
            return _upright(image)
    except UnidentifiedImageError as error:
        raise ValueError("neither PNG nor JPEG") from error
    except Image.DecompressionBombError as error:
        raise ValueError(f"more than {MOST_PIXELS:,} pixels") from error
    except _Refused:
        raise
    except (*_DAMAGE, zlib.error) as error:
        raise ValueError(f"damaged ({error})") from error


class _Refused(ValueError):
    """A sound picture of a sort that is not taken."""


def _check_opened(image: "Image.Image") -> None:
    """Pass when the header promises one picture of a bearable size."""
    if image.width * image.height > MOST_PIXELS:
        raise _Refused(f"{image.width} x {image.height} pixels, at most {MOST_PIXELS:,} are taken")
    frames = getattr(image, "n_frames", 1)
    if image.format == "PNG" and frames > 1:  # a JPEG's further frames are previews and depths
        raise _Refused(f"animated ({frames} frames), one still picture was expected")


def _upright(image: "Image.Image") -> np.ndarray:
    """Grey or colour pixels of 8 bits, turned as the camera says, on white."""
    from PIL import Image, ImageOps

    turned: Image.Image = ImageOps.exif_transpose(image)
    if turned.mode.startswith("I"):  # 16 bits: the upper eight of them
        return (np.asarray(turned).astype(np.uint32) >> 8).astype(np.uint8)
    if turned.mode in ("1", "L"):
        return np.asarray(turned.convert("L"))
    if turned.mode in ("LA", "RGBA", "PA") or "transparency" in turned.info:
        clear = turned.convert("RGBA")
        ground = Image.new("RGBA", clear.size, (WHITE,) * 4)
        target = "L" if turned.mode == "LA" else "RGB"
        return np.asarray(Image.alpha_composite(ground, clear).convert(target))
    return np.asarray(turned.convert("RGB"))


def _netpbm(data: bytes) -> np.ndarray | None:
    """The pixels of our own snapshots; None for other bytes."""
    head = _NETPBM.match(data)
    if head is None:
        return None
    width, height = int(head[2]), int(head[3])
    shape = (height, width) if head[1] == b"5" else (height, width, 3)
    found = np.frombuffer(data, np.uint8, offset=head.end())
    if not len(found) or len(found) != np.prod(shape):
        raise ValueError(f"damaged ({len(found)} bytes of pixels for {width} x {height})")
    return found.reshape(shape)


def _listed(cell: Any) -> np.ndarray:
    """Pixels from nested lists of numbers from 0 to 255: rows of greys, or of red-green-blue."""
    try:
        found = np.asarray(cell, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{short(cell)} must be {FORMS}") from error
    if found.ndim == 3 and found.shape[2] == 1:
        found = found[:, :, 0]
    if found.size == 0 or not (found.ndim == 2 or (found.ndim == 3 and found.shape[2] == 3)):
        raise ValueError(f"{short(cell)} must be {FORMS}")
    if not (found.min() >= 0 and found.max() <= WHITE):
        raise ValueError(f"pixels from {found.min():g} to {found.max():g} must be 0 to {WHITE}")
    return np.rint(found).astype(np.uint8)


def _fitted(pixels: np.ndarray, size: int, channels: int | None) -> np.ndarray:
    """Grey or colour as asked, stretched to [size, size]."""
    if channels == 3 and pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, None], 3, axis=2)
    is_right = channels != 1 or pixels.ndim == 2
    if is_right and pixels.shape[:2] == (size, size):
        return pixels
    from PIL import Image

    image = Image.fromarray(pixels)
    grey = image if is_right else image.convert("L")
    return np.asarray(grey.resize((size, size), Image.Resampling.BILINEAR))
