"""Int8 weights, and activations scaled as they come (dynamic quantisation), by ONNX Runtime."""

import tempfile
from pathlib import Path

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.quant_utils import add_pre_process_metadata

from tasks.packaging.bundle import (
    GRAPH,
    bundle_bytes,
    encoder_files,
    read_facts,
    write_bundle,
)


class NotSmaller(ValueError):
    """The quantised bundle has about as many bytes as the float one, or more."""


QUANTIZED = ("MatMul", "Gather")
"""Matrix products, of which the quantiser makes a Gemm one too, and tables, where half of a small
text model's bytes are."""
LEAST_GAIN = 0.05
"""Share of the bytes that must be gone: a graph of convolutions loses a hundredth or none."""


def quantize_bundle(source: Path, target: Path, name: str) -> str:
    """Fill `target` with the int8 form of the bundle in `source`; its digest.

    Raises NotSmaller when it is not: then there is nothing to gain.
    """
    target.mkdir(parents=True, exist_ok=True)
    quantize_graph(source / GRAPH, target / GRAPH)
    facts = read_facts(source).model_copy(update={"batch_rows": 1})
    digest = write_bundle(target, facts, encoder_files(source))
    before, after = bundle_bytes(source), bundle_bytes(target)
    if after > before * (1 - LEAST_GAIN):
        raise NotSmaller(f"{name}: int8 has {after} bytes, the float bundle {before}")
    return digest


def quantize_graph(source: Path, target: Path) -> None:
    """Write the int8 form of one graph, weights scaled per output channel."""
    model = onnx.load(source)
    # Shapes that an exporter wrote down can contradict those that the quantiser infers.
    del model.graph.value_info[:]
    # Says that shapes were seen to, else the quantiser warns on the root logger.
    add_pre_process_metadata(model)
    with tempfile.TemporaryDirectory(prefix="quantize-") as folder:
        prepared = Path(folder) / GRAPH
        onnx.save(model, prepared)
        quantize_dynamic(
            prepared,
            target,
            op_types_to_quantize=list(QUANTIZED),
            # Per tensor turned 13 answers in 100, per channel 4 (two layers of MiniLM, 3,000 rows).
            per_channel=True,
            weight_type=QuantType.QInt8,
        )
