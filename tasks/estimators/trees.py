"""Histogram gradient boosting as one ONNX node, from the nodes that scikit-learn keeps."""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

Nodes = NDArray[Any]
"""scikit-learn's records of one tree, one a node."""


def boosted_graph(
    estimator: Any, row: str, logits: str, features: int, count: int
) -> onnx.ModelProto:
    """From `row` [B, F] to `logits` [B, C], or to numbers [B, 1]."""
    rounds = estimator._predictors
    nodes = [
        helper.make_node(
            "TreeEnsembleRegressor",
            [row],
            ["scores"],
            domain="ai.onnx.ml",
            n_targets=len(rounds[0]),
            base_values=np.ravel(estimator._baseline_prediction).astype(float).tolist(),
            **_attributes([tree.nodes for each in rounds for tree in each], len(rounds[0])),
        ),
        helper.make_node("Identity", ["scores"], [logits]),
    ]
    if len(rounds[0]) < count:  # of two classes scikit-learn keeps the log odds of the second
        none = helper.make_node("Sub", ["scores", "scores"], ["none"])
        nodes[1:] = [none, helper.make_node("Concat", ["none", "scores"], [logits], axis=1)]
    given = helper.make_tensor_value_info(row, TensorProto.FLOAT, ["rows", features])
    output = helper.make_tensor_value_info(logits, TensorProto.FLOAT, ["rows", count])
    return helper.make_model(helper.make_graph(nodes, "boosting", [given], [output]))


def rounded_down(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """The largest float32 that is not above: float32 rows then go the way that they went."""
    nearest = np.clip(thresholds, -3e38, 3e38).astype(np.float32)
    return np.where(nearest > thresholds, np.nextafter(nearest, np.float32(-np.inf)), nearest)


def _attributes(trees: list[Nodes], targets: int) -> dict[str, Any]:
    """Of the node: every node of every tree, and what each leaf adds to its target."""
    nodes = np.concatenate(trees)
    tree_ids = np.repeat(np.arange(len(trees)), list(map(len, trees)))
    node_ids = np.concatenate([np.arange(len(tree)) for tree in trees])
    is_leaf = nodes["is_leaf"].astype(bool)
    inner = {
        "featureids": nodes["feature_idx"],
        "values": rounded_down(nodes["num_threshold"].astype(np.float64)),
        "truenodeids": nodes["left"],
        "falsenodeids": nodes["right"],
        "missing_value_tracks_true": nodes["missing_go_to_left"],
    }
    leaf = {
        "treeids": tree_ids[is_leaf],
        "nodeids": node_ids[is_leaf],
        "ids": tree_ids[is_leaf] % targets,
        "weights": nodes["value"][is_leaf].astype(np.float32),
    }
    return {
        "nodes_treeids": tree_ids.tolist(),
        "nodes_nodeids": node_ids.tolist(),
        "nodes_modes": np.where(is_leaf, "LEAF", "BRANCH_LEQ").tolist(),
        **{f"nodes_{name}": _plain(np.where(is_leaf, 0, found)) for name, found in inner.items()},
        **{f"target_{name}": _plain(found) for name, found in leaf.items()},
    }


def _plain(values: NDArray[Any]) -> list[Any]:
    """Python's own numbers, which are all that onnx takes."""
    kind = float if np.issubdtype(values.dtype, np.floating) else int
    return [kind(value) for value in values.tolist()]
