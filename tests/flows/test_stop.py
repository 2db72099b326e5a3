"""Which run `stop` means while another of the project waits for its lock."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import flows.runs
from flows.cli.runs import at_work
from infra.lock import alone


def listed(name: str, state: str, project: str = "flights") -> dict[str, Any]:
    return {"id": f"id-{name}", "name": name, "project": project, "state": state, "flow": "retrain"}


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Newest first: one that waits, one that holds the lock, one that is done."""
    found = [listed("second", "Running"), listed("first", "Running"), listed("old", "Completed")]
    monkeypatch.setattr(flows.runs, "list_runs", lambda **_: found)
    with alone(tmp_path, "flights", {"run": "first", "id": "id-first"}, print):
        yield


@pytest.mark.parametrize("reference", ["flights", "first", "id-f"])
def test_the_one_that_holds_the_lock_is_stopped(reference: str, tmp_path: Path) -> None:
    found, pid = at_work(tmp_path, reference)
    assert (found["name"], pid) == ("first", os.getpid())


def test_one_that_waits_says_for_whom(tmp_path: Path) -> None:
    sentence = rf"run 'second' is not at work: it waits for run first \(process {os.getpid()}\)"
    with pytest.raises(ValueError, match=sentence):
        at_work(tmp_path, "second")


def test_one_that_is_done_is_not_stopped(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="run 'old' is not running: it is Completed"):
        at_work(tmp_path, "old")
