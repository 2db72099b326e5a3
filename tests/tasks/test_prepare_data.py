"""The step that keeps a dataset: its report, its warnings, and what it is compared with."""

import json
import logging
import shutil
from pathlib import Path

import pytest

import tasks.prepare_data
from infra.progress import LOGGER_NAME
from tasks.data.checks_config import ChecksConfig
from tasks.data.config import DataConfig
from tasks.prepare_data import prepare_data, source_key
from tasks.promotion.records import data_figures


class FolderStorage:
    """Storage's folders and objects, in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def upload_folder(self, folder: Path, prefix: str) -> str:
        if not (self.root / prefix).exists():
            shutil.copytree(folder, self.root / prefix)
        return f"s3://modelworks/{prefix}/"

    def fetch_folder(self, uri: str) -> Path:
        return self.root / uri.removeprefix("s3://modelworks/")

    def put(self, key: str, body: bytes) -> None:
        (self.root / key).write_bytes(body)

    def get(self, key: str) -> bytes:
        if not (self.root / key).exists():
            raise KeyError(key)
        return (self.root / key).read_bytes()


@pytest.fixture
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderStorage:
    made = FolderStorage(tmp_path / "bucket")
    monkeypatch.setattr(tasks.prepare_data, "open_storage", lambda: made)
    monkeypatch.chdir(tmp_path)
    return made


def write(shift: int) -> DataConfig:
    lines = [f"{i % 50 + shift},{'Oslo' if i % 3 else 'Rome'},{'pn'[i % 2]}" for i in range(300)]
    Path("rows.csv").write_text("\n".join(["age,city,y", *lines]) + "\n")
    return DataConfig(source="rows.csv", kind="table", target="y", inputs=("age", "city"))


def test_drift_since_the_last_snapshot_is_said_and_recorded(
    storage: FolderStorage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger=LOGGER_NAME)
    first = prepare_data.fn("ages", write(0))
    assert not caplog.records
    second = prepare_data.fn("ages", write(30))
    assert ["'age' has drifted since the last snapshot" in r.message for r in caplog.records] == [
        True
    ]
    reports = [
        json.loads((storage.fetch_folder(each.uri) / "report.json").read_text())
        for each in (first, second)
    ]
    assert reports[0]["drift"] == {}
    assert reports[1]["drift"]["age"]["psi"] > 0.2 > reports[1]["drift"]["city"]["psi"]
    figures = data_figures(reports[1])
    assert figures["data/drift/age"] == reports[1]["drift"]["age"]["psi"]
    assert figures["data/warnings"] == 1


def test_another_project_is_not_compared(
    storage: FolderStorage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger=LOGGER_NAME)
    prepare_data.fn("ages", write(0))
    prepare_data.fn("others", write(30))
    assert not caplog.records


def test_a_broken_schema_writes_nothing(storage: FolderStorage) -> None:
    config = write(0)
    checks = config.checks.model_copy(update={"rows": 301})
    with pytest.raises(ValueError, match="has 300 rows, at least 301 were expected"):
        prepare_data.fn("ages", config.model_copy(update={"checks": checks}))
    assert not storage.root.exists()


def test_fresh_rows_are_looked_at_every_day(storage: FolderStorage) -> None:
    config = write(0)
    checks = ChecksConfig.model_validate({"fresh": {"column": "seen", "days": 2}})
    fresh = config.model_copy(update={"checks": checks})
    assert source_key("ages", fresh).startswith(source_key("ages", config))
    assert source_key("ages", fresh) != source_key("ages", config)
