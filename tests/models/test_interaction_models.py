"""Networks over users and items: the arithmetic of the papers, and ids that are hidden."""

from typing import Any

import numpy as np
import pytest
import torch

from models.build import build_model
from models.id_table import IdTable

SHAPES: list[tuple[str, dict[str, Any]]] = [
    ("matrix_factorisation", {"width": 3}),
    ("neural_collaborative_filtering", {"width": 3, "hidden_layers": (5,)}),
    ("two_tower", {"width": 3, "layers": (5,)}),
]
USER, ITEM = torch.tensor([0, 2, 3, 1]), torch.tensor([4, 1, 0, 2])


def built(family: str, shape: dict[str, Any]) -> Any:
    torch.manual_seed(0)
    model = build_model(family, {"num_classes": 1, "users": 4, "items": 5, **shape}).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(torch.randn(weight.shape))
    return model


def test_factors_are_those_of_the_paper() -> None:
    model = built("matrix_factorisation", {"width": 3})
    found = model(USER, ITEM).detach().numpy()[:, 0]
    state = {name: weight.numpy() for name, weight in model.state_dict().items()}
    for row, (u, i) in enumerate(zip(USER.tolist(), ITEM.tolist(), strict=True)):
        expected = state["mean"][0] + state["user_bias.weight"][u, 0] + state["item_bias.weight"][i]
        expected = expected[0] + state["users.weight"][u] @ state["items.weight"][i]
        assert found[row] == pytest.approx(expected, rel=1e-5)


def test_both_halves_of_neural_factors_are_those_of_the_paper() -> None:
    model = built("neural_collaborative_filtering", {"width": 3, "hidden_layers": (5,)})
    state = {name: weight.numpy() for name, weight in model.state_dict().items()}
    u, i = USER.numpy(), ITEM.numpy()
    factors = state["factor_users.weight"][u] * state["factor_items.weight"][i]
    beside = np.concatenate(
        [state["layer_users.weight"][u], state["layer_items.weight"][i]], axis=1
    )
    layer = np.maximum(beside @ state["layers.0.0.weight"].T + state["layers.0.0.bias"], 0)
    expected = np.concatenate([factors, layer], axis=1) @ state["head.weight"].T
    np.testing.assert_allclose(
        model(USER, ITEM).detach().numpy(), expected + state["head.bias"], rtol=1e-4, atol=1e-5
    )


def test_a_tower_ends_in_a_vector_and_a_bias() -> None:
    model = built("two_tower", {"width": 3, "layers": (5,)})
    with torch.inference_mode():
        user, item = model.user(USER, None, None), model.item(ITEM, None, None)
        expected = model.mean + user[:, 3] + item[:, 3] + (user[:, :3] * item[:, :3]).sum(1)
        torch.testing.assert_close(model(USER, ITEM)[:, 0], expected)


def test_each_tower_reads_its_own_columns() -> None:
    columns = {"user_numbers": 2, "item_categories": (3,)}
    model = built("two_tower", {"width": 3, "layers": (5,), **columns})
    numbers, kinds = torch.zeros(4, 2), torch.tensor([[0], [1], [2], [0]])
    with torch.inference_mode():
        first = model(USER, ITEM, user_numbers=numbers, item_categories=kinds)
        other = model(USER, ITEM, user_numbers=numbers + 1, item_categories=kinds)
        third = model(USER, ITEM, user_numbers=numbers, item_categories=(kinds + 1) % 3)
    assert not torch.equal(first, other)
    assert not torch.equal(first, third)


@pytest.mark.parametrize(("family", "shape"), SHAPES, ids=str)
def test_ids_are_hidden_in_training_alone_and_by_the_seed(
    family: str, shape: dict[str, Any]
) -> None:
    model = built(family, {**shape, "hidden": 0.4})
    with torch.inference_mode():
        assert torch.equal(model(USER, ITEM), model(USER, ITEM))
        model.train()
        seen = []
        for seed in (1, 1, 2, 3):
            torch.manual_seed(seed)
            seen.append(model(USER, ITEM))
    assert torch.equal(seen[0], seen[1])
    assert any(not torch.equal(seen[0], later) for later in seen[2:])


def test_the_share_of_hidden_ids_is_what_it_says() -> None:
    torch.manual_seed(0)
    table = IdTable(9, 2, hidden=0.2)
    ids = torch.full((20_000,), 5)
    assert float((table.some_hidden(ids) == 0).float().mean()) == pytest.approx(0.2, abs=0.01)
    assert torch.equal(table.eval().some_hidden(ids), ids)
