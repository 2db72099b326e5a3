"""Malformed pictures: each is refused in one sentence, by the command with exit code 2."""

import base64
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

Case = tuple[dict[str, bytes | str], dict[str, Any]]
"""Files by name, and what `data` of the project file says beside source, kind and target."""


def parquet(columns: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table(columns), stream)
    return stream.getvalue()


def png(seed: int, side: int = 12, form: str = "PNG") -> bytes:
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 200, (side, side), dtype=np.uint8)
    pixels[:, : side // 2] += np.uint8(50 * (seed % 2))
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, form)
    return stream.getvalue()


PHOTOS: dict[str, bytes | str] = {
    f"photos/{('left', 'right')[i % 2]}/{i:02}.png": png(i) for i in range(60)
}
PATHS = "file,y\n" + "".join(f"{name},{name.split('/')[1]}\n" for name in PHOTOS)
SI = {"source": "photos", "target": "label"}


def with_file(content: bytes, name: str = "bad.png") -> Case:
    return {**PHOTOS, f"photos/left/{name}": content}, SI


def with_row(line: str, **settings: Any) -> Case:
    return {**PHOTOS, "rows.csv": PATHS + line + "\n"}, settings


def cells(values: list[Any], **settings: Any) -> Case:
    labels = [("left", "right")[i % 2] for i in range(len(values))]
    return {"rows.parquet": parquet({"photo": values, "y": labels})}, {
        "source": "rows.parquet",
        **settings,
    }


def squares(side: int = 8) -> list[Any]:
    return [np.random.default_rng(i).integers(0, 255, (side, side)).tolist() for i in range(60)]


def replaced(values: list[Any], place: int, value: Any) -> list[Any]:
    return [*values[:place], value, *values[place + 1 :]]


MALFORMED: dict[str, tuple[Case, str]] = {
    "an empty picture": (with_file(b""), "left/bad.png (the file is empty)"),
    "text as picture": (with_file(b"hello"), "left/bad.png (neither PNG nor JPEG)"),
    "a GIF": (with_file(png(1, form="GIF")), "left/bad.png (neither PNG nor JPEG)"),
    "a TIFF": (with_file(png(1, form="TIFF"), "bad.jpg"), "left/bad.jpg (neither PNG nor JPEG)"),
    "a PNG cut short": (with_file(png(1)[:90]), "left/bad.png (damaged (image file is truncated))"),
    "a JPEG cut short": (
        with_file(png(1, 64, "JPEG")[:200], "bad.jpeg"),
        "left/bad.jpeg (damaged (Truncated File Read))",
    ),
    "a head alone": (with_file(png(1)[:24]), "left/bad.png (damaged (Truncated File Read))"),
    "a broken checksum": (
        with_file(png(1)[:50] + b"\1\2\3" + png(1)[53:]),
        "left/bad.png (damaged (broken data stream when reading image file))",
    ),
    "no folder": (({}, SI), "data.source 'photos': no such file"),
    "an empty folder": (
        ({"photos/readme.txt": "x"}, SI),
        "photos holds no file that ends in .png, .jpg, .jpeg; a folder with a folder of files",
    ),
    "a folder of one class": (
        ({n: c for n, c in PHOTOS.items() if "left" in n}, SI),
        "photos: data.target 'label' has only the class 'left', at least two are needed",
    ),
    "files without a class": (
        (
            {
                **{n: c for n, c in PHOTOS.items() if "left" in n},
                **{f"photos/{i}.png": png(i) for i in range(60, 90)},
            },
            SI,
        ),
        "photos, row 1: data.target 'label' is missing here and in 30 of 60 rows, at most 5%",
    ),
    "a class of one picture": (
        ({**PHOTOS, "photos/above/1.png": png(99)}, SI),
        "data.target 'label': too rare to stand in train, valid and test, which takes at least",
    ),
    "classes within classes": (
        ({f"photos/{('a/left', 'a/right')[i % 2]}/{i:02}.png": png(i) for i in range(60)}, SI),
        "photos: data.target 'label' has only the class 'a', at least two are needed",
    ),
    "an unknown target": (
        (PHOTOS, SI | {"target": "class"}),
        "data.target 'class' is not a column of photos; columns: path, label",
    ),
    "the label as input": (
        (PHOTOS, SI | {"inputs": ["label"]}),
        "data.inputs 'label' is the target too, which would be leaked",
    ),
    "an unknown input": (
        (PHOTOS, SI | {"inputs": ["photo"]}),
        "data.inputs 'photo' is not a column of photos; columns: path, label",
    ),
    "two inputs": (
        (
            with_row(
                "",
            )[0]
            | {
                "rows.csv": PATHS.replace("file,y", "file,y")
                .replace("\n", ",x\n")
                .replace("y,x\n", "y,z\n", 1)
            },
            {"inputs": ["file", "z"]},
        ),
        "data.inputs has 2 columns, kind image takes exactly one",
    ),
    "types of columns": (
        (PHOTOS, SI | {"columns": {"path": "category"}}),
        "data.columns path: kind image has no types of columns",
    ),
    "a picture of no pixels asked": (
        (PHOTOS, SI | {"image": {"size": 0}}),
        "data.image.size: 0 must be greater than or equal to 8",
    ),
    "a picture too large asked": (
        (PHOTOS, SI | {"image": {"size": 100_000}}),
        "data.image.size: 100000 must be less than or equal to 512",
    ),
    "two channels asked": (
        (PHOTOS, SI | {"image": {"channels": 2}}),
        "data.image.channels: 2 must be 'auto', 1 or 3",
    ),
    "an unknown setting": (
        (PHOTOS, SI | {"image": {"width": 32}}),
        "data.image.width: unknown field; allowed: size, channels",
    ),
    "a share of corrupt files above one": (
        (PHOTOS, SI | {"max_corrupt": 1.5}),
        "data.max_corrupt: 1.5 must be less than or equal to 1",
    ),
    "a table without paths": (
        ({**PHOTOS, "rows.csv": "file,y\n" + "x,left\ny,right\n" * 30}, {}),
        "data.inputs: rows.csv has no column of files that end in .png, .jpg, .jpeg (columns:",
    ),
    "a path that is not there": (
        with_row("photos/left/99.png,left"),
        "photos/left/99.png (99.png: no such file)",
    ),
    "a path out of the folder": (
        with_row("../secret.png,left"),
        "rows.csv:62: 'file' is '../secret.png', a path from",
    ),
    "an absolute path": (
        with_row("/etc/secret.png,left"),
        "rows.csv:62: 'file' is '/etc/secret.png', a path from",
    ),
    "an empty path": (
        with_row(",left"),
        "data.inputs: rows.csv has no column of files that end in .png, .jpg, .jpeg (columns:",
    ),
    "a path with another ending": (
        with_row("photos/left/00.bmp,left", inputs=["file"]),
        "'photos/left/00.bmp' ('photos/left/00.bmp' must be a path (.png, .jpg, .jpeg), the",
    ),
    "a path to a folder": (
        with_row("photos/left,left", inputs=["file"]),
        "'photos/left' ('photos/left' must be a path (.png, .jpg, .jpeg), the bytes of such a",
    ),
    "a very long path": (
        with_row("photos/" + "x" * 5000 + ".png,left"),
        "photos/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ),
    "a number as picture": (
        cells(list(range(60)), inputs=["photo"]),
        "rows.parquet: 60 of 60 pictures cannot be read, data.max_corrupt 0.01 allows 0: 0 (0",
    ),
    "no pixels": (
        cells([[[]]] * 60, inputs=["photo"]),
        "rows.parquet: 60 of 60 pictures cannot be read, data.max_corrupt 0.01 allows 0: [[]]",
    ),
    "ragged pixels": (
        cells(replaced(squares(), 7, [[1, 2], [3]]), inputs=["photo"]),
        "[[1, 2], [3]] ([[1, 2], [3]] must be a path (.png, .jpg, .jpeg), the bytes of such a",
    ),
    "a pixel above 255": (
        cells(replaced(squares(), 7, [[300, 2], [3, 4]]), inputs=["photo"]),
        "[[300, 2], [3, 4]] (pixels from 2 to 300 must be 0 to 255)",
    ),
    "a pixel below 0": (
        cells(replaced(squares(), 7, [[-1, 2], [3, 4]]), inputs=["photo"]),
        "[[-1, 2], [3, 4]] (pixels from -1 to 4 must be 0 to 255)",
    ),
    "a missing pixel": (
        cells(replaced(squares(), 7, [[None, 2], [3, 4]]), inputs=["photo"]),
        "[[None, 2], [3, 4]] (pixels from nan to nan must be 0 to 255)",
    ),
    "bytes that are no picture": (
        cells([b"hello"] * 60, inputs=["photo"]),
        "rows.parquet: 60 of 60 pictures cannot be read, data.max_corrupt 0.01 allows 0:",
    ),
    "a word of base64 that is no picture": (
        cells(
            replaced([base64.b64encode(png(i)).decode() for i in range(60)], 7, "aGVsbG8="),
            inputs=["photo"],
        ),
        "'aGVsbG8=' (neither PNG nor JPEG)",
    ),
    "five channels": (
        cells(
            replaced(
                [np.zeros((4, 4, 3), int).tolist()] * 60, 7, np.zeros((4, 4, 5), int).tolist()
            ),
            inputs=["photo"],
        ),
        "[[[0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]], [[0, 0, 0",
    ),
    "other data of scikit-learn": (
        ({}, {"source": "sklearn://faces", "target": "digit"}),
        "data.source 'sklearn://faces': sklearn:// cannot be read, allowed: a path (from the",
    ),
    "a target that digits have not": (
        ({}, {"source": "sklearn://digits", "target": "label"}),
        "data.target 'label' is not a column of digits.csv.gz; columns: image, digit",
    ),
    "series' settings": (
        (PHOTOS, SI | {"series": {"id": "a", "time": "b"}}),
        "data: data.series is for kind series, data.kind is image",
    ),
    "weights of an unknown class": (
        (PHOTOS, SI | {"class_weights": {"above": 2}}),
        "data.class_weights 'above' is no class, allowed: left, right",
    ),
    "a regression of names": (
        (PHOTOS, SI | {"task": "regression"}),
        "photos, row 1: data.target 'label' is 'left', task regression takes finite numbers",
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_it_is_one_sentence(is_one_sentence: Callable[..., None], name: str) -> None:
    is_one_sentence("image", *MALFORMED[name])


@pytest.mark.parametrize(
    "name", ["a PNG cut short", "an unknown setting", "a class of one picture"]
)
def test_the_command_refuses_it(is_bad_input: Callable[..., None], name: str) -> None:
    is_bad_input("image", *MALFORMED[name])
