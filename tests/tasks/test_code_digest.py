"""The digest follows imports inside our rooms, and nothing else."""

import sys
from pathlib import Path

import pytest

from tasks import code_digest as subject


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "planted_room"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "verb.py").write_text("def act():\n    from planted_room.noun import answer\n")
    (folder / "noun.py").write_text("from .deep import constant\nanswer = 1\n")
    (folder / "deep.py").write_text("constant = 1\n")
    (folder / "stranger.py").write_text("constant = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "planted_room", raising=False)
    monkeypatch.setattr(subject, "ROOMS", ("planted_room",))
    forget()
    return folder


def test_reaches_late_and_relative_imports(room: Path) -> None:
    reached = subject.reachable_modules("planted_room.verb")
    assert reached >= {"planted_room.verb", "planted_room.noun", "planted_room.deep"}
    assert "planted_room.stranger" not in reached


@pytest.mark.parametrize(
    ("changed", "differs"), [("deep.py", True), ("stranger.py", False)], ids=["reached", "not"]
)
def test_changes_with_reached_code_only(room: Path, changed: str, differs: bool) -> None:
    before = subject.code_digest("planted_room.verb")
    forget()
    (room / changed).write_text("constant = 2\n")
    assert (subject.code_digest("planted_room.verb") != before) is differs


def test_every_verb_reaches_its_artifacts() -> None:
    forget()
    assert "tasks.artifacts" in subject.reachable_modules("tasks.artifacts")


def forget() -> None:
    """What a process has read, it does not read again."""
    for name in ("code_digest", "_source_digest", "_imports", "_find_source"):
        getattr(subject, name).cache_clear()
