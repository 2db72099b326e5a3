"""Networks for tables, and trees as tensors."""

import numpy as np
import pytest
import torch
from sklearn.ensemble import HistGradientBoostingClassifier

from models.build import build_model
from models.table_rows import embedding_width
from tasks.evaluation.boosting import _bias, tree_tensors

SHAPE = {"num_classes": 3, "numbers": 4, "categories": (5, 9)}


@pytest.mark.parametrize("family", ["mlp", "table_resnet"])
def test_logits_of_rows_do_not_depend_on_their_neighbours(family: str) -> None:
    torch.manual_seed(0)
    model = build_model(family, SHAPE).eval()
    numbers, categories = torch.randn(6, 4), torch.randint(0, 5, (6, 2))
    with torch.no_grad():
        together = model(numbers=numbers, categories=categories)
        alone = model(numbers=numbers[2:3], categories=categories[2:3])
    assert together.shape == (6, 3)
    assert torch.allclose(together[2:3], alone, atol=1e-6)


def test_a_table_without_categories() -> None:
    model = build_model("mlp", {"num_classes": 2, "numbers": 3, "hidden": (4,)})
    assert model(numbers=torch.zeros(2, 3)).shape == (2, 2)


@pytest.mark.parametrize(("values", "width"), [(2, 1), (9, 5), (1000, 50)])
def test_embeddings_are_half_as_wide_as_their_values(values: int, width: int) -> None:
    assert embedding_width(values) == width


@pytest.mark.parametrize("classes", [2, 3])
def test_trees_as_tensors_answer_as_scikit_learn_does(classes: int) -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(400, 5)).astype(np.float32)
    labels = (rows[:, 0] + rows[:, 1] > 0).astype(int) + (classes > 2) * (rows[:, 2] > 1)
    fitted = HistGradientBoostingClassifier(max_iter=20, random_state=0).fit(rows, labels)
    trees = [tree.nodes for each_round in fitted._predictors for tree in each_round]
    tensors = tree_tensors(trees) | {"bias": _bias(fitted, classes)}
    depth = max(int(nodes["depth"].max()) for nodes in trees)
    shape = {"trees": len(trees), "nodes": tensors["value"].shape[1], "depth": depth}
    model = build_model("tree_ensemble", {"num_classes": classes, **shape})
    model.load_state_dict(tensors)
    with torch.no_grad():
        found = torch.softmax(model(numbers=torch.from_numpy(rows)), 1).numpy()
    assert np.allclose(found, fitted.predict_proba(rows), atol=1e-6)
