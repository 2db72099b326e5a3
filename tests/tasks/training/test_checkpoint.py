"""A checkpoint is whole or not there."""

from pathlib import Path

import pytest
import torch
from pyarrow import fs

from tasks.training.checkpoint import Checkpoint, CheckpointStore, _patiently


@pytest.fixture
def store(tmp_path: Path) -> CheckpointStore:
    return CheckpointStore(fs.LocalFileSystem(), str(tmp_path / "run"))


def checkpoint(step: int) -> Checkpoint:
    return Checkpoint(step, {"weights/a": torch.full((3,), float(step))}, {"epochs_done": step})


def test_an_empty_store_has_no_checkpoint(store: CheckpointStore) -> None:
    assert store.latest() is None


def test_the_newest_one_comes_back_as_it_was_saved(store: CheckpointStore) -> None:
    store.save(checkpoint(5))
    store.save(checkpoint(10))
    found = store.latest()
    assert found is not None
    assert (found.step, found.facts) == (10, {"epochs_done": 10})
    assert torch.equal(found.tensors["weights/a"], torch.full((3,), 10.0))


def test_only_the_last_two_are_kept(store: CheckpointStore, tmp_path: Path) -> None:
    for step in (5, 10, 15, 20):
        store.save(checkpoint(step))
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["00000015", "00000020"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "manifest.json").unlink(),
        lambda folder: (folder / "state.safetensors").unlink(),
        lambda folder: (folder / "state.safetensors").write_bytes(b"half"),
    ],
    ids=["no-manifest", "no-tensors", "half-a-file"],
)
def test_a_half_checkpoint_is_passed_over(store: CheckpointStore, tmp_path: Path, damage) -> None:
    store.save(checkpoint(5))
    store.save(checkpoint(10))
    damage(tmp_path / "run" / "00000010")
    found = store.latest()
    assert found is not None
    assert found.step == 5


def test_halves_of_a_killed_run_do_not_push_out_whole_ones(
    store: CheckpointStore, tmp_path: Path
) -> None:
    store.save(checkpoint(5))
    for orphan in ("00000030", "00000031"):
        (tmp_path / "run" / orphan).mkdir()
    store.save(checkpoint(6))
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["00000005", "00000006"]


def test_what_fails_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([OSError("no answer"), None])
    monkeypatch.setattr("tasks.training.checkpoint.time.sleep", lambda _: None)

    def call() -> str:
        if error := next(answers):
            raise error
        return "done"

    assert _patiently(call) == "done"


class Restarting(fs.LocalFileSystem):
    """Does not answer the first time."""

    is_down = True

    def create_dir(self, path: str, *, recursive: bool = True) -> None:
        if self.is_down:
            self.is_down = False
            raise OSError("no answer")
        super().create_dir(path, recursive=recursive)


def test_a_save_outlives_a_restart_of_the_store(tmp_path: Path) -> None:
    store = CheckpointStore(Restarting(), str(tmp_path / "run"))
    store.save(checkpoint(10))
    assert store.latest() is not None
