"""A manifest tells a whole folder from a broken one."""

import json
from pathlib import Path

import pytest

from tasks.packaging.manifest import digest_of_files, verify_manifest, write_manifest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "graph").write_bytes(b"weights")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/card.md").write_text("about")
    write_manifest(tmp_path, digest_of_files(tmp_path, ["graph"]))
    return tmp_path


def test_every_file_is_listed_and_the_manifest_is_not(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["format"] == 1
    assert {name: facts["bytes"] for name, facts in manifest["files"].items()} == {
        "graph": 7,
        "notes/card.md": 5,
    }
    assert sorted(path.name for path in folder.iterdir()) == ["graph", "manifest.json", "notes"]
    verify_manifest(folder)


def test_a_changed_file_is_named(folder: Path) -> None:
    (folder / "graph").write_bytes(b"changed")
    with pytest.raises(ValueError, match=r"graph: sha256 \w+ must be \w+"):
        verify_manifest(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "notes/card.md").unlink()
    with pytest.raises(ValueError, match=r"card.md: listed in manifest.json and missing"):
        verify_manifest(folder)


def test_a_folder_without_a_manifest_is_unfinished(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unfinished"):
        verify_manifest(tmp_path)


def test_a_digest_depends_on_names_and_bytes_and_not_on_the_order(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    (tmp_path / "b").write_text("2")
    digest = digest_of_files(tmp_path, ["a", "b"])
    assert digest == digest_of_files(tmp_path, ["b", "a"])
    (tmp_path / "a").rename(tmp_path / "c")
    assert digest != digest_of_files(tmp_path, ["c", "b"])
