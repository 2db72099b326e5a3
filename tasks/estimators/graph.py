"""A fitted estimator as an ONNX graph: features, the estimator by skl2onnx, logits.

Shapes: B batch, F features, C classes.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, compose, helper, numpy_helper
from sklearn.base import is_classifier

from tasks.estimators.trees import boosted_graph
from tasks.packaging.export import OPSET

ML_OPSET = 3
FORMAT = 10
"""Of the file: that of the exporter of torch and of skl2onnx differ."""
LEAST = 1e-7
"""Probability that stands for 0, which has no logarithm; about what float32 can tell from 1."""
ROW, LOGITS = "row", "logits"
_DOMAINS = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]


class NoGraph(ValueError):
    """The estimator has no ONNX form, or one that answers otherwise."""


def logits_of(probabilities: NDArray[Any], classes: Sequence[int], count: int) -> NDArray[Any]:
    """Log probabilities [B, C] of all `count` classes from those that the estimator met."""
    found = np.zeros((len(probabilities), count))
    found[:, list(classes)] = probabilities
    return np.log(np.clip(found, LEAST, 1.0)).astype(np.float32)


def estimator_graph(estimator: Any, features: int, count: int) -> onnx.ModelProto:
    """From `row` [B, F] to `logits` [B, C], or to numbers [B, 1].

    Raises NoGraph for an estimator that skl2onnx does not know.
    """
    if hasattr(estimator, "_predictors"):  # skl2onnx 1.20 fails on it with onnx 1.23
        return _with_domains(boosted_graph(estimator, ROW, LOGITS, features, count))
    # Half a second that every other run would pay.
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType

    is_one_of = is_classifier(estimator)
    try:
        graph = convert_sklearn(
            estimator,
            initial_types=[(ROW, FloatTensorType([None, features]))],
            options={"zipmap": False} if is_one_of else None,
            target_opset={"": OPSET, "ai.onnx.ml": ML_OPSET},
        )
    except Exception as error:  # whatever a converter meets, there is no graph
        name = type(estimator).__name__
        raise NoGraph(f"{name} has no ONNX form in skl2onnx ({type(error).__name__})") from error
    if is_one_of:
        return _with_logarithm(graph, list(estimator.classes_), count)
    return _renamed(graph, graph.graph.output[0].name, 1)


def joined(features: onnx.ModelProto, estimator: onnx.ModelProto) -> onnx.ModelProto:
    """One graph, whose inputs are those of `features`, whose one output is `logits`."""
    first = compose.add_prefix(features, "features/", rename_inputs=False)
    second = compose.add_prefix(estimator, "estimator/", rename_outputs=False)
    for model in (first, second):
        _with_domains(model)
    io_map = [(first.graph.output[0].name, second.graph.input[0].name)]
    whole = _with_domains(compose.merge_models(first, second, io_map=io_map))
    onnx.checker.check_model(whole)
    return whole


def num_numbers(graph: onnx.ModelProto) -> int:
    """Numbers that an estimator learned: of tensors, and of the tables of tree nodes."""
    tensors = sum(int(np.prod(tensor.dims)) for tensor in graph.graph.initializer)
    floats = (len(a.floats) for node in graph.graph.node for a in node.attribute)
    return tensors + sum(floats)


def _with_logarithm(graph: onnx.ModelProto, classes: Sequence[int], count: int) -> onnx.ModelProto:
    """Probabilities, spread over all classes where the estimator has not met some, as logits."""
    last = graph.graph.output[-1].name
    if list(classes) != list(range(count)):
        spread = np.zeros((len(classes), count), np.float32)
        spread[np.arange(len(classes)), list(classes)] = 1.0
        graph.graph.initializer.append(numpy_helper.from_array(spread, "spread"))
        graph.graph.node.append(helper.make_node("MatMul", [last, "spread"], ["all_classes"]))
        last = "all_classes"
    for name, limit in (("least", LEAST), ("most", 1.0)):
        graph.graph.initializer.append(numpy_helper.from_array(np.array(limit, np.float32), name))
    graph.graph.node.append(helper.make_node("Clip", [last, "least", "most"], ["clipped"]))
    graph.graph.node.append(helper.make_node("Log", ["clipped"], ["logarithms"]))
    return _renamed(graph, "logarithms", count)


def _renamed(graph: onnx.ModelProto, last: str, count: int) -> onnx.ModelProto:
    """The graph with `last` as its one output, `logits`."""
    graph.graph.node.append(helper.make_node("Identity", [last], [LOGITS]))
    del graph.graph.output[:]
    value = helper.make_tensor_value_info(LOGITS, TensorProto.FLOAT, ["rows", count])
    graph.graph.output.append(value)
    return _with_domains(graph)


def _with_domains(model: onnx.ModelProto) -> onnx.ModelProto:
    """One set of operators and one format, so that graphs can be joined."""
    del model.opset_import[:]
    model.opset_import.extend(_DOMAINS)
    model.ir_version = FORMAT
    model.graph.name = "estimator"  # skl2onnx draws one by chance
    return model
