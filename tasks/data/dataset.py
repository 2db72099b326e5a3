"""A dataset folder: one Parquet file a split, the data report, and the manifest, written last."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tasks.artifacts import DatasetRef, Split
from tasks.data.drift import Drift
from tasks.data.prepare import Prepared
from tasks.data.report import data_report
from tasks.data.scale import scale_of
from tasks.data.snapshot import WEIGHT, write_split
from tasks.data.splitting import SPLITS
from tasks.packaging.manifest import digest_of_files, write_manifest


def write_dataset(
    prepared: Prepared, folder: Path, drift: Mapping[str, Drift] | None = None
) -> str:
    """Write everything into `folder`; the digest of rows and split, which the report is not in."""
    rows = prepared.rows
    target = prepared.config.target
    columns = {**prepared.kept, target: rows.labels} if target else prepared.kept
    if rows.weights is not None:
        columns[WEIGHT] = rows.weights.tolist()
    for side, split in enumerate(SPLITS):
        chosen = np.flatnonzero(prepared.sides == side)
        write_split(folder, split, columns, rows.row_ids, prepared.groups, chosen)
    report = json.dumps(data_report(prepared, drift or {}), indent=1, ensure_ascii=False)
    (folder / "report.json").write_text(report + "\n", encoding="utf-8")
    digest = digest_of_files(folder, [f"{split}.parquet" for split in SPLITS])
    write_manifest(folder, digest)
    return digest


def reference_of(
    prepared: Prepared, name: str, sha256: str, *, uri: str = "", source_sha256: str = ""
) -> DatasetRef:
    """What later steps know of rows that were written under this digest, and where they lie."""
    config = prepared.config
    return DatasetRef(
        name=name,
        uri=uri,
        sha256=sha256,
        source_sha256=source_sha256,
        kind=config.kind,
        inputs=config.inputs,
        target=config.target,
        types=prepared.types,
        scaling=prepared.scaling,
        layout=config.layout,
        audio=config.audio.model_dump() if config.kind == "audio" else {},
        task=config.task,
        classes=prepared.classes,
        scale=scale_of(prepared),
        weighted=prepared.rows.weights is not None,
        class_weights=prepared.class_weights,
        rows=split_sizes(prepared),
    )


def split_sizes(prepared: Prepared) -> dict[Split, int]:
    """Rows of each split."""
    return {split: int((prepared.sides == side).sum()) for side, split in enumerate(SPLITS)}
