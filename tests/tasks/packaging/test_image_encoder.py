"""The encoder of pictures: every form of a cell is the same pixels, every bad one is named."""

import base64
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tasks.packaging.predictor import load_encoder
from tasks.packaging.predictor.image import cell_of, pixels_of, stored_pixels

CONFIG: dict[str, Any] = {
    "kind": "image", "column": "photo", "size": 8, "channels": 1,
    "mean": [100.0], "deviation": [50.0],
}  # fmt: skip
GREY = np.random.default_rng(0).integers(0, 256, (8, 8), dtype=np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (12, 10, 3), dtype=np.uint8)


def packed(image: Image.Image | np.ndarray, form: str = "PNG", **settings: Any) -> bytes:
    stream = io.BytesIO()
    found = image if isinstance(image, Image.Image) else Image.fromarray(image)
    found.save(stream, form, **settings)
    return stream.getvalue()


def encoded(cell: Any, **changes: Any) -> np.ndarray:
    found: np.ndarray = load_encoder(CONFIG | changes, Path()).rows({"photo": [cell]})[0]
    return found


def test_every_form_of_a_picture_is_the_same_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.PNG"
    path.write_bytes(packed(GREY))
    forms = [
        str(path), packed(GREY), base64.b64encode(packed(GREY)).decode(),
        GREY.tolist(), GREY, GREY[:, :, None].tolist(), cell_of(GREY),
    ]  # fmt: skip
    for cell in forms:
        assert np.array_equal(encoded(cell), GREY[None])


def test_a_batch_holds_standard_scores() -> None:
    encoder = load_encoder(CONFIG, Path())
    rows = encoder.rows({"photo": [GREY.tolist()] * 3})
    for picked in (rows, list(rows)):
        pixels = encoder.batch(picked)["pixels"]
        assert (pixels.shape, pixels.dtype) == ((3, 1, 8, 8), np.float32)
        np.testing.assert_allclose(pixels[0, 0], (GREY - 100.0) / 50, rtol=1e-6)


@pytest.mark.parametrize("pixels", [GREY, COLOUR], ids=["grey", "colour"])
def test_a_stored_cell_loses_nothing(pixels: np.ndarray) -> None:
    assert np.array_equal(stored_pixels(cell_of(pixels)), pixels)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("pixels", [GREY, COLOUR], ids=["grey", "colour"])
def test_what_the_snapshot_holds_is_what_serving_makes_of_the_file(
    pixels: np.ndarray, channels: int
) -> None:
    stored = cell_of(pixels_of(packed(pixels), 8, channels))
    changes = {"channels": channels, "mean": [0.0] * channels, "deviation": [1.0] * channels}
    assert np.array_equal(encoded(stored, **changes), encoded(packed(pixels), **changes))


def on_white(image: Image.Image) -> Image.Image:
    clear = image.convert("RGBA")
    clear.putalpha(0)
    return clear


@pytest.mark.parametrize(
    ("image", "form", "shape", "mean"),
    [
        (Image.new("1", (9, 9), 1), "PNG", (8, 8), 255),
        (Image.new("L", (9, 9), 7), "PNG", (8, 8), 7),
        (Image.fromarray(np.full((9, 9), 514, np.uint16)), "PNG", (8, 8), 2),
        (Image.new("LA", (9, 9), (7, 0)), "PNG", (8, 8), 255),
        (Image.new("P", (9, 9), 0), "PNG", (8, 8, 3), 0),
        (on_white(Image.new("RGB", (9, 9))), "PNG", (8, 8, 3), 255),
        (Image.new("CMYK", (9, 9), (0, 0, 0, 0)), "JPEG", (8, 8, 3), 255),
        (Image.new("YCbCr", (9, 9), (0, 128, 128)), "JPEG", (8, 8, 3), 0),
        (Image.new("L", (900, 3), 9), "JPEG", (8, 8), 9),
    ],
    ids=["bits", "grey", "16 bits", "grey and clear", "palette", "clear", "cmyk", "ycbcr", "wide"],
)
def test_every_mode_is_brought_to_grey_or_colour(
    image: Image.Image, form: str, shape: tuple[int, ...], mean: int
) -> None:
    found = pixels_of(packed(image, form), 8)
    assert found.shape == shape
    assert abs(float(found.mean()) - mean) <= 1


def test_a_picture_is_turned_as_the_camera_says() -> None:
    pixels = np.zeros((8, 8), np.uint8)
    pixels[:4] = 255
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    found = pixels_of(packed(pixels, exif=exif.tobytes()), 8)
    assert found[:4].max() == 0
    assert found[4:].min() == 255


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        (None, "None must be a path"),
        (float("nan"), "nan must be a path"),
        (7, "7 must be a path"),
        ("", "the file is empty"),
        ("what?", "'what[?]' must be a path"),
        ("gone.png", "gone.png: no such file"),
        (b"", "the file is empty"),
        (b"hello", "neither PNG nor JPEG"),
        (packed(GREY)[:70], "damaged"),
        ("aGVsbG8=", "neither PNG nor JPEG"),
        ([], "must be a path"),
        ([[]], "must be a path"),
        ([[1, 2], [3]], "must be a path"),
        ([1, 2, 3], "must be a path"),
        ([["a"]], "must be a path"),
        ([[[1, 2]]], "must be a path"),
        ([[[[1]]]], "must be a path"),
        ([[-1, 0]], "pixels from -1 to 0 must be 0 to 255"),
        ([[0, 256]], "pixels from 0 to 256 must be 0 to 255"),
        ([[float("nan")]], "pixels from nan to nan must be 0 to 255"),
        ({"bytes": 1}, "must be a path"),
    ],
    ids=lambda value: repr(value)[:25],
)
def test_a_bad_cell_is_named(cell: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=rf"^column 'photo', row 1: .*{sentence}") as raised:
        load_encoder(CONFIG, Path()).rows({"photo": [GREY, cell]})
    assert "\n" not in str(raised.value)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match="column 'photo' is missing; found text"):
        load_encoder(CONFIG, Path()).rows({"text": ["x"]})


def test_pillow_is_loaded_for_files_alone() -> None:
    script = (
        "import sys; from pathlib import Path; from tasks.packaging.predictor import load_encoder;"
        f"load_encoder({CONFIG!r}, Path()).rows({{'photo': [{cell_of(GREY)!r}]}});"
        "sys.exit('PIL' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
