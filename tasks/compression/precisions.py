"""Each form of a graph with fewer bits, by ONNX Runtime's own quantisers.

What they gain here, and what they cost, is in `tests/benchmarks/`.
"""

import logging
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.quantization.onnx_model import ONNXModel
from onnxruntime.quantization.quant_utils import add_pre_process_metadata

from tasks.compression.config import Precision
from tasks.compression.half_precision import in_half, with_half_weights

Feeds = Sequence[Mapping[str, NDArray[Any]]]
"""What a graph is asked, one row at a time: no row is scaled by another's padding."""
Writer = Callable[[onnx.ModelProto, Collection[str], Feeds, Path], None]
"""From a prepared graph, the nodes to leave as they are, and rows to scale by, to a file."""

PRODUCTS, TABLES = ("MatMul",), ("Gather",)
FUSED, APART = "Attention", "MultiHeadAttention"
"""Nodes of ONNX Runtime's own: a product with what follows it, and what follows it alone."""
BLOCK = 32
"""Weights that share a scale: of int4, blocks of 128 had three times the noise, for 0.6 of 4.4 MB.
"""


def prepared(source: Path, precision: Precision) -> onnx.ModelProto:
    """The graph as quantisers want it: no shapes noted, every Gemm a MatMul and an Add.

    Its attention is taken apart for those that do not know the fused one.
    """
    model = onnx.load(source)
    _share_weights(model.graph)
    if FUSED not in SHRUNK[precision] and SHRUNK[precision]:
        take_attention_apart(model)
    # Shapes that an exporter wrote down can contradict those that the quantiser infers.
    del model.graph.value_info[:]
    # What follows a node of ONNX Runtime's own has no type otherwise, and is left out.
    model.graph.value_info.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
        for node in model.graph.node
        if node.op_type in (FUSED, APART)
        for name in node.output
    )
    wrapped = ONNXModel(model)
    wrapped.replace_gemm_with_matmul()
    # Says that shapes were seen to, else the quantiser warns on the root logger.
    add_pre_process_metadata(wrapped.model)
    prepared_model: onnx.ModelProto = wrapped.model
    return prepared_model


def _share_weights(graph: onnx.GraphProto) -> None:
    """Read a weight that the exporter has once, and Identity for its copies, by its own name.

    The quantisers leave in float what is behind an Identity: of layers that share their weights all
    but the first.
    """
    weights = {weight.name for weight in graph.initializer}
    answers = {answer.name for answer in graph.output}
    own: dict[str, str] = {}
    left: list[onnx.NodeProto] = []
    for node in graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = own.get(name, name)
        is_copy = node.op_type == "Identity" and node.input[0] in weights
        if is_copy and node.output[0] not in answers:
            own[node.output[0]] = node.input[0]
        else:
            left.append(node)
    del graph.node[:]
    graph.node.extend(left)


def layers_of(model: onnx.ModelProto, precision: Precision) -> list[str]:
    """Names of the nodes with a weight that this form would shrink."""
    weights = {weight.name for weight in model.graph.initializer}
    return [
        node.name
        for node in model.graph.node
        if node.op_type in SHRUNK[precision]
        and node.input[0 if node.op_type == "Gather" else 1] in weights
    ]


def take_attention_apart(model: onnx.ModelProto) -> None:
    """Put the product of queries, keys and values before what is left of each fused attention."""
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        nodes += _parts_of(node) if node.op_type == FUSED else [node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _parts_of(attention: onnx.NodeProto) -> list[onnx.NodeProto]:
    hidden, weight, bias, mask = attention.input
    name, make = attention.name, onnx.helper.make_node
    three = [f"{name}_{part}" for part in ("query", "key", "value")]
    mixed = make(APART, [*three, "", mask], attention.output, f"{name}_mixed")
    mixed.domain = attention.domain
    mixed.attribute.extend(attention.attribute)
    return [
        make("MatMul", [hidden, weight], [f"{name}_product"], f"{name}_MatMul"),
        make("Add", [f"{name}_product", bias], [f"{name}_sum"], f"{name}_Add"),
        make("Split", [f"{name}_sum"], three, f"{name}_Split", axis=-1, num_outputs=3),
        mixed,
    ]


def dynamic_int8(model: onnx.ModelProto, kept: Collection[str], feeds: Feeds, target: Path) -> None:
    """Weights scaled per output channel; activations as they come, over the whole batch."""
    del feeds
    _write_dynamic(model, (*PRODUCTS, FUSED, *TABLES), kept, target)


def static_int8(model: onnx.ModelProto, kept: Collection[str], feeds: Feeds, target: Path) -> None:
    """Weights scaled per output channel, activations by what they were on the rows in `feeds`."""
    with _on_disk(model) as source:
        quantize_static(
            source,
            target,
            _Reader(feeds),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(SHRUNK["int8-static"]),
            per_channel=True,
            # Signed activations took 5.6 ms where unsigned ones take 0.8 (two layers of MiniLM).
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=list(kept),
            extra_options={"MatMulConstBOnly": True},
        )


def int8_weights(model: onnx.ModelProto, kept: Collection[str], feeds: Feeds, target: Path) -> None:
    """Products in blocks of int8, each row of activations scaled in the kernel; tables in int8."""
    del feeds
    _write_dynamic(_in_blocks(model, PRODUCTS, 8, kept), TABLES, kept, target)


def int8_int4(model: onnx.ModelProto, kept: Collection[str], feeds: Feeds, target: Path) -> None:
    """Products as in `dynamic_int8`, where the time is; tables in int4, where the bytes are."""
    del feeds
    with tempfile.TemporaryDirectory(prefix="quantize-") as folder:
        products = Path(folder, "products.onnx")
        _write_dynamic(model, (*PRODUCTS, FUSED), kept, products)
        onnx.save(_in_blocks(onnx.load(products), TABLES, 4, kept), target)


def int4_weights(model: onnx.ModelProto, kept: Collection[str], feeds: Feeds, target: Path) -> None:
    """Products and tables in blocks of int4."""
    del feeds
    onnx.save(_in_blocks(model, (*PRODUCTS, *TABLES), 4, kept), target)


def float16_weights(
    model: onnx.ModelProto, kept: Collection[str], feeds: Feeds, target: Path
) -> None:
    """Every large weight in float16 and a cast behind it, which the session does once, on load."""
    del kept, feeds
    onnx.save(with_half_weights(model), target)


def float16(model: onnx.ModelProto, kept: Collection[str], feeds: Feeds, target: Path) -> None:
    """Weights and all that is computed in float16, for hardware that multiplies it."""
    del kept, feeds
    onnx.save(in_half(model), target)


WRITERS: dict[Precision, Writer] = {
    "int8": dynamic_int8,
    "int8-static": static_int8,
    "int8-weights": int8_weights,
    "int8-int4": int8_int4,
    "int4-weights": int4_weights,
    "float16-weights": float16_weights,
    "float16": float16,
}
SHRUNK: dict[Precision, tuple[str, ...]] = {
    **dict.fromkeys(WRITERS, (*PRODUCTS, *TABLES)),
    **dict.fromkeys(("int8", "int8-int4"), (*PRODUCTS, FUSED, *TABLES)),
    "int8-static": (*PRODUCTS, *TABLES, "Conv"),
    **dict.fromkeys(("float16-weights", "float16"), ()),
}
"""Nodes that a form replaces. Convolutions are no faster in `int8`, nor smaller."""
MIXING: frozenset[Precision] = frozenset({"int8", "int8-int4"})
"""Forms that take one scale for the activations of a whole batch."""


def _write_dynamic(
    model: onnx.ModelProto, types: Sequence[str], kept: Collection[str], target: Path
) -> None:
    with _on_disk(model) as source:
        quantize_dynamic(
            source,
            target,
            op_types_to_quantize=list(types),
            # Per tensor turned 13 answers in 100, per channel 4 (two layers of MiniLM, 3,000 rows).
            per_channel=True,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=list(kept),
        )


def _in_blocks(
    model: onnx.ModelProto, types: Sequence[str], bits: int, kept: Collection[str]
) -> onnx.ModelProto:
    """A copy with the weights of these nodes in blocks; narrow and odd tables stay as they are."""
    with _quiet_root():  # importing it configures the root logger
        from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer, logger
    # It tells every node that it passes, and that opset 20 becomes 21, which ours can be as well.
    logger.setLevel(logging.ERROR)
    copy = _copied(model)
    quantizer = MatMulNBitsQuantizer(
        copy,
        bits=bits,
        block_size=BLOCK,
        is_symmetric=True,
        accuracy_level=4,  # products in int8: half of the time of those in float32
        nodes_to_exclude=[*kept, *_odd_tables(copy)],
        op_types_to_quantize=tuple(types),
        quant_format=QuantFormat.QOperator,
    )
    quantizer.process()
    found: onnx.ModelProto = quantizer.model.model
    return found


def _odd_tables(model: onnx.ModelProto) -> list[str]:
    """Gathers from tables that blocks of int4 do not fit."""
    shapes = {weight.name: tuple(weight.dims) for weight in model.graph.initializer}
    floats = {w.name for w in model.graph.initializer if w.data_type == onnx.TensorProto.FLOAT}
    return [
        node.name
        for node in model.graph.node
        if node.op_type == "Gather"
        and node.input[0] in shapes
        and not (
            node.input[0] in floats
            and len(shapes[node.input[0]]) == 2
            and shapes[node.input[0]][1] % BLOCK == 0
        )
    ]


@contextmanager
def _on_disk(model: onnx.ModelProto) -> Iterator[Path]:
    """The graph in a file: the quantisers move the weights out of one that they are handed."""
    with tempfile.TemporaryDirectory(prefix="quantize-") as folder:
        path = Path(folder, "model.onnx")
        onnx.save(model, path)
        yield path


def _copied(model: onnx.ModelProto) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    """Feeds, as the quantiser asks for them."""

    def __init__(self, feeds: Feeds) -> None:
        self._left: Iterator[Mapping[str, NDArray[Any]]] = iter(feeds)

    def get_next(self) -> Mapping[str, NDArray[Any]] | None:
        """The next one; None after the last."""
        return next(self._left, None)


@contextmanager
def _quiet_root() -> Iterator[None]:
    """The root logger afterwards as it was before."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
