"""What Olive and ONNX Runtime's own quantiser make of a graph: run in an environment of their own.

    python -m venv PEERS; PEERS/bin/pip install 'olive-ai[cpu]==0.13.0' requests torch==2.13.0
    PEERS/bin/python peer_olive.py FOLDER

FOLDER holds `hf.onnx`, an encoder as the exporter writes BERT, and `calibration.npz`, an array for
each input of the graph and row. One graph for each recipe is written beside them. `olive_table.py`
calls this, measures what came of it, and shares no code with it.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from olive.data.registry import Registry
from olive.workflows import run
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process

FUSED = {
    "type": "OrtTransformersOptimization",
    "model_type": "bert",
    "num_heads": 12,
    "hidden_size": 384,
}
"""With MiniLM's sizes: it does not find them, and no attention, by itself."""
DYNAMIC = {"type": "OnnxDynamicQuantization"}
STATIC = {"type": "OnnxStaticQuantization", "data_config": "rows"}
CHANNELS = {"per_channel": True}
RECIPES: dict[str, list[dict[str, Any]]] = {
    "olive-fused": [FUSED],
    "olive-dynamic": [FUSED, DYNAMIC],
    "olive-dynamic-channels": [FUSED, DYNAMIC | CHANNELS],
    "olive-static": [FUSED, STATIC],
    "olive-static-qoperator": [
        FUSED,
        STATIC | CHANNELS | {"quant_format": "QOperator", "activation_type": "uint8"},
    ],
}
"""Olive's passes, in order; what is not named is as Olive has it."""


class Rows:
    """Calibration rows, one at a time."""

    def __init__(self, path: Path) -> None:
        self.stored = np.load(path)
        self.names = sorted({key.split("/")[0] for key in self.stored.files})

    def __len__(self) -> int:
        return len(self.stored.files) // len(self.names)

    def __getitem__(self, at: int) -> tuple[dict[str, Any], int]:
        return {name: self.stored[f"{name}/{at}"] for name in self.names}, 0

    def __iter__(self) -> Iterator[tuple[dict[str, Any], int]]:
        return (self[at] for at in range(len(self)))


@Registry.register_dataset("rows_of_a_project")
def rows_of_a_project(path: str, **_: Any) -> Rows:
    """Olive's name for them."""
    return Rows(Path(path))


@Registry.register_dataloader("one_at_a_time")
def one_at_a_time(dataset: Rows, **_: Any) -> Rows:
    """As they are: rows differ in length."""
    return dataset


def by_runtime(folder: Path, target: Path, **options: Any) -> None:
    """ONNX Runtime's quantiser by itself, as its documentation has it."""
    prepared = folder / "prepared.onnx"
    quant_pre_process(str(folder / "hf.onnx"), str(prepared), auto_merge=True)
    quantize_dynamic(str(prepared), str(target), weight_type=QuantType.QInt8, **options)


def by_olive(folder: Path, target: Path, passes: list[dict[str, Any]]) -> None:
    """One workflow of Olive's."""
    out = folder / "olive" / target.stem
    rows = {
        "name": "rows",
        "type": "DataContainer",
        "load_dataset_config": {
            "type": "rows_of_a_project",
            "params": {"path": str(folder / "calibration.npz")},
        },
        "pre_process_data_config": {"type": "skip_pre_process"},
        "post_process_data_config": {"type": "skip_post_process"},
        "dataloader_config": {"type": "one_at_a_time"},
    }
    run(
        {
            "input_model": {"type": "OnnxModel", "model_path": str(folder / "hf.onnx")},
            "data_configs": [rows],
            "passes": {f"{at}-{each['type'].lower()}": each for at, each in enumerate(passes)},
            "output_dir": str(out),
            "cache_dir": str(folder / "cache"),
            "evaluate_input_model": False,
        }
    )
    (written,) = (path for path in out.rglob("*.onnx"))
    target.write_bytes(written.read_bytes())


def main() -> None:
    """All recipes; what each took, or why there is none."""
    folder = Path(sys.argv[1]).resolve()
    makers: dict[str, Any] = {
        "runtime-dynamic": lambda target: by_runtime(folder, target),
        "runtime-dynamic-channels": lambda target: by_runtime(folder, target, per_channel=True),
    } | {
        name: lambda target, p=passes: by_olive(folder, target, p)
        for name, passes in RECIPES.items()
    }
    told: dict[str, Any] = {}
    for name, make in makers.items():
        begin = perf_counter()
        try:
            make(folder / f"{name}.onnx")
            told[name] = round(perf_counter() - begin, 1)
        except Exception as error:
            told[name] = f"{type(error).__name__}: {str(error)[:200]}"
    (folder / "told.json").write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
