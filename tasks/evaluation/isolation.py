"""Run a measurement in a process of its own, with a small environment and one thread."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tasks.evaluation import measure
from tasks.evaluation.measure import Columns
from tasks.packaging.deploy import ALONE, DeployConfig
from tasks.packaging.predictor import Predictor

if TYPE_CHECKING:
    # For the digest of a step's code alone: importing it here would load torch in every command.
    from tasks.evaluation import eager as eager
    from tasks.evaluation import interleaved as interleaved

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_SECONDS = 900
FEW_ROWS = 1000
"""They are answered sooner than a process has started."""
SHARED_ROWS = 4000
"""From here on a second process is worth its start."""
MOST_ROWS = 250_000
"""Rows that one process answers, which holds all their cells."""
Asked = Sequence[str | Path]
_KEPT = (
    "PATH",
    "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES",
    "DYLD_LIBRARY_PATH",
    "TMPDIR",
    "SYSTEMROOT",
)


def cost_figures(bundle: Path, columns: Columns, deploy: DeployConfig = ALONE) -> dict[str, float]:
    """`rows_per_second`, `peak_memory_mb` of one bundle on these rows, in a process of its own."""
    asked: Asked = ["cost", bundle, deploy.model_dump_json()]
    figures: dict[str, float] = json.loads(_run(measure.__name__, asked, columns))
    return figures


def latency_figures(
    bundles: Sequence[Path], columns: Columns, deploy: DeployConfig = ALONE
) -> list[dict[str, float]]:
    """`p50`, `p95` (ms) and `noise` of each bundle, asked in turn in one process."""
    asked: Asked = [*bundles, deploy.model_dump_json()]
    figures: list[dict[str, float]] = json.loads(
        _run("tasks.evaluation.interleaved", asked, columns)
    )
    return figures


def eager_figures(
    model_folder: Path, columns: Columns, deploy: DeployConfig = ALONE
) -> dict[str, float]:
    """`p50_ms` and `memory_mb` of the float weights in eager torch on these rows."""
    asked: Asked = [model_folder, deploy.model_dump_json()]
    figures: dict[str, float] = json.loads(_run("tasks.evaluation.eager", asked, columns))
    return figures


def answers(bundle: Path, columns: Columns) -> NDArray[np.float32]:
    """Class probabilities of these rows, [rows, classes]; few are answered in this process, many
    are shared by two others at a time."""
    rows = min(map(len, columns.values()))
    if rows <= FEW_ROWS:
        return Predictor.load(bundle, threads=2).probabilities(columns)
    if rows < SHARED_ROWS:
        return _answers(bundle, columns)
    parts = max(2, -(-rows // MOST_ROWS))

    def answered(start: int) -> NDArray[np.float32]:
        return _answers(bundle, {name: cells[start::parts] for name, cells in columns.items()})

    with ThreadPoolExecutor(max_workers=2) as pool:
        found = list(pool.map(answered, range(parts)))
    whole = np.empty((rows, found[0].shape[1]), dtype=np.float32)
    for start, part in enumerate(found):
        whole[start::parts] = part
    return whole


def _answers(bundle: Path, columns: Columns) -> NDArray[np.float32]:
    with tempfile.TemporaryFile() as file:
        asked: Asked = ["answers", bundle, json.dumps({"threads": 2})]
        file.write(_run(measure.__name__, asked, columns))
        file.seek(0)
        found: NDArray[np.float32] = np.load(file, allow_pickle=False)
        return found


def _run(module: str, asked: Asked, columns: Columns) -> bytes:
    with tempfile.TemporaryDirectory(prefix="measure-") as work:
        rows, out = Path(work) / "rows.json", Path(work) / "out"
        cells = {name: list(values) for name, values in columns.items()}
        rows.write_text(json.dumps(cells), encoding="utf-8")
        # -P: the working folder is not on the import path.
        command = [sys.executable, "-P", "-m", module, *map(str, asked), str(rows), str(out)]
        done = subprocess.run(  # noqa: S603 - our own module, paths that we made
            command,
            env=small_environment(),
            cwd=work,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise RuntimeError(f"{module} ended with {done.returncode} on {asked[-2]}: {last}")
        return out.read_bytes()


def small_environment() -> dict[str, Any]:
    """What a measuring process may see: no credentials, one thread for every library."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "RAYON_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
