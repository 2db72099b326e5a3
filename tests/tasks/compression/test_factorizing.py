"""Products of two small matrices: the nearest there are, and no change where none is needed."""

from dataclasses import asdict

import numpy as np
import pytest
import torch
from torch import nn

from models.build import build_model
from tasks.compression.factorizing import WORDS, factors, with_narrow_matrices, with_narrow_words

SHAPE = {"num_classes": 3, "vocab_size": 40, "layers": 2, "width": 16, "heads": 4,
         "feed_forward": 32, "max_positions": 8}  # fmt: skip
IDS = torch.tensor([[5, 9, 3, 1], [7, 2, 4, 8]])
BATCH = {"input_ids": IDS, "attention_mask": torch.ones_like(IDS)}


def test_factors_leave_the_error_that_the_small_singular_values_are() -> None:
    matrix = torch.randn(12, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    left, right = factors(matrix, 3)
    sizes = np.linalg.svd(matrix.numpy(), compute_uv=False)
    error = float((matrix - left @ right).norm())
    assert error == pytest.approx(np.sqrt((sizes[3:] ** 2).sum()))
    assert torch.allclose(left.norm(dim=0), right.norm(dim=1))


def test_words_of_low_rank_answer_alike() -> None:
    model = _model()
    low = torch.randn(40, 5) @ torch.randn(5, 16)
    with torch.no_grad():
        model.embeddings.words.weight.copy_(low)
    smaller = _built(with_narrow_words(asdict(model.config), model.state_dict(), 5))
    assert smaller.embeddings.words.weight.shape == (40, 5)
    assert torch.allclose(smaller(**BATCH), model(**BATCH), atol=1e-4)


def test_words_that_are_met_often_are_kept_best() -> None:
    model = _model()
    table, counts = model.state_dict()[WORDS], torch.zeros(40)
    counts[:10] = 1000
    errors = []
    for seen in (None, counts):
        _, weights = with_narrow_words(asdict(model.config), model.state_dict(), 6, seen)
        found = weights[WORDS] @ weights["embeddings.widen.weight"].T
        errors.append((found - table).norm(dim=1))
    assert errors[1][:10].mean() < 0.5 * errors[0][:10].mean()
    assert errors[1][10:].mean() > errors[0][10:].mean()


def test_matrices_of_low_rank_answer_alike() -> None:
    model = _model()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.startswith("layers.") and weight.dim() == 2:
                left, right = factors(weight, 4)
                weight.copy_(left @ right)
    smaller = _built(with_narrow_matrices(asdict(model.config), model.state_dict(), 4))
    assert smaller.layers[1].expand[0].weight.shape == (4, 16)
    assert torch.allclose(smaller(**BATCH), model(**BATCH), atol=1e-5)


def test_a_rank_that_makes_nothing_smaller_is_refused() -> None:
    config, weights = asdict(_model().config), _model().state_dict()
    with pytest.raises(ValueError, match="embedding_rank 12 must be at most 11 for a table of 40"):
        with_narrow_words(config, weights, 12)
    with pytest.raises(ValueError, match="linear_rank 8 must be at most 7 for layers"):
        with_narrow_matrices(config, weights, 8)
    with_narrow_words(config, weights, 11)


def _model() -> nn.Module:
    torch.manual_seed(0)
    model = build_model("text_encoder", SHAPE).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight) * 0.2)
    return model


def _built(smaller: tuple[dict[str, object], dict[str, torch.Tensor]]) -> nn.Module:
    config, weights = smaller
    model = build_model("text_encoder", config)
    model.load_state_dict(weights)
    return model.eval()
