"""A dataset folder: one Parquet file a split, the data report, and the manifest, written last."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tasks.artifacts import Split
from tasks.data.drift import Drift
from tasks.data.prepare import Prepared
from tasks.data.report import data_report
from tasks.data.snapshot import WEIGHT, write_split
from tasks.data.splitting import SPLITS
from tasks.packaging.manifest import digest_of_files, write_manifest


def write_dataset(
    prepared: Prepared, folder: Path, drift: Mapping[str, Drift] | None = None
) -> str:
    """Write everything into `folder`; the digest of rows and split, which the report is not in."""
    rows = prepared.rows
    target = prepared.config.target
    columns = {**prepared.inputs, target: rows.labels} if target else prepared.inputs
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


def split_sizes(prepared: Prepared) -> dict[Split, int]:
    """Rows of each split."""
    return {split: int((prepared.sides == side).sum()) for side, split in enumerate(SPLITS)}
