"""Graphs in numbers of sixteen bits."""

import numpy as np
import onnx

LEAST_WEIGHTS = 1024
"""Of a weight that is worth a cast to float16, which takes a node in the graph."""


def with_half_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy with every large weight in float16 and a cast behind it: it computes in float32."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    casts = []
    for weight in copy.graph.initializer:
        if weight.data_type == onnx.TensorProto.FLOAT and np.prod(weight.dims) >= LEAST_WEIGHTS:
            values, name = onnx.numpy_helper.to_array(weight), weight.name
            half = onnx.numpy_helper.from_array(values.astype(np.float16), f"{name}_float16")
            weight.CopyFrom(half)
            cast = onnx.helper.make_node("Cast", [half.name], [name], to=onnx.TensorProto.FLOAT)
            casts.append(cast)
    nodes = [*casts, *copy.graph.node]
    del copy.graph.node[:]
    copy.graph.node.extend(nodes)
    return copy


def in_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy that computes in float16; what it is asked and answers stays as it was."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    found: onnx.ModelProto = convert_float_to_float16(copy, keep_io_types=True)
    return found
