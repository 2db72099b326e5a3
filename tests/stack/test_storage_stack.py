"""The door to S3, against the real server."""

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from infra.storage import Conflict, Storage, arrow_filesystem, open_storage
from tasks.packaging.manifest import write_manifest

pytestmark = pytest.mark.stack


@pytest.fixture
def storage(stack: Path) -> Storage:
    return open_storage()


@pytest.fixture
def prefix(storage: Storage) -> Iterator[str]:
    made = f"test-storage/{uuid4().hex}"
    yield made
    for key in storage.keys(made):
        storage.delete(key)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    (made / "sub").mkdir(parents=True)
    (made / "big.bin").write_bytes(os.urandom(10_000_000))
    (made / "sub/a.txt").write_text("hi")
    (made / "empty").write_bytes(b"")
    write_manifest(made, uuid4().hex)
    return made


def test_objects_come_back_as_they_were_put(storage: Storage, prefix: str) -> None:
    storage.put(f"{prefix}/a", b"1")
    assert storage.get(f"{prefix}/a") == b"1"
    assert storage.exists(f"{prefix}/a")
    assert not storage.exists(f"{prefix}/b")
    assert storage.keys(prefix) == [f"{prefix}/a"]
    with pytest.raises(KeyError, match=f"{prefix}/b"):
        storage.get(f"{prefix}/b")


def test_a_write_that_expects_something_else_is_a_conflict(storage: Storage, prefix: str) -> None:
    key = f"{prefix}/cas"
    first = storage.put_if_match(key, b"1", None)
    with pytest.raises(Conflict):
        storage.put_if_match(key, b"2", None)
    second = storage.put_if_match(key, b"2", first)
    with pytest.raises(Conflict):
        storage.put_if_match(key, b"3", first)
    assert storage.get_with_etag(key) == (b"2", second)
    storage.delete(key)
    with pytest.raises(Conflict, match="is gone"):
        storage.put_if_match(key, b"4", second)


def test_of_many_writers_one_wins(storage: Storage, prefix: str) -> None:
    won: list[bytes] = []

    def write(body: bytes) -> None:
        try:
            storage.put_if_match(f"{prefix}/race", body, None)
            won.append(body)
        except Conflict:
            pass

    threads = [threading.Thread(target=write, args=(b"%d" % n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [storage.get(f"{prefix}/race")]


def test_a_folder_comes_back_verified(storage: Storage, prefix: str, folder: Path) -> None:
    uri = storage.upload_folder(folder, prefix)
    assert uri == f"s3://{storage.bucket}/{prefix}/"
    fetched = storage.fetch_folder(uri)
    assert (fetched / "sub/a.txt").read_text() == "hi"
    assert (fetched / "big.bin").read_bytes() == (folder / "big.bin").read_bytes()
    assert storage.fetch_folder(uri) == fetched
    assert not list(storage.cache.glob(".draft-*"))


def test_the_same_folder_is_uploaded_once(storage: Storage, prefix: str, folder: Path) -> None:
    storage.upload_folder(folder, prefix)
    etag = storage.get_with_etag(f"{prefix}/big.bin")[1]
    (folder / "big.bin").write_bytes(b"not looked at: the digest is the same")
    storage.upload_folder(folder, prefix)
    assert storage.get_with_etag(f"{prefix}/big.bin")[1] == etag


def test_a_changed_object_is_refused(storage: Storage, prefix: str, folder: Path) -> None:
    uri = storage.upload_folder(folder, prefix)
    storage.put(f"{prefix}/sub/a.txt", b"ho")
    with pytest.raises(ValueError, match=r"sub/a\.txt has sha256"):
        storage.fetch_folder(uri)


def test_a_truncated_copy_in_the_cache_is_fetched_again(
    storage: Storage, prefix: str, folder: Path
) -> None:
    uri = storage.upload_folder(folder, prefix)
    copy = storage.fetch_folder(uri)
    (copy / "big.bin").write_bytes(b"short")
    assert (storage.fetch_folder(uri) / "big.bin").stat().st_size == 10_000_000
    shutil.rmtree(copy)


def test_half_a_folder_is_refused(storage: Storage, prefix: str, folder: Path) -> None:
    uri = storage.upload_folder(folder, prefix)
    storage.delete(f"{prefix}/manifest.json")
    with pytest.raises(ValueError, match=r"holds no manifest\.json: it was never finished"):
        storage.fetch_folder(uri)


def test_an_address_elsewhere_is_refused(storage: Storage) -> None:
    with pytest.raises(ValueError, match="is not a folder s3://"):
        storage.fetch_folder("s3://other/folder/")


def test_arrow_sees_the_same_objects(storage: Storage, prefix: str) -> None:
    storage.put(f"{prefix}/a", b"1")
    with arrow_filesystem().open_input_stream(f"{storage.bucket}/{prefix}/a") as stream:
        assert stream.read() == b"1"
