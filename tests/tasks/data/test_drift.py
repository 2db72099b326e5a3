"""How far rows have moved since the last snapshot."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.stats import entropy

from tasks.data import measures
from tasks.data.arrow_column import ArrowColumn
from tasks.data.config import DataConfig
from tasks.data.dataset import write_dataset
from tasks.data.drift import (
    Drift,
    _columns,
    drift_of,
    drift_sentences,
    drift_since,
    stability_index,
)
from tasks.data.prepare import Prepared, prepare_rows
from tasks.packaging.predictor.audio import cell_of

RNG = np.random.default_rng(5)


def test_the_index_is_the_symmetric_divergence() -> None:
    before, now = np.array([10.0, 60.0, 30.0]), np.array([30.0, 40.0, 50.0])
    p, q = before + 0.5, now + 0.5
    assert stability_index(before, now) == pytest.approx(entropy(p, q) + entropy(q, p))


@pytest.mark.parametrize("rows", [60, 400, 5000])
@pytest.mark.parametrize(
    "draw",
    [
        lambda n: RNG.normal(size=n).tolist(),
        lambda n: RNG.integers(0, 3, size=n).tolist(),
        lambda n: [None if v > 1 else v for v in RNG.normal(size=n).tolist()],
        lambda n: RNG.choice(["a", "b", "c"], p=[0.7, 0.2, 0.1], size=n).tolist(),
        lambda n: [" ".join(RNG.choice(list("abcdefgh"), size=6)) for _ in range(n)],
    ],
    ids=["numbers", "counts", "gaps", "names", "texts"],
)
def test_two_samples_of_one_population_have_not_drifted(draw: Any, rows: int) -> None:
    drift = drift_of(draw(rows), draw(rows))
    assert drift is not None
    assert not drift.is_above(0.2)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (RNG.normal(size=400).tolist(), RNG.normal(1.0, size=400).tolist()),
        (RNG.normal(size=400).tolist(), RNG.normal(scale=3.0, size=400).tolist()),
        ([1.0] * 400, [None] * 200 + [1.0] * 200),
        (["a"] * 300 + ["b"] * 100, ["a"] * 100 + ["b"] * 300),
        (["a"] * 300 + ["b"] * 100, ["a"] * 300 + ["new"] * 100),
        ([True] * 300 + [False] * 100, [False] * 300 + [True] * 100),
        ([f"old words {i}" for i in range(400)], [f"other things {i}" for i in range(400)]),
    ],
    ids=["mean", "spread", "missing", "shares", "new name", "booleans", "texts"],
)
def test_what_moved_has_drifted(before: list[Any], now: list[Any]) -> None:
    drift = drift_of(before, now)
    assert drift is not None
    assert drift.is_above(0.2)


@pytest.mark.parametrize("values", [[[1, 2]], [b"x"], [None], []], ids=str)
def test_what_is_neither_number_nor_name_is_left_out(values: list[Any]) -> None:
    assert drift_of(values, values) is None


def test_a_constant_has_not_drifted() -> None:
    assert drift_of([1.0] * 9, [1.0] * 5) == Drift(0.0, 1.0)


def prepared(folder: Path, shift: int, extra: str = "") -> Prepared:
    lines = [
        f"{i % 50 + shift},{'Oslo' if i % 3 else 'Rome'}{extra},{'pn'[i % 2]}" for i in range(300)
    ]
    (folder / "rows.csv").write_text("\n".join(["age,city,y", *lines]) + "\n")
    config = DataConfig(source="rows.csv", kind="table", target="y", inputs=("age", "city"))
    return prepare_rows(config, folder)


def test_a_snapshot_is_compared_with_the_last(tmp_path: Path) -> None:
    last = tmp_path / "last"
    last.mkdir()
    write_dataset(prepared(tmp_path, 0), last)
    same = drift_since(last, prepared(tmp_path, 0))
    assert {name: found.psi for name, found in same.items()} == {"age": 0, "city": 0, "y": 0}
    moved = drift_since(last, prepared(tmp_path, 30))
    (sentence,) = drift_sentences(moved, 0.2)
    assert sentence.startswith("'age' has drifted since the last snapshot (stability index ")


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ([1.0, None, 2.5, 7.0] * 30, [2.0, 9.0, None, 1.0] * 40),
        (["a", "b", None, "a"] * 30, ["c", "a", "a", None] * 40),
        ([f"some words of {n % 7} and {n}" for n in range(150)], ["some other words"] * 90),
        ([True, False, None, True] * 30, [False, False, True, None] * 40),
        ([None] * 5, [None] * 5),
        (["1", "2"] * 60, [1, 2, 3] * 50),
    ],
    ids=["numbers", "names", "texts", "truths", "nothing", "a change of type"],
)
def test_a_compact_column_drifts_like_its_list(before: list[Any], now: list[Any]) -> None:
    def compact(values: list[Any]) -> ArrowColumn:
        return ArrowColumn(pa.chunked_array([values]))

    wanted = drift_of(before, now)
    assert drift_of(compact(before), compact(now)) == wanted
    assert drift_of(compact(before), now) == wanted


def sounds(folder: Path, loudness: float) -> DataConfig:
    lines = []
    for row in range(200):
        steps = np.arange(400 + 10 * (row % 9)) / 4000
        tone = np.sin(2 * np.pi * (300 + 2 * row) * steps)
        made = np.rint(loudness * (0.2 + 0.001 * (row % 50)) * 32767 * tone).astype(np.int16)
        lines.append(f"{cell_of(made, 4000)},{'lh'[row % 2]}")
    (folder / "rows.csv").write_text("\n".join(["clip,y", *lines]) + "\n")
    form = {"sample_rate": 4000, "seconds": 1, "mels": 16}
    return DataConfig.model_validate(
        {"source": "rows.csv", "kind": "audio", "target": "y", "audio": form}
    )


def pictures(folder: Path, light: float) -> DataConfig:
    random = np.random.default_rng(3)
    cells = [(light * random.integers(0, 200, (8, 8))).astype(int).tolist() for _ in range(200)]
    rows = {"photo": cells, "y": [i % 2 for i in range(200)]}
    pq.write_table(pa.table(rows), folder / "rows.parquet")
    return DataConfig.model_validate(
        {"source": "rows.parquet", "kind": "image", "target": "y", "image": {"size": 8}}
    )


def series(folder: Path, level: float) -> DataConfig:
    random = np.random.default_rng(3)
    cells = [(level + random.normal(size=5 + row % 7)).tolist() for row in range(200)]
    rows = {"heat": cells, "y": [i % 2 for i in range(200)]}
    pq.write_table(pa.table(rows), folder / "rows.parquet")
    return DataConfig(source="rows.parquet", kind="series", target="y")


def ratings(folder: Path, users: float) -> DataConfig:
    lines = [f"u{int(users * 10) + row % 9},i{row // 9},{1 + row % 5}" for row in range(300)]
    (folder / "rows.csv").write_text("\n".join(["who,what,y", *lines]) + "\n")
    asked = {"interactions": {"user": "who", "item": "what"}, "task": "regression"}
    return DataConfig.model_validate(
        {"source": "rows.csv", "kind": "interactions", "target": "y", **asked}
    )


@pytest.mark.parametrize(
    ("written", "seen", "moved"),
    [
        (sounds, {"seconds", "loudness", "y"}, {"loudness"}),
        (pictures, {"brightness", "contrast", "y"}, {"brightness", "contrast"}),
        (series, {"steps", "mean of heat", "y"}, {"mean of heat"}),
        (ratings, {"who", "what", "y"}, {"who"}),
    ],
    ids=["sounds", "pictures", "series", "ratings"],
)
def test_rows_of_each_kind_drift_by_what_can_be_measured_of_them(
    tmp_path: Path, written: Any, seen: set[str], moved: set[str]
) -> None:
    last = tmp_path / "last"
    last.mkdir()
    write_dataset(prepare_rows(written(tmp_path, 1.0), tmp_path), last)
    same = drift_since(last, prepare_rows(written(tmp_path, 1.0), tmp_path))
    assert {name: found.psi for name, found in same.items()} == dict.fromkeys(seen, 0)
    found = drift_since(last, prepare_rows(written(tmp_path, 0.5), tmp_path))
    assert {name for name in found if found[name].is_above(0.2)} == moved


def test_what_is_kept_beside_the_inputs_drifts_too(tmp_path: Path) -> None:
    last = tmp_path / "last"
    last.mkdir()
    beside = {"inputs": ("age",), "beside": ("city",)}
    kept = prepared(tmp_path, 0).config.model_copy(update=beside)
    write_dataset(prepare_rows(kept, tmp_path), last)
    prepared(tmp_path, 0, extra="ville")
    found = drift_since(last, prepare_rows(kept, tmp_path))
    assert {name for name in found if found[name].is_above(0.2)} == {"city"}


def words(folder: Path, kind: str, column: str) -> DataConfig:
    towns = ("Rome", "Oslo", "Oslo")
    said = [f"it rained in {towns[row % 3]} on day {row}" for row in range(200)]
    lines = [f"{row % 40},{text},{row % 2}" for row, text in enumerate(said)]
    named = (column, "name") if kind == "table" else ("age", column)
    (folder / "rows.csv").write_text("\n".join([f"{','.join(named)},y", *lines]) + "\n")
    given = {"source": "rows.csv", "target": "y", "split": {"group_by": None}}
    return DataConfig.model_validate({**given, "kind": kind})


@pytest.mark.parametrize(
    ("kind", "column", "written"),
    [
        ("table", "heat", series),
        ("text", "photo", pictures),
        ("table", "photo", pictures),
        ("text", "clip", sounds),
    ],
    ids=["series", "texts as pictures", "numbers as pictures", "sounds"],
)
@pytest.mark.parametrize("is_first", [True, False], ids=["then", "now"])
def test_inputs_of_another_kind_are_not_compared(
    tmp_path: Path, kind: str, column: str, written: Any, is_first: bool
) -> None:
    last = tmp_path / "last"
    last.mkdir()
    two = [
        lambda: prepare_rows(words(tmp_path, kind, column), tmp_path),
        lambda: prepare_rows(written(tmp_path, 1.0), tmp_path),
    ]
    before, now = two if is_first else two[::-1]
    write_dataset(before(), last)
    assert set(drift_since(last, now())) == {"y"}


def test_of_a_snapshot_of_pictures_only_those_are_read_that_are_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measures, "MOST_ROWS", 30)
    config = prepare_rows(pictures(tmp_path, 1.0), tmp_path)
    write_dataset(config, tmp_path)
    found = _columns(tmp_path, ["photo", "y"], config.config)
    files = [tmp_path / f"{split}.parquet" for split in ("train", "valid", "test")]
    cells = [cell for file in files for cell in pq.read_table(file)["photo"].to_pylist()]
    assert found["photo"] == cells[::7]
    assert isinstance(found["y"], ArrowColumn)
    assert len(found["y"]) == 200


def test_time_that_is_kept_beside_the_inputs_moves_by_itself(tmp_path: Path) -> None:
    def of_month(month: int) -> Prepared:
        lines = [f"{i % 50},2026-{month:02}-{1 + i % 5:02},{'pn'[i % 2]}" for i in range(300)]
        (tmp_path / "rows.csv").write_text("\n".join(["age,day,y", *lines]) + "\n")
        given = {"source": "rows.csv", "kind": "table", "target": "y", "inputs": ("age",)}
        return prepare_rows(DataConfig.model_validate({**given, "beside": ("day",)}), tmp_path)

    last = tmp_path / "last"
    last.mkdir()
    write_dataset(of_month(1), last)
    assert set(drift_since(last, of_month(2))) == {"age", "y"}
