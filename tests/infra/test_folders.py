import hashlib
import json
from pathlib import Path

import pytest

from infra.folders import check_file, is_whole, move_into_place, promised_files


def manifest(name: str = "a.txt") -> bytes:
    return json.dumps({"format": 1, "files": {name: {"sha256": "x", "bytes": 2}}}).encode()


def test_a_manifest_lists_its_files() -> None:
    assert promised_files(manifest(), "s3://b/f/") == {"a.txt": {"sha256": "x", "bytes": 2}}


@pytest.mark.parametrize(
    "name", ["../a", "/etc/passwd", "a/../../b", "", "manifest.json", "a\\..\\b"]
)
def test_a_name_that_leaves_the_folder_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="which is no file inside the folder"):
        promised_files(manifest(name), "s3://b/f/")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"files": {"a": 1}}'], ids=["empty", "list", "bare", "entry"]
)
def test_what_is_no_manifest_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"s3://b/f/manifest\.json is not a manifest"):
        promised_files(body, "s3://b/f/")


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"hi")
    check_file(path, "a.txt", {"sha256": hashlib.sha256(b"hi").hexdigest(), "bytes": 2})
    with pytest.raises(ValueError, match=r"a.txt has sha256 .*, its manifest says 00"):
        check_file(path, "a.txt", {"sha256": "00", "bytes": 2})


def test_a_broken_copy_is_replaced_and_a_whole_one_kept(tmp_path: Path) -> None:
    files = promised_files(manifest(), "s3://b/f/")
    home = tmp_path / "home"
    for content, kept in ((b"x", b"ok"), (b"ol", b"ol")):
        draft = tmp_path / "draft"
        draft.mkdir()
        (draft / "a.txt").write_bytes(b"ok")
        home.mkdir(exist_ok=True)
        (home / "a.txt").write_bytes(content)
        move_into_place(draft, home, files)
        assert (home / "a.txt").read_bytes() == kept
        assert is_whole(home, files)
