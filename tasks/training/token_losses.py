"""What a language model is taught by, and how it is scored: the token after each.

Shapes: B batch, T tokens, V vocabulary, K of the teacher's likeliest tokens, W numbers of a row.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from tasks.packaging.predictor.language import IGNORED
from tasks.training.examples import Batch

LIKELIEST = 8
"""Tokens of the teacher's answer that are kept at each place."""
MOST_TOGETHER = 1 - 1e-6
"""What those may have together, so that the logarithm of the rest is finite."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenLoss:
    """Cross entropy of each next token, mean over a row's tokens.

    `weight` of it is the divergence from the teacher, of whom the likeliest tokens are known: those
    and all others as one are K + 1 outcomes (arXiv:1503.02531, over a coarser alphabet). Where a
    row is longer than the teacher's answer, the tokens themselves are all that is learned from.
    """

    temperature: float = 1.0
    weight: float = 0.0
    smoothing: float = 0.0

    def __call__(self, logits_BTV: Tensor, targets_BT: Tensor, teacher_BW: Tensor | None) -> Tensor:
        """Loss of each row, [B]; padding counts for nothing."""
        here_BT = targets_BT != IGNORED
        log_BTV = functional.log_softmax(logits_BTV.float(), dim=-1)
        loss_BT = -log_BTV.gather(-1, targets_BT.clamp(min=0).unsqueeze(-1)).squeeze(-1)
        if self.smoothing:
            loss_BT = (1 - self.smoothing) * loss_BT - self.smoothing * log_BTV.mean(-1)
        if self.weight:
            assert teacher_BW is not None, "a distillation needs the teacher's likeliest tokens"
            soft_Bt = likeliest_loss(log_BTV, teacher_BW, self.temperature)
            taught = soft_Bt.shape[1]
            mixed_Bt = self.weight * soft_Bt + (1.0 - self.weight) * loss_BT[:, :taught]
            loss_BT = torch.cat([mixed_Bt, loss_BT[:, taught:]], dim=1)
        return (loss_BT * here_BT).sum(1) / here_BT.sum(1).clamp(min=1)


def likeliest_loss(log_BTV: Tensor, teacher_BW: Tensor, temperature: float) -> Tensor:
    """Divergence from the teacher's K + 1 outcomes to the student's, both softened.

    [B, t], of as many tokens as both have. Times the squared temperature, as the gradient of
    softened answers is smaller by that (arXiv:1503.02531).
    """
    pairs_Bt2K = teacher_BW.view(len(teacher_BW), -1, 2, LIKELIEST)[:, : log_BTV.shape[1]]
    ids_BtK, teacher_BtK = pairs_Bt2K[:, :, 0].long(), pairs_Bt2K[:, :, 1]
    student_BtK = log_BTV[:, : ids_BtK.shape[1]].gather(-1, ids_BtK)
    student_Btk = _with_rest(student_BtK) / temperature
    teacher_Btk = _with_rest(teacher_BtK) / temperature
    divergence_Btk = functional.kl_div(
        student_Btk.log_softmax(-1), teacher_Btk.log_softmax(-1), reduction="none", log_target=True
    )
    return divergence_Btk.sum(-1) * temperature**2


def likeliest(logits_BTV: Tensor, tokens: int) -> Tensor:
    """Ids and log probabilities of the likeliest tokens at each place, [B, tokens x 2 x K].

    Only the first `tokens` places are kept; what a shorter row has too few of is zero.
    """
    log_BTK, ids_BTK = functional.log_softmax(logits_BTV, dim=-1).topk(LIKELIEST)
    pairs_BT2K = torch.stack([ids_BTK.float(), log_BTK], dim=2)[:, :tokens]
    beyond = max(0, tokens - pairs_BT2K.shape[1])
    return functional.pad(pairs_BT2K, (0, 0, 0, 0, 0, beyond)).flatten(1)


def token_sums(logits_BTV: Tensor, batch: Batch, encoder: Any) -> Tensor:
    """Minus the log likelihood (nats), tokens and bytes of each row, [B, 3]."""
    targets_BT, here_BT = batch.labels, batch.labels != IGNORED
    loss_BT = functional.cross_entropy(
        logits_BTV.flatten(0, 1), targets_BT.flatten(), ignore_index=IGNORED, reduction="none"
    ).view_as(targets_BT)
    bytes_V = torch.as_tensor(encoder.bytes_V, device=targets_BT.device)
    bytes_B = (bytes_V[targets_BT.clamp(min=0)] * here_BT).sum(1)
    return torch.stack([loss_BT.sum(1), here_BT.sum(1).float(), bytes_B.float()], dim=1)


def token_scores(sums_N3: NDArray[np.float32], labels_N: NDArray[Any]) -> dict[str, float]:
    """Mean loss of a token, perplexity, and bits that a byte is told in less than its eight."""
    del labels_N
    nats, tokens, many_bytes = sums_N3.sum(axis=0, dtype=np.float64).tolist()
    with np.errstate(over="ignore"):  # beyond 709 nats it is infinite
        perplexity = float(np.exp(nats / tokens))
    return {
        "valid/loss": nats / tokens,
        "valid/perplexity": perplexity,
        "valid/bits_saved": 8 - nats / math.log(2) / max(1.0, many_bytes),
    }


def _with_rest(log_BTK: Tensor) -> Tensor:
    """Log probabilities of some tokens, and of all others together, [B, T, K + 1]."""
    together_BT = log_BTK.exp().sum(-1).clamp(max=MOST_TOGETHER)
    return torch.cat([log_BTK, torch.log1p(-together_BT).unsqueeze(-1)], dim=-1)
