"""The loss of language models against its definition, computed a token at a time."""

import math

import numpy as np
import pytest
import torch

from tasks.packaging.predictor.language import IGNORED, BytePairs
from tasks.training.examples import Batch
from tasks.training.learned_vocabulary import byte_vocabulary
from tasks.training.token_losses import (
    LIKELIEST,
    TokenLoss,
    likeliest,
    likeliest_loss,
    token_scores,
    token_sums,
)

LOGITS = torch.randn(2, 5, 20, generator=torch.Generator().manual_seed(1)) * 2
TEACHER = torch.randn(2, 5, 20, generator=torch.Generator().manual_seed(2)) * 2
TARGETS = torch.tensor([[3, 7, 1, IGNORED, IGNORED], [0, 4, 19, 2, 1]])


def loss_of(row: int, token: int) -> float:
    shares = LOGITS[row, token].double().softmax(0)
    return -math.log(float(shares[TARGETS[row, token]]))


def outcomes(logits: torch.Tensor, chosen: list[int], temperature: float) -> list[float]:
    """Softened probabilities of the chosen tokens and of all others as one."""
    shares = logits.double().softmax(0)
    kept = [float(shares[token]) for token in chosen]
    powers = [share ** (1 / temperature) for share in [*kept, 1 - sum(kept)]]
    return [power / sum(powers) for power in powers]


def divergence(row: int, token: int, temperature: float) -> float:
    chosen = TEACHER[row, token].topk(LIKELIEST).indices.tolist()
    p = outcomes(TEACHER[row, token], chosen, temperature)
    q = outcomes(LOGITS[row, token], chosen, temperature)
    return temperature**2 * sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))


def test_each_row_is_the_mean_over_its_own_tokens() -> None:
    expected = [sum(loss_of(0, t) for t in range(3)) / 3, sum(loss_of(1, t) for t in range(5)) / 5]
    assert TokenLoss()(LOGITS, TARGETS, None).tolist() == pytest.approx(expected, rel=1e-5)


def test_smoothing_is_that_of_torch() -> None:
    found = TokenLoss(smoothing=0.2)(LOGITS[1:], TARGETS[1:], None)
    expected = torch.nn.functional.cross_entropy(LOGITS[1], TARGETS[1], label_smoothing=0.2)
    assert float(found) == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_a_teacher_of_few_tokens_against_the_definition(temperature: float) -> None:
    loss = TokenLoss(temperature=temperature, weight=0.7)
    found = loss(LOGITS, TARGETS, likeliest(TEACHER, tokens=9))
    for row, tokens in enumerate((3, 5)):
        terms = [
            0.7 * divergence(row, t, temperature) + 0.3 * loss_of(row, t) for t in range(tokens)
        ]
        assert float(found[row]) == pytest.approx(sum(terms) / tokens, rel=1e-4)


def test_beyond_the_teacher_the_tokens_alone_are_learned_from() -> None:
    found = TokenLoss(temperature=2.0, weight=0.7)(LOGITS, TARGETS, likeliest(TEACHER, tokens=2))
    terms = [0.7 * divergence(1, t, 2.0) + 0.3 * loss_of(1, t) for t in range(2)]
    terms += [loss_of(1, t) for t in range(2, 5)]
    assert float(found[1]) == pytest.approx(sum(terms) / 5, rel=1e-4)


@pytest.mark.parametrize("tokens", [5, 12], ids=["narrow", "wide"])
def test_answers_are_as_wide_as_the_longest_row(tokens: int) -> None:
    kept = likeliest(TEACHER, tokens)
    assert kept.shape == (2, tokens * 2 * LIKELIEST)
    log = LOGITS.log_softmax(-1)
    assert torch.equal(
        likeliest_loss(log, kept, 2.0), likeliest_loss(log, likeliest(TEACHER, 9), 2.0)
    )


def test_a_batch_may_be_wider_than_the_longest_row() -> None:
    wide = torch.nn.functional.pad(LOGITS, (0, 0, 0, 3))
    targets = torch.nn.functional.pad(TARGETS, (0, 3), value=IGNORED)
    loss = TokenLoss(temperature=2.0, weight=0.5)
    kept = likeliest(TEACHER, 5)
    assert torch.allclose(loss(wide, targets, kept), loss(LOGITS, TARGETS, kept), atol=1e-6)


def test_a_student_that_answers_like_its_teacher_loses_nothing() -> None:
    kept = likeliest(TEACHER, 5)
    assert likeliest_loss(TEACHER.log_softmax(-1), kept, 2.0).abs().max() < 1e-4


def test_a_sure_teacher_leaves_finite_gradients() -> None:
    sure = torch.zeros(1, 2, 20)
    sure[..., 3] = 200.0
    logits = sure.clone().requires_grad_()
    TokenLoss(weight=0.5)(logits, torch.tensor([[3, 3]]), likeliest(sure, 2)).sum().backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_a_distillation_without_a_teacher_is_our_mistake() -> None:
    with pytest.raises(AssertionError, match="needs the teacher's likeliest tokens"):
        TokenLoss(weight=0.5)(LOGITS, TARGETS, None)


def test_sums_and_scores_of_rows() -> None:
    texts = ["Über", "a cat"]
    tokenizer, size = byte_vocabulary(texts, 300)
    encoder = BytePairs.of("text", tokenizer)
    arrays = encoder.batch(encoder.rows({"text": texts}))
    targets = torch.from_numpy(encoder.targets(arrays))
    logits = torch.zeros(*targets.shape, size)
    sums = token_sums(logits, Batch({}, targets, None), encoder)
    assert sums[:, 2].tolist() == [5, 5]
    assert sums[:, 0].tolist() == pytest.approx((sums[:, 1] * math.log(size)).tolist(), rel=1e-5)
    scores = token_scores(sums.numpy(), np.zeros(2))
    assert scores["valid/perplexity"] == pytest.approx(size, rel=1e-4)
    bits = float(sums[:, 1].sum()) * math.log2(size) / 10
    assert scores["valid/bits_saved"] == pytest.approx(8 - bits, rel=1e-4)


@pytest.mark.filterwarnings("error")
def test_the_perplexity_of_a_training_that_ran_away_is_infinite() -> None:
    scores = token_scores(np.array([[7200.0, 10.0, 20.0]], dtype=np.float32), np.zeros(1))
    assert scores["valid/loss"] == 720
    assert scores["valid/perplexity"] == math.inf
