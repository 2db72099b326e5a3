"""Pictures: what is read, what is skipped, what is the same, and what is said of the rest."""

import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tasks.data.config import DataConfig
from tasks.data.guessing import guess_data
from tasks.data.image import alike
from tasks.data.prepare import Prepared, prepare_rows
from tasks.data.report import data_report
from tasks.data.source_table import source_digest
from tasks.packaging.predictor.image import MOST_PIXELS, stored_pixels
from tests.tasks.data.spoiled import (
    Spoil,
    as_they_are,
    emptied,
    linked,
    listed_with,
    unlabelled,
    without,
)

SIZE = 16


def picture(index: int, is_colour: bool = False) -> Image.Image:
    """Bright on the left or on the right, with noise of its own."""
    random = np.random.default_rng(index)
    pixels = random.integers(0, 90, (20, 24, 3) if is_colour else (20, 24), dtype=np.uint8)
    pixels[:, 12 * (index % 2) : 12 * (index % 2) + 12] += 120
    return Image.fromarray(pixels)


def packed(index: int, form: str = "PNG", **settings: Any) -> bytes:
    stream = io.BytesIO()
    picture(index).save(stream, form, **settings)
    return stream.getvalue()


def photos(folder: Path, count: int = 60, ending: str = "png") -> Path:
    """A folder with the folders `left` and `right`."""
    root = folder / "photos"
    for index in range(count):
        side = root / ("right" if index % 2 else "left")
        side.mkdir(parents=True, exist_ok=True)
        picture(index).save(side / f"{index:03}.{ending}")
    return root


def prepared(folder: Path, **settings: Any) -> Prepared:
    given = {"source": "photos", "target": "label", "image": {"size": SIZE}, **settings}
    return prepare_rows(DataConfig(kind="image", **given), folder)


@pytest.mark.parametrize("ending", ["png", "jpg", "JPEG"])
def test_a_folder_of_classes_is_read(tmp_path: Path, ending: str) -> None:
    photos(tmp_path, ending=ending)
    found = prepared(tmp_path)
    assert found.config.inputs == ("path",)
    assert found.classes == ("left", "right")
    cells = found.inputs["path"]
    assert {stored_pixels(cell).shape for cell in cells} == {(SIZE, SIZE)}
    for cell, label in zip(cells, found.rows.labels, strict=True):
        grey = stored_pixels(cell).mean(axis=0)
        assert (grey[:8].mean() > grey[8:].mean()) == (label == "left")


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_a_table_of_paths_is_read(tmp_path: Path, form: str) -> None:
    root = photos(tmp_path)
    rows = [
        {"file": path.relative_to(tmp_path).as_posix(), "side": path.parent.name}
        for path in sorted(root.rglob("*.png"))
    ]
    source = tmp_path / f"rows.{form}"
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), source)
    elif form == "jsonl":
        source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        source.write_text("file,side\n" + "".join(f"{r['file']},{r['side']}\n" for r in rows))
    found = prepared(tmp_path, source=source.name, target="side")
    assert (found.config.inputs, len(found.rows)) == (("file",), 60)


def test_parquet_may_hold_the_bytes_of_the_files(tmp_path: Path) -> None:
    rows = [{"photo": packed(i), "side": "lr"[i % 2]} for i in range(60)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    assert len(prepared(tmp_path, source="rows.parquet", target="side").rows) == 60


def test_the_digits_of_scikit_learn_are_there() -> None:
    found = prepared(Path(), source="sklearn://digits", target="digit", image={"size": 8})
    assert (len(found.rows), len(found.classes)) == (1797, 10)
    first = stored_pixels(found.inputs["image"][0])
    assert first[0].tolist() == [0, 0, 80, 207, 143, 16, 0, 0]  # 5 13 9 1 of 16


@pytest.mark.parametrize(
    ("channels", "colours", "shape"),
    [
        ("auto", 0, (SIZE, SIZE)),
        ("auto", 1, (SIZE, SIZE, 3)),
        (1, 1, (SIZE, SIZE)),
        (3, 0, (SIZE, SIZE, 3)),
    ],
)
def test_one_picture_in_colour_makes_all_colour(
    tmp_path: Path, channels: Any, colours: int, shape: tuple[int, ...]
) -> None:
    root = photos(tmp_path)
    for index in range(colours):
        picture(index, is_colour=True).save(root / "left" / "colour.png")
    found = prepared(tmp_path, image={"size": SIZE, "channels": channels})
    assert {stored_pixels(cell).shape for cell in found.inputs["path"]} == {shape}


def test_corrupt_files_are_skipped_listed_and_counted(tmp_path: Path) -> None:
    root = photos(tmp_path, 98)
    (root / "left" / "a.png").write_bytes(packed(3)[:200])
    (root / "left" / "b.png").write_text("hello")
    report = data_report(prepared(tmp_path, max_corrupt=0.02))
    assert report["rows"]["dropped"]["corrupt file"] == 2
    first, second = report["source"]["corrupt"]
    assert first.startswith("left/a.png (damaged")
    assert second == "left/b.png (neither PNG nor JPEG)"


def test_hidden_and_other_files_are_passed_over(tmp_path: Path) -> None:
    root = photos(tmp_path)
    (root / ".DS_Store").write_text("x")
    (root / "left" / "notes.txt").write_text("x")
    assert data_report(prepared(tmp_path))["source"]["files_passed_over"] == 1


def test_equal_pictures_are_kept_once_and_copies_stand_on_one_side(tmp_path: Path) -> None:
    root = photos(tmp_path, 100)
    (root / "left" / "again.png").write_bytes((root / "left" / "000.png").read_bytes())
    for index in range(20):
        picture(index).resize((48, 40)).save(
            root / ("right" if index % 2 else "left") / f"large-{index}.png"
        )
    found = prepared(tmp_path)
    assert found.rows.dropped["exact duplicate"] >= 1
    sides: dict[int, set[int]] = {}
    for group, side in zip(found.groups.tolist(), found.sides.tolist(), strict=True):
        sides.setdefault(group, set()).add(side)
    assert all(len(each) == 1 for each in sides.values())
    assert len(sides) < len(found.rows)


def test_pictures_that_only_hash_alike_are_apart() -> None:
    flat = [np.full((8, 8), grey, np.uint8) for grey in (0, 4, 200)]
    assert alike(flat).tolist() == [0, 0, 1]


def test_the_digest_is_that_of_the_pictures_too(tmp_path: Path) -> None:
    root = photos(tmp_path, 4)
    (tmp_path / "rows.csv").write_text("file,y\nphotos/left/000.png,a\nphotos/right/001.png,b\n")
    configs = [
        DataConfig(source=source, kind="image", target="y") for source in ("rows.csv", "photos")
    ]
    before = [source_digest(config, tmp_path) for config in configs]
    (root / "left" / "000.png").write_bytes(packed(77))
    after = [source_digest(config, tmp_path) for config in configs]
    assert len({*before, *after}) == 4


def test_init_takes_a_folder(tmp_path: Path) -> None:
    guesses = guess_data(photos(tmp_path))
    found = (guesses["kind"].value, guesses["inputs"].value, guesses["target"].value)
    assert found == ("image", ("path",), "label")


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises many pixels in few bytes."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    end = chunk(b"IDAT", zlib.compress(b"\0" * 999)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + end


def animated() -> bytes:
    stream = io.BytesIO()
    picture(1).save(stream, "PNG", save_all=True, append_images=[picture(2), picture(3)])
    return stream.getvalue()


BAD_FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "the file is empty"),
    "text": (b"hello", "neither PNG nor JPEG"),
    "gif": (packed(1, "GIF"), "neither PNG nor JPEG"),
    "webp or bmp": (packed(1, "BMP"), "neither PNG nor JPEG"),
    "truncated png": (packed(1)[:150], "damaged"),
    "truncated jpeg": (packed(1, "JPEG")[:300], "damaged"),
    "png header alone": (packed(1)[:20], "neither PNG nor JPEG|damaged"),
    "jpeg marker alone": (b"\xff\xd8\xff", "neither PNG nor JPEG|damaged"),
    "broken checksum": (packed(1)[:60] + b"\0\0\0" + packed(1)[63:], "damaged"),
    "bomb": (png_header(30_000, 30_000), f"at most {MOST_PIXELS:,}|more than {MOST_PIXELS:,}"),
    "larger bomb": (png_header(10_000, 10_000), f"at most {MOST_PIXELS:,}"),
    "no width": (png_header(0, 10), "neither PNG nor JPEG|damaged"),
    "animated": (animated(), r"animated \(3 frames\), one still picture was expected"),
    "netpbm without pixels": (b"P5 8 8 255\n", "damaged"),
    "netpbm cut short": (b"P5 8 8 255\n" + b"\0" * 63, "damaged"),
    "another netpbm": (b"P3 1 1 255\n0 0 0", "neither PNG nor JPEG"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_is_no_picture_is_one_sentence(tmp_path: Path, name: str) -> None:
    content, reason = BAD_FILES[name]
    root = photos(tmp_path)
    (root / "left" / "bad.png").write_bytes(content)
    expected = r"photos: 1 of 61 pictures cannot be read, data.max_corrupt 0.01 allows 0: "
    with pytest.raises(ValueError, match=rf"^{expected}left/bad.png \(.*({reason}).*\)$") as raised:
        prepared(tmp_path)
    assert "\n" not in str(raised.value)


ROWS = {"source": "rows.csv", "target": "side"}
BAD_SOURCES: dict[str, tuple[Spoil, dict[str, Any], str]] = {
    "empty folder": (emptied, {}, "photos holds no file that ends in .png, .jpg, .jpeg"),
    "one class": (without("right"), {}, "only the class 'left', at least two are needed"),
    "no class": (
        unlabelled("left"),
        {},
        "data.target 'label' is missing here and in 30 of 60 rows",
    ),
    "a link outside": (
        linked("left", "link.png", packed(5)),
        {},
        r"a link that leads out of photos/",
    ),
    "unknown target": (as_they_are, {"target": "labl"}, "did you mean label"),
    "two inputs": (as_they_are, {"inputs": ("path", "x")}, "'x' is not a column"),
    "target as input": (as_they_are, {"inputs": ("label",)}, "is the target too"),
    "types": (as_they_are, {"columns": {"path": "number"}}, "kind image has no types"),
    "dots": (
        listed_with("../secret.png,left"),
        ROWS,
        "'../secret.png', a path from .* without '..'",
    ),
    "absolute": (listed_with("/etc/x.png,left"), ROWS, "'/etc/x.png', a path from .* without '..'"),
    "missing": (listed_with("photos/gone.png,left"), ROWS, r"gone.png \(gone.png: no such file\)"),
    "folder as file": (listed_with("photos/dir.png,left"), ROWS, r"dir.png: (no such|not a) file"),
    "no path": (listed_with("nothing,left"), ROWS | {"inputs": ("file",)}, "must be a path"),
    "no column": (listed_with("x,left"), ROWS, "has no column of files that end in"),
    "no folder": (as_they_are, {"source": "fotos"}, "no such file"),
    "other digits": (as_they_are, {"source": "sklearn://faces"}, "sklearn:// cannot be read"),
}


@pytest.mark.parametrize("name", BAD_SOURCES)
def test_a_bad_source_is_one_sentence(tmp_path: Path, name: str) -> None:
    spoil, settings, sentence = BAD_SOURCES[name]
    root = photos(tmp_path)
    if name == "folder as file":
        (root / "dir.png").mkdir()
    spoil(root)
    with pytest.raises(ValueError, match=sentence) as raised:
        prepared(tmp_path, **settings)
    assert "\n" not in str(raised.value)


def test_a_project_of_texts_takes_no_pictures_and_no_size(tmp_path: Path) -> None:
    photos(tmp_path)
    with pytest.raises(ValueError, match="photos is a directory that holds no file of rows"):
        prepare_rows(DataConfig(source="photos", target="label"), tmp_path)
    with pytest.raises(ValueError, match=r"data\.image is for kind image, data.kind is text"):
        DataConfig(source="photos", target="label", image={"size": 8})
