"""What pictures can be asked: how light they are, how they stand a worse camera, what they show.

Damage after Hendrycks and Dietterich 2019 (arXiv:1903.12261): noise, blur, light, contrast, JPEG;
a small turn and shift after Engstrom et al. 2019 (arXiv:1712.02779). Parts are windows that slide
over the picture, laid over with its median (Zeiler and Fergus 2014, arXiv:1311.2901, 4.1).

Shapes: H height, W width, pixels [H, W] grey or [H, W, 3] colour.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tasks.data.slicing import sliced_by_size
from tasks.packaging.predictor.image import cell_of, stored_pixels

Columns = Mapping[str, Sequence[Any]]
Pixels = NDArray[np.uint8]
Window = tuple[slice, slice]
WHITE = 255
TRAINING_PICTURES = 2000
"""So many training pictures, spread evenly, decide what is dark and what is light."""
NOISE = 0.08 * WHITE
BLUR = 0.02
"""Deviation of the blur in sides of the picture; half a pixel at least."""
TURN = 10.0
"""Degrees."""
SHIFT = 0.1
"""Of a side."""
QUALITY = 20
"""Of a JPEG, where 75 is usual."""
CELLS = 8
"""Lines and columns that a picture is divided in; a window covers two by two of them."""


class ImageProbe:
    """Rows with one picture each, as the snapshot keeps them."""

    def slices(
        self, columns: Columns, training: Columns, types: Mapping[str, str]
    ) -> dict[str, list[str]]:
        """By brightness and by contrast, in grey values from 0 to 255."""
        del types
        (cells,), (usual,) = columns.values(), training.values()
        greys, usual_greys = _greys(cells), _greys(usual[:: -(-len(usual) // TRAINING_PICTURES)])
        return {
            name: sliced_by_size(greys[place], usual_greys[place], "of 255")
            for place, name in enumerate(("brightness", "contrast"))
        }

    def damaged(
        self, columns: Columns, types: Mapping[str, str], seed: int
    ) -> dict[str, dict[str, list[str]]]:
        """Pictures as a worse camera, worse light or a shaking hand would take them."""
        del types
        ((name, cells),) = columns.items()
        pictures = [stored_pixels(cell) for cell in cells]
        return {
            change: {name: _all_changed(pictures, function, seed)}
            for change, function in CHANGES.items()
        }

    def parts(
        self, row: Mapping[str, Any], types: Mapping[str, str]
    ) -> list[tuple[str, dict[str, Any]]]:
        """Its windows."""
        del types
        ((name, cell),) = row.items()
        pixels = stored_pixels(cell)
        return [
            (_named(window), {name: cell_of(without_window(pixels, window))})
            for window in windows(*pixels.shape[:2])
        ]


def windows(height: int, width: int) -> list[Window]:
    """Where the windows lie, line by line; each overlaps its neighbours by half."""
    lines, rows = (
        np.unique(np.linspace(0, side, CELLS + 1).round().astype(int)).tolist()
        for side in (height, width)
    )
    return [
        (slice(top, bottom), slice(left, right))
        for top, bottom in zip(lines, lines[2:], strict=False)
        for left, right in zip(rows, rows[2:], strict=False)
    ]


def heat_of(effects: Sequence[float], height: int, width: int) -> NDArray[np.float64]:
    """[H, W]: the mean effect of the windows over each pixel."""
    total, count = np.zeros((2, height, width))
    for effect, window in zip(effects, windows(height, width), strict=True):
        total[window] += effect
        count[window] += 1
    return np.asarray(total / count)


def without_window(pixels: Pixels, window: Window) -> Pixels:
    """The picture with its median in the window: mostly what is behind the thing shown."""
    covered = pixels.copy()
    covered[window] = np.median(pixels, axis=(0, 1))
    return covered


def _noisy(pixels: Pixels, random: np.random.Generator) -> NDArray[Any]:
    return pixels + random.normal(0, NOISE, pixels.shape)


def _blurred(pixels: Pixels, random: np.random.Generator) -> NDArray[Any]:
    del random
    sigma = max(0.5, BLUR * max(pixels.shape[:2]))
    return np.asarray(
        ndimage.gaussian_filter(pixels.astype(np.float32), sigma, axes=(0, 1), mode="nearest")
    )


def _less_contrast(pixels: Pixels, random: np.random.Generator) -> NDArray[Any]:
    del random
    mean = pixels.mean()
    return np.asarray(mean + 0.5 * (pixels - mean))


def _turned(pixels: Pixels, random: np.random.Generator) -> NDArray[Any]:
    angle = TURN * (1 if random.random() < 0.5 else -1)
    turned = ndimage.rotate(
        pixels.astype(np.float32), angle, axes=(0, 1), reshape=False, order=1, mode="nearest"
    )
    return np.asarray(turned)


def _shifted(pixels: Pixels, random: np.random.Generator) -> NDArray[Any]:
    """By a tenth of a side, up, down, left or right; the border is repeated."""
    axis, sign = int(random.integers(2)), 1 if random.random() < 0.5 else -1
    step = max(1, round(SHIFT * pixels.shape[axis]))
    places = np.clip(np.arange(pixels.shape[axis]) - sign * step, 0, pixels.shape[axis] - 1)
    return np.asarray(np.take(pixels, places, axis=axis))


def _packed(pixels: Pixels, random: np.random.Generator) -> NDArray[Any]:
    from PIL import Image

    del random
    packed = io.BytesIO()
    Image.fromarray(pixels).save(packed, "JPEG", quality=QUALITY)
    return np.asarray(Image.open(packed))


CHANGES: dict[str, Callable[[Pixels, np.random.Generator], NDArray[Any]]] = {
    "noise": _noisy,
    "blur": _blurred,
    "darker": lambda pixels, _: pixels * 0.6,
    "lighter": lambda pixels, _: pixels + 0.25 * WHITE,
    "less contrast": _less_contrast,
    "turned by 10 degrees": _turned,
    "shifted by a tenth": _shifted,
    "packed as a poor JPEG": _packed,
}


def _all_changed(
    pictures: Sequence[Pixels],
    change: Callable[[Pixels, np.random.Generator], NDArray[Any]],
    seed: int,
) -> list[str]:
    changed = (
        change(pixels, np.random.default_rng((seed, row))) for row, pixels in enumerate(pictures)
    )
    return [cell_of(np.clip(np.rint(made), 0, WHITE).astype(np.uint8)) for made in changed]


def _greys(cells: Sequence[str]) -> list[list[int]]:
    """Mean and deviation of each picture, in whole grey values."""
    pictures = [stored_pixels(cell) for cell in cells]
    return [[round(float(f(pixels))) for pixels in pictures] for f in (np.mean, np.std)]


def _named(window: Window) -> str:
    lines, rows = ((place.start, place.stop - 1) for place in window)
    return "lines {}-{}, columns {}-{}".format(*lines, *rows)
