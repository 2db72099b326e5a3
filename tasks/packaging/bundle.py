"""A bundle: the folder that is deployed. Graph, preprocessing and labels, and nothing pickled."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt

from tasks.artifacts import Task
from tasks.packaging.manifest import MANIFEST, digest_of_files, write_manifest
from tasks.packaging.predictor.encoder import NEEDED

FORMAT = 1
GRAPH, FACTS, EXPORT, CARD = "model.onnx", "predictor.json", "export.json", "card.md"
PREDICTOR_FOLDER = Path(__file__).parent / "predictor"
_ABOUT = {EXPORT, CARD, MANIFEST}
"""Files that describe a bundle and decide no answer."""


class BundleFacts(BaseModel):
    """What predictor.json holds: all that the predictor needs beside the graph."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    encoder: dict[str, Any]
    task: Task = "classification"
    classes: tuple[str, ...]
    inputs: tuple[str, ...]
    target: str
    scale: tuple[float, float] | None = None
    """Of a regression: mean and deviation that the graph's output is to be scaled by."""
    temperature: PositiveFloat = 1.0
    """What the graph's logits are divided by before they become probabilities."""
    batch_rows: PositiveInt = 1024
    """Most rows that may share a batch. 1 where a row's answer would depend on its neighbours:
    dynamic int8 takes its scale from the whole batch, which turned 4 answers in 100."""
    predictor_sha256: str = ""
    """Digest of the predictor's code: other code, other bundle."""


def write_bundle(folder: Path, facts: BundleFacts, encoder_files: Mapping[str, Path]) -> str:
    """Complete `folder`, which holds the graph already; the bundle's digest."""
    for name, path in encoder_files.items():
        shutil.copyfile(path, folder / name)
    facts = facts.model_copy(update={"predictor_sha256": predictor_digest()})
    (folder / FACTS).write_text(facts.model_dump_json(indent=1) + "\n", encoding="utf-8")
    digest = digest_of_files(folder, deciding_files(folder))
    write_manifest(folder, digest)
    return digest


def bundle_with_temperature(source: Path, target: Path, temperature: float) -> str:
    """Fill `target` with the bundle in `source`, its logits divided by this; its digest."""
    shutil.copytree(source, target)
    facts = read_facts(source).model_copy(update={"temperature": temperature})
    return write_bundle(target, facts, {})


def note_export(folder: Path, about: Mapping[str, Any]) -> None:
    """Write what was found at the export to export.json, which the digest leaves out."""
    (folder / EXPORT).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    write_manifest(folder, digest_of_files(folder, deciding_files(folder)))


def read_facts(folder: Path) -> BundleFacts:
    """What predictor.json says."""
    return BundleFacts.model_validate_json((folder / FACTS).read_text(encoding="utf-8"))


def needed_by(folder: Path) -> tuple[str, ...]:
    """Distributions that this bundle's encoder needs beside those of every bundle."""
    return NEEDED.get(str(read_facts(folder).encoder.get("kind")), ())


def deciding_files(folder: Path) -> list[str]:
    """Names of the files that are needed to answer."""
    return sorted(path.name for path in folder.iterdir() if path.name not in _ABOUT)


def encoder_files(folder: Path) -> dict[str, Path]:
    """The encoder's files in a bundle folder, by name."""
    return {name: folder / name for name in deciding_files(folder) if name not in {GRAPH, FACTS}}


def bundle_bytes(folder: Path) -> int:
    """Size of the files that are needed to answer."""
    return sum((folder / name).stat().st_size for name in deciding_files(folder))


def predictor_digest() -> str:
    """Digest of the predictor's source files."""
    return digest_of_files(PREDICTOR_FOLDER, [path.name for path in PREDICTOR_FOLDER.glob("*.py")])
