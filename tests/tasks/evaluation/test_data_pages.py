"""A data report as a page with pictures, for classes, numbers, and rows that have drifted."""

import csv
import random
from pathlib import Path
from typing import Any

import pytest

from tasks.data.config import DataConfig
from tasks.data.dataset import write_dataset
from tasks.data.drift import drift_since
from tasks.data.prepare import prepare_rows
from tasks.data.report import data_report
from tasks.evaluation.data_html import data_page
from tasks.evaluation.data_plots import plot_data

EVIL = "<b>evil</b>"


def written(folder: Path, shift: int) -> Path:
    """A table of 200 rows whose numbers lie around `shift`."""
    folder.mkdir()
    random.seed(shift)
    with (folder / "rows.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["size", EVIL, "price"])
        for row in range(200):
            size = random.gauss(shift, 2)
            writer.writerow([f"{size:.3f}", "xyz"[row % 3], f"{size + row % 5:.3f}"])
    return folder


def config(**fields: Any) -> DataConfig:
    return DataConfig.model_validate({"source": "rows.csv", "kind": "table", **fields})


@pytest.mark.parametrize(
    ("fields", "picture"),
    [({"target": EVIL}, "classes.png"), ({"target": "price", "task": "regression"}, "target.png")],
    ids=["classes", "numbers"],
)
def test_a_page_tells_splits_and_target(
    tmp_path: Path, fields: dict[str, Any], picture: str
) -> None:
    report = data_report(prepare_rows(config(**fields), written(tmp_path / "now", 10)))
    drawn = plot_data(report, tmp_path)
    assert [path.name for path in drawn] == [picture]
    page = data_page("prices", report, drawn)
    assert "200 of 200 rows of rows.csv were kept" in page
    assert EVIL not in page
    assert "Drift" not in page
    assert page.count("<img") == 1


def test_what_has_drifted_is_drawn_the_furthest_first(tmp_path: Path) -> None:
    fields = {"target": EVIL, "checks": {"drift": 0.2}}
    before = prepare_rows(config(**fields), written(tmp_path / "before", 10))
    (tmp_path / "snapshot").mkdir()
    write_dataset(before, tmp_path / "snapshot")
    now = prepare_rows(config(**fields), written(tmp_path / "now", 14))
    report = data_report(now, drift_since(tmp_path / "snapshot", now))
    drawn = plot_data(report, tmp_path)
    assert [path.name for path in drawn] == ["classes.png", "drift.png"]
    assert drawn[1].read_bytes().startswith(b"\x89PNG")
    page = data_page("prices", report, drawn)
    assert "has drifted since the last snapshot" in page
    assert page.index("<td>size</td>") < page.index(
        f"<td>{EVIL.replace('<', '&lt;').replace('>', '&gt;')}</td>"
    )
