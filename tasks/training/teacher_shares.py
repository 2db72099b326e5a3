"""How much each of several teachers has to say.

Shapes: K teachers, N rows, C answers.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls
from scipy.special import softmax

MOST_NUMBERS = 4_000_000
"""Of all teachers' answers that are looked at; of more rows some, spread evenly."""
HEAVY = 1e4
"""Weight of the condition that shares add up to one, against all rows together."""


def shares_by_quality(
    said_KNC: Sequence[NDArray[np.float32]], labels_N: NDArray[Any]
) -> tuple[float, ...]:
    """Shares of one whole, [K], whose mean of answers is nearest to the labels.

    Nearest in squares: of numbers, or of probabilities to a whole one for the label's class
    (stacking: Breiman 1996, "Stacked regressions", with shares that add up to one). Logits are of
    rows that no teacher was trained on; labels are classes, or standard scores.
    """
    rows = np.arange(len(labels_N))
    count = len(said_KNC) * said_KNC[0].shape[1]
    if len(rows) * count > MOST_NUMBERS:
        most = max(1, MOST_NUMBERS // count)
        rows = np.linspace(0, len(rows) - 1, most).round().astype(np.int64)
    if said_KNC[0].shape[1] == 1:
        answers = [said[rows, 0] for said in said_KNC]
        truth = labels_N[rows].astype(np.float64)
    else:
        answers = [softmax(said[rows].astype(np.float64), axis=1).ravel() for said in said_KNC]
        truth = (labels_N[rows, None] == np.arange(said_KNC[0].shape[1])).astype(np.float64).ravel()
    return _shares(np.stack(answers, axis=1, dtype=np.float64), truth)


def _shares(answers_MK: NDArray[np.float64], truth_M: NDArray[np.float64]) -> tuple[float, ...]:
    """Least squares among shares: the condition is a row so heavy that it holds."""
    heavy = HEAVY * max(1.0, float(np.linalg.norm(answers_MK)))
    found, _ = nnls(
        np.vstack([answers_MK, np.full(answers_MK.shape[1], heavy)]), np.append(truth_M, heavy)
    )
    return tuple((found / found.sum()).tolist())
