"""Networks without some of their units: same answers where those said nothing, sizes as by hand."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from models.build import build_model
from tasks.compression.pruning_families import GROUPS_OF, unit_groups
from tasks.compression.pruning_units import Group, Kept, without_units

IDS = torch.tensor([[5, 9, 3, 1], [7, 2, 0, 0]])
MASK = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])
TABLE = {"numbers": torch.randn(4, 3, generator=torch.Generator().manual_seed(1))}
PIXELS = {"pixels": torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(2))}
SERIES = torch.randn(2, 7, 3, generator=torch.Generator().manual_seed(3))
STEPS = torch.tensor([[1.0] * 7, [1.0] * 4 + [0.0] * 3])
TEXT = {"num_classes": 3, "vocab_size": 20}
ENCODER = TEXT | {"layers": 2, "width": 16, "heads": 4, "feed_forward": 24, "max_positions": 8}
CASES: dict[str, tuple[dict[str, Any], dict[str, Tensor]]] = {
    "text_encoder": (ENCODER, {"input_ids": IDS, "attention_mask": MASK}),
    "causal_transformer": (
        {"vocab_size": 20, "layers": 2, "width": 16, "heads": 4, "feed_forward": 24},
        {"input_ids": IDS},
    ),
    "ft_transformer": ({"num_classes": 3, "numbers": 3, "width": 16}, TABLE),
    "table_resnet": ({"num_classes": 3, "numbers": 3, "width": 8}, TABLE),
    "mlp": ({"num_classes": 3, "numbers": 3, "hidden": (12, 8)}, TABLE),
    "embedding_pool": (
        TEXT | {"width": 8, "hidden": 6},
        {"input_ids": IDS, "attention_mask": MASK},
    ),
    "ngram_bag": (
        {"num_classes": 3, "buckets": 32, "width": 8, "hidden": 6},
        {"input_ids": IDS, "attention_mask": MASK.float()},
    ),
    "lenet": ({"num_classes": 3, "size": 8, "filters": (6, 8), "hidden": (12, 10)}, PIXELS),
    "small_lenet": ({"num_classes": 3, "size": 8, "filters": (6, 8), "hidden": 12}, PIXELS),
    "resnet": ({"num_classes": 3, "widths": (8, 16), "blocks": 2}, PIXELS),
    "audio_cnn": (
        {"num_classes": 3, "mels": 8, "widths": (6, 8)},
        {"mels": torch.rand(2, 7, 8), "mask": STEPS},
    ),
    "series_cnn": (
        {"num_classes": 3, "channels": 3, "width": 16},
        {"values": SERIES, "mask": STEPS},
    ),
}
NORMALISED = {"resnet": ("channels",), "text_encoder": ("width",)}
"""Kinds of units among which is normalised: even silent ones count there."""


def test_every_family_that_can_be_pruned_is_tried() -> None:
    assert CASES.keys() == GROUPS_OF.keys()
    assert unit_groups("recurrent_text", TEXT) == []


@pytest.mark.parametrize("family", CASES)
def test_units_that_say_nothing_are_not_missed(family: str) -> None:
    model, inputs, config = _model(family)
    groups = [g for g in unit_groups(family, config) if g.kind not in NORMALISED.get(family, ())]
    kept = {group.name: _every_second(group) for group in groups}
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for group in groups:
        silent = [u for u in range(group.count) if u not in kept[group.name].tolist()]
        for place in group.writes:
            place.by_unit(weights[place.of], group.count)[silent] = 0.0
    model.load_state_dict(weights)
    smaller = _without(family, config, weights, groups, kept)
    assert _numbers(smaller) < _numbers(model) or not groups
    assert torch.allclose(smaller(**inputs), model(**inputs), atol=1e-5)


@pytest.mark.parametrize("family", CASES)
def test_all_groups_together_give_a_model_that_answers(family: str) -> None:
    model, inputs, config = _model(family)
    groups = unit_groups(family, config)
    kept = {group.name: _every_second(group) for group in groups}
    smaller = _without(family, config, model.state_dict(), groups, kept)
    assert smaller(**inputs).shape == model(**inputs).shape
    again = unit_groups(family, _fields(smaller))
    assert [group.count for group in again] == [len(kept[group.name]) for group in groups]


def test_a_pruned_encoder_has_the_sizes_that_a_hand_would_write() -> None:
    model, _, config = _model("text_encoder")
    groups = unit_groups("text_encoder", config)
    kept = {group.name: _every_second(group) for group in groups}
    smaller = _without("text_encoder", config, model.state_dict(), groups, kept)
    shapes = {name: tuple(tensor.shape) for name, tensor in smaller.state_dict().items()}
    # Half of 16 numbers, of 4 heads of 4 numbers, of 24 neurons.
    assert shapes["embeddings.words.weight"] == (20, 8)
    assert shapes["layers.0.attention.query_key_value.weight"] == (3 * 2 * 4, 8)
    assert shapes["layers.1.attention.output.weight"] == (8, 2 * 4)
    assert shapes["layers.1.expand.weight"] == (12, 8)
    assert shapes["layers.0.contract.weight"] == (8, 12)
    assert shapes["head.weight"] == (3, 8)


def test_the_query_key_and_value_of_a_kept_head_stay_together() -> None:
    model, _, config = _model("text_encoder")
    groups = [g for g in unit_groups("text_encoder", config) if g.kind == "heads"]
    kept = {group.name: torch.tensor([1, 3]) for group in groups}
    smaller = _without("text_encoder", config, model.state_dict(), groups, kept)
    before = model.state_dict()["layers.0.attention.query_key_value.weight"].view(3, 4, 4, 16)
    after = smaller.state_dict()["layers.0.attention.query_key_value.weight"].view(3, 2, 4, 16)
    assert torch.equal(after, before[:, [1, 3]])


@pytest.mark.parametrize(
    ("units", "message"),
    [
        ([torch.tensor([0]), torch.tensor([0, 1])], "groups of heads must keep one and the same"),
        ([torch.tensor([], dtype=torch.int64)] * 2, "keeps 0 of 4 heads"),
    ],
    ids=["different", "none"],
)
def test_groups_of_one_field_keep_one_number(units: list[Tensor], message: str) -> None:
    model, _, config = _model("text_encoder")
    groups = [g for g in unit_groups("text_encoder", config) if g.kind == "heads"]
    kept = {group.name: own for group, own in zip(groups, units, strict=True)}
    with pytest.raises(ValueError, match=message):
        without_units(config, model.state_dict(), groups, kept)


def _model(family: str) -> tuple[nn.Module, dict[str, Tensor], dict[str, Any]]:
    config, inputs = CASES[family]
    torch.manual_seed(0)
    model = build_model(family, config)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight) * 0.2)
    return model.eval(), inputs, _fields(model)


def _fields(model: nn.Module) -> dict[str, Any]:
    config = model.config
    return {name: getattr(config, name) for name in config.__dataclass_fields__}


def _every_second(group: Group) -> Tensor:
    return torch.arange(1, group.count, 2)


def _without(
    family: str, config: dict[str, Any], weights: dict[str, Tensor], groups: list[Group], kept: Kept
) -> nn.Module:
    shape, left = without_units(config, weights, groups, kept)
    smaller = build_model(family, shape)
    smaller.load_state_dict(left)
    return smaller.eval()


def _numbers(model: nn.Module) -> int:
    return sum(weight.numel() for weight in model.parameters())
