"""The one door to S3: objects, folders with a manifest, and writes that at most one writer wins."""

import hashlib
import json
import logging
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, TypeVar
from urllib.parse import urlsplit

import boto3
import pyarrow.fs
from boto3.exceptions import S3TransferFailedError, S3UploadFailedError
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError, ResponseStreamingError
from botocore.exceptions import ConnectionError as NoConnection

from infra.folders import MANIFEST, Files, check_file, is_whole, move_into_place, promised_files
from infra.settings import load_settings

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")
PATIENCE = 90.0
"""Seconds: an outage of a minute, and the start after it."""
PASSING = (
    NoConnection,
    HTTPClientError,
    ResponseStreamingError,
    S3TransferFailedError,
    S3UploadFailedError,
)
"""Failures of the way to the server; the server itself has not said no."""


class _Condition(TypedDict, total=False):
    IfNoneMatch: str
    IfMatch: str


class Conflict(RuntimeError):
    """Another writer was faster: the object is not, or no longer, what the caller had read."""


class StorageUnreachable(ConnectionError):
    """S3 did not answer for as long as we were ready to wait."""


class Storage:
    """One bucket. Every call outlives a restart of the server that is shorter than the patience."""

    conflict: type[Exception] = Conflict

    def __init__(
        self, client: "S3Client", bucket: str, cache: Path, patience_seconds: float = PATIENCE
    ) -> None:
        self.client = client
        self.bucket = bucket
        self.cache = cache
        self.patience_seconds = patience_seconds

    def get(self, key: str) -> bytes:
        """Body of the object; KeyError when there is none."""
        return self.get_with_etag(key)[0]

    def get_with_etag(self, key: str) -> tuple[bytes, str]:
        """Body and etag of the object; KeyError when there is none."""

        def read() -> tuple[bytes, str]:
            answer = self.client.get_object(Bucket=self.bucket, Key=key)
            return answer["Body"].read(), answer["ETag"]

        try:
            return self._patiently(read)
        except ClientError as error:
            if _code(error) in ("NoSuchKey", "404"):
                raise KeyError(key) from error
            raise

    def put(self, key: str, body: bytes) -> str:
        """Write the object, whatever was there; its etag."""
        write = self.client.put_object
        return self._patiently(lambda: write(Bucket=self.bucket, Key=key, Body=body))["ETag"]

    def put_if_match(self, key: str, body: bytes, etag: str | None) -> str:
        """Write if the object still has `etag` (None: if there is none); its new etag.

        Raises Conflict when somebody else wrote first. A body equal to ours counts as ours: the
        answer to an earlier try may have been lost on the way, and bodies name their writer.
        """
        condition: _Condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}

        def write() -> str:
            put = self.client.put_object
            return put(Bucket=self.bucket, Key=key, Body=body, **condition)["ETag"]

        try:
            return self._patiently(write)
        except ClientError as error:
            if _code(error) not in ("PreconditionFailed", "ConditionalRequestConflict", "412"):
                raise
            return self._own_write(key, body, error)

    def _own_write(self, key: str, body: bytes, error: ClientError) -> str:
        try:
            stored, stored_etag = self.get_with_etag(key)
        except KeyError:
            raise Conflict(f"{key} is gone: another writer was faster") from error
        if stored != body:
            raise Conflict(f"{key} has changed: another writer was faster") from error
        return stored_etag

    def exists(self, key: str) -> bool:
        """Whether the object is there."""
        try:
            self._patiently(lambda: self.client.head_object(Bucket=self.bucket, Key=key))
        except ClientError as error:
            if _code(error) in ("NoSuchKey", "404"):
                return False
            raise
        return True

    def keys(self, prefix: str) -> list[str]:
        """All keys that start with the prefix, sorted."""
        pages = self.client.get_paginator("list_objects_v2")

        def read() -> list[str]:
            found = pages.paginate(Bucket=self.bucket, Prefix=prefix)
            return [item["Key"] for page in found for item in page.get("Contents", ())]

        return sorted(self._patiently(read))

    def delete(self, key: str) -> None:
        """Remove the object, if it is there."""
        self._patiently(lambda: self.client.delete_object(Bucket=self.bucket, Key=key))

    def check(self, patience_seconds: float = 3.0) -> None:
        """Raise StorageUnreachable soon when nothing answers: what a command asks first."""
        probe = Storage(self.client, self.bucket, self.cache, patience_seconds)
        probe._patiently(lambda: self.client.head_bucket(Bucket=self.bucket))

    def upload_folder(self, folder: Path, prefix: str) -> str:
        """Copy every file, `manifest.json` last, so that a reader never meets half a folder.

        A folder of the same digest that is already there is left alone. The folder's address.
        """
        prefix = prefix.strip("/") + "/"
        uri = f"s3://{self.bucket}/{prefix}"
        names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
        if not names:
            raise ValueError(f"{folder} holds no file to store")
        if self._has_same_digest(folder, prefix):
            return uri
        with ThreadPoolExecutor(8) as pool:
            others = [name for name in names if name != MANIFEST]
            list(pool.map(lambda n: self._upload(folder / n, prefix + n), others))
        if MANIFEST in names:
            self._upload(folder / MANIFEST, prefix + MANIFEST)
        return uri

    def _has_same_digest(self, folder: Path, prefix: str) -> bool:
        local = folder / MANIFEST
        if not local.is_file():
            return False
        try:
            stored = json.loads(self.get(prefix + MANIFEST))
        except KeyError:
            return False
        return bool(stored["digest"] == json.loads(local.read_bytes())["digest"])

    def _upload(self, path: Path, key: str) -> None:
        self._patiently(lambda: self.client.upload_file(str(path), self.bucket, key))

    def fetch_folder(self, uri: str) -> Path:
        """A local, verified, read-only copy of a stored folder, shared by all who ask for it.

        Raises ValueError when there is no manifest, or a file is not what the manifest says.
        """
        prefix = self._prefix(uri)
        try:
            manifest = self.get(prefix + MANIFEST)
        except KeyError as error:
            raise ValueError(f"{uri} holds no {MANIFEST}: it was never finished") from error
        files = promised_files(manifest, uri)
        home = self.cache / hashlib.sha256(manifest).hexdigest()
        if not is_whole(home, files):
            self._fetch_into(home, prefix, manifest, files)
        return home

    def _fetch_into(self, home: Path, prefix: str, manifest: bytes, files: Files) -> None:
        self.cache.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=self.cache))
        try:
            with ThreadPoolExecutor(8) as pool:
                fetch = self._download
                list(pool.map(lambda n: fetch(prefix + n, draft / n, files[n]), files))
            (draft / MANIFEST).write_bytes(manifest)
            move_into_place(draft, home, files)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _download(self, key: str, path: Path, promised: dict[str, str | int]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._patiently(lambda: self.client.download_file(self.bucket, key, str(path)))
        except ClientError as error:
            if _code(error) in ("NoSuchKey", "404"):
                raise ValueError(f"{key} is in its manifest but not in the store") from error
            raise
        check_file(path, key, promised)

    def _prefix(self, uri: str) -> str:
        parts = urlsplit(uri)
        if parts.scheme != "s3" or parts.netloc != self.bucket or not parts.path.strip("/"):
            raise ValueError(f"{uri!r} is not a folder s3://{self.bucket}/...")
        return parts.path.strip("/") + "/"

    def _patiently(self, call: Callable[[], Answer]) -> Answer:
        deadline = time.monotonic() + self.patience_seconds
        pause = 0.2
        while True:
            try:
                return call()
            except (*PASSING, ClientError) as error:
                if not _is_passing(error):
                    raise
                left = deadline - time.monotonic()
                if left <= 0:
                    raise StorageUnreachable(self._unreachable()) from error
                log.debug("S3 does not answer, %.0f s left: %s", left, error)
            time.sleep(min(left, pause * random.uniform(0.5, 1.0)))  # noqa: S311 - jitter
            pause = min(pause * 2, 2.0)

    def _unreachable(self) -> str:
        return (
            f"S3 at {self.client.meta.endpoint_url} does not answer: "
            "see `modelworks doctor`, or start it with `modelworks up`"
        )


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _is_passing(error: Exception) -> bool:
    """Whether nobody answered, or we were asked to come again; any other refusal is final."""
    refusal = error if isinstance(error, ClientError) else error.__context__
    if not isinstance(refusal, ClientError):
        return True
    status = refusal.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500 or status == 429 or _code(refusal) in ("SlowDown", "RequestTimeout")


@lru_cache(maxsize=1)
def open_storage() -> Storage:
    """The bucket that the environment points at; nothing is asked of the server yet."""
    settings = load_settings()
    config = Config(
        signature_version="s3v4",
        connect_timeout=5,
        read_timeout=60,
        retries={"mode": "standard", "total_max_attempts": 2},
        max_pool_connections=32,
        # boto3's own CRC trailers are refused by some S3 servers.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": "path"},
    )
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=settings.s3_endpoint,
        aws_access_key_id=settings.s3_access_key.get_secret_value(),
        aws_secret_access_key=settings.s3_secret_key.get_secret_value(),
        region_name=settings.s3_region,
        config=config,
    )
    return Storage(client, settings.bucket, settings.home / "cache")


def arrow_filesystem() -> pyarrow.fs.S3FileSystem:
    """The same server for whoever wants Arrow's interface: Ray's checkpoints, Parquet readers."""
    settings = load_settings()
    endpoint = urlsplit(settings.s3_endpoint)
    return pyarrow.fs.S3FileSystem(
        endpoint_override=endpoint.netloc,
        scheme=endpoint.scheme,
        access_key=settings.s3_access_key.get_secret_value(),
        secret_key=settings.s3_secret_key.get_secret_value(),
        region=settings.s3_region,
        connect_timeout=5,
        request_timeout=60,
    )
