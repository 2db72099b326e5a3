"""Families by name, and the n-gram bag."""

import pytest
import torch

from models.build import build_model
from models.ngram_bag import weighted_bag


def test_an_unknown_family_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        ValueError, match="family 'lstm' is unknown; known are audio_cnn, bias_model, "
    ):
        build_model("lstm", {})


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValueError, match="family ngram_bag has no field 'depth'"):
        build_model("ngram_bag", {"num_classes": 2, "depth": 3})


def test_a_bag_is_the_weighted_sum_of_its_rows() -> None:
    table = torch.randn(10, 4)
    ids, weights = torch.tensor([[1, 2, 0]]), torch.tensor([[0.5, 2.0, 0.0]])
    expected = 0.5 * table[1] + 2.0 * table[2]
    assert torch.allclose(weighted_bag(table, ids, weights)[0], expected, atol=1e-6)


def test_padding_does_not_change_a_bag() -> None:
    torch.manual_seed(0)
    model = build_model("ngram_bag", {"num_classes": 3, "buckets": 64, "width": 8}).eval()
    ids, weights = torch.tensor([[5, 6]]), torch.tensor([[0.7, 0.7]])
    padded = model(
        input_ids=torch.tensor([[5, 6, 0, 0]]), attention_mask=torch.tensor([[0.7, 0.7, 0.0, 0.0]])
    )
    assert torch.allclose(model(input_ids=ids, attention_mask=weights), padded, atol=1e-6)
