"""Checkpoints that are whole or not there: tensors, then facts, then a manifest, in any filesystem.

safetensors and JSON only. A folder without a manifest, or one whose bytes disagree with it, was
never committed and is passed over.
"""

import hashlib
import json
import logging
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pyarrow import fs
from safetensors.torch import load, save_file
from torch import Tensor

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")

TENSORS, FACTS, MANIFEST = "state.safetensors", "state.json", "manifest.json"
FORMAT = 1
PATIENCE_SECONDS = 90.0
"""An outage of a minute, and the start after it."""
PIECE_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A training at one step."""

    step: int
    tensors: dict[str, Tensor]
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CheckpointStore:
    """The checkpoints of one run, below `path`."""

    filesystem: fs.FileSystem
    path: str
    """`bucket/checkpoints/<run key>` without a scheme."""
    num_to_keep: int = 2

    @property
    def folder(self) -> str:
        """Where the checkpoints of this run and of all others are."""
        return self.path.rpartition("/")[0]

    def save(self, checkpoint: Checkpoint) -> None:
        """Commit one checkpoint, then drop all but the newest; outlives a restart of the store."""
        folder = f"{self.path}/{checkpoint.step:08d}"
        _patiently(lambda: self.filesystem.create_dir(folder, recursive=True))
        # By way of a file: in memory the worker would hold everything a second time.
        with tempfile.TemporaryDirectory(prefix="checkpoint-") as local:
            save_file(checkpoint.tensors, Path(local, TENSORS))
            Path(local, FACTS).write_text(json.dumps(checkpoint.facts), encoding="utf-8")
            listing = {name: self._upload(Path(local, name), folder) for name in (TENSORS, FACTS)}
            manifest = {"format": FORMAT, "step": checkpoint.step, "files": listing}
            Path(local, MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
            self._upload(Path(local, MANIFEST), folder)
        self._prune(checkpoint.step)

    def latest(self) -> Checkpoint | None:
        """The newest committed checkpoint."""
        newest_first = reversed(self._steps())
        return next(filter(None, map(self._load, newest_first)), None)

    def load(self, step: int) -> Checkpoint:
        """The checkpoint of this step, which `latest` found on another worker."""
        found = self._load(step)
        assert found is not None, f"{self.path}: the checkpoint of step {step} is gone"
        return found

    def forget(self) -> None:
        """Drop them all."""
        with suppress(FileNotFoundError):
            _patiently(lambda: self.filesystem.delete_dir(self.path))

    def _load(self, step: int) -> Checkpoint | None:
        folder = f"{self.path}/{step:08d}"
        try:
            manifest = json.loads(self._read(f"{folder}/{MANIFEST}"))
            bodies = {name: self._read(f"{folder}/{name}") for name in manifest["files"]}
        except FileNotFoundError:
            return None
        found = {name: hashlib.sha256(body).hexdigest() for name, body in bodies.items()}
        if found != manifest["files"]:
            log.warning("checkpoint %s disagrees with its manifest: passed over", folder)
            return None
        return Checkpoint(step, load(bodies[TENSORS]), json.loads(bodies[FACTS]))

    def _steps(self) -> list[int]:
        selector = fs.FileSelector(self.path, allow_not_found=True)
        found = _patiently(lambda: self.filesystem.get_file_info(selector))
        names = [info.base_name for info in found if info.type == fs.FileType.Directory]
        return sorted(int(name) for name in names if name.isdigit())

    def _prune(self, newest: int) -> None:
        """Drop old checkpoints, and later ones: they are halves that a killed run left."""
        steps = self._steps()
        kept = [step for step in steps if step <= newest][-self.num_to_keep :]
        for step in set(steps) - set(kept):
            self.filesystem.delete_dir(f"{self.path}/{step:08d}")

    def _upload(self, file: Path, folder: str) -> str:
        """Write a file into `folder`; the sha256 of its bytes."""

        def upload() -> None:
            remote = f"{folder}/{file.name}"
            with file.open("rb") as source, self.filesystem.open_output_stream(remote) as stream:
                shutil.copyfileobj(source, stream, PIECE_BYTES)

        _patiently(upload)
        with file.open("rb") as source:
            return hashlib.file_digest(source, "sha256").hexdigest()

    def _read(self, path: str) -> bytes:
        def read() -> bytes:
            with self.filesystem.open_input_stream(path) as stream:
                return bytes(stream.read())

        return _patiently(read)


def _patiently(call: Callable[[], Answer]) -> Answer:
    """Try again while the store does not answer; FileNotFoundError is an answer."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    pause = 0.5
    while True:
        try:
            return call()
        except FileNotFoundError:
            raise
        except OSError as error:
            if time.monotonic() + pause > deadline:
                raise
            log.warning("checkpoint store does not answer, trying again: %s", error)
        time.sleep(pause)
        pause = min(2 * pause, 5.0)
