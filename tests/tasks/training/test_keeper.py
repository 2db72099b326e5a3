"""Who saves and reports while a training runs."""

from pathlib import Path
from types import ModuleType

import pytest
from pyarrow import fs

from tasks.training.checkpoint import CheckpointStore
from tasks.training.course import Setting
from tasks.training.group import Group
from tasks.training.keeper import Keeper
from tasks.training.loop import train


@pytest.fixture
def store(tmp_path: Path) -> CheckpointStore:
    return CheckpointStore(fs.LocalFileSystem(), str(tmp_path / "run"))


def watched(toy: ModuleType, keeper: Keeper) -> None:
    course = toy.toy_course()
    state = toy.toy_state(course)
    train(state, course, toy.toy_material(), Setting(toy.CPU, Group(), keeper))
    keeper.finish()


def test_it_reports_and_saves_on_the_way(toy: ModuleType, store: CheckpointStore) -> None:
    said: list[tuple[float, float, str]] = []
    watched(toy, Keeper(store, lambda *news: said.append(news), save_seconds=0))
    assert said[-1][:2] == (10, 10)
    assert "best valid score" in said[-1][2]
    newest = store.latest()
    assert newest is not None
    assert 0 < newest.step < 10


def test_a_worker_that_is_not_the_first_is_silent(toy: ModuleType, store: CheckpointStore) -> None:
    said: list[tuple[float, float, str]] = []
    keeper = Keeper(store, lambda *news: said.append(news), save_seconds=0, is_active=False)
    watched(toy, keeper)
    assert said == []
    assert store.latest() is None
