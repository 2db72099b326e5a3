"""Networks for tables, and trees as tensors."""

import numpy as np
import pytest
import torch
from sklearn.ensemble import HistGradientBoostingClassifier

from models.build import build_model
from models.ft_transformer import FtTransformerConfig, TransformerBlock
from models.table_rows import embedding_width
from tasks.evaluation.boosting import _bias, tree_tensors

SHAPE = {"num_classes": 3, "numbers": 4, "categories": (5, 9)}


@pytest.mark.parametrize("family", ["mlp", "table_resnet", "ft_transformer"])
def test_logits_of_rows_do_not_depend_on_their_neighbours(family: str) -> None:
    torch.manual_seed(0)
    model = build_model(family, SHAPE).eval()
    numbers, categories = torch.randn(6, 4), torch.randint(0, 5, (6, 2))
    with torch.no_grad():
        together = model(numbers=numbers, categories=categories)
        alone = model(numbers=numbers[2:3], categories=categories[2:3])
    assert together.shape == (6, 3)
    assert torch.allclose(together[2:3], alone, atol=1e-6)


def test_attention_over_columns_is_that_of_torch() -> None:
    torch.manual_seed(0)
    block = TransformerBlock(FtTransformerConfig(num_classes=2, numbers=3), is_first=True).eval()
    theirs = torch.nn.MultiheadAttention(64, 4, batch_first=True)
    theirs.in_proj_weight.data, theirs.in_proj_bias.data = (
        block.query_key_value.weight.data,
        block.query_key_value.bias.data,
    )
    theirs.out_proj.load_state_dict(block.output.state_dict())
    tokens = torch.randn(5, 7, 64)
    with torch.no_grad():
        found = block.output(block._mixed(tokens))
        torch.testing.assert_close(found, theirs(tokens, tokens, tokens)[0])


def test_every_column_is_a_token_and_what_it_holds_decides() -> None:
    torch.manual_seed(0)
    model = build_model("ft_transformer", SHAPE).eval()
    numbers, categories = torch.randn(1, 4), torch.tensor([[2, 3]])
    with torch.no_grad():
        assert model.tokens(numbers, categories, None, None).shape == (1, 7, 64)  # type: ignore[operator]
        before = model(numbers=numbers, categories=categories)
        for column in range(4):
            other = numbers.clone()
            other[0, column] += 1
            assert not torch.equal(model(numbers=other, categories=categories), before)
        for column in range(2):
            changed = categories.clone()
            changed[0, column] += 1
            assert not torch.equal(model(numbers=numbers, categories=changed), before)


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(ValueError, match="width 30 must be a multiple of heads 4"):
        build_model("ft_transformer", {**SHAPE, "width": 30})


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
