"""Columns that alone predict the target: most are known only when the target is.

Of a sample of the rows each half is predicted from the other by one column: numbers by a decision
tree, categories by what their rows came to.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.data.arrow_column import taken
from tasks.data.columns import codes_of
from tasks.data.digests import times_before
from tasks.data.table import Ids
from tasks.packaging.predictor.table import category_of, numbers_of

LEAK = 0.99
"""AUC, mean recall or R2 from which a column leaks. The best honest column of scikit-learn's
breast cancer has 0.97."""
SAMPLE = 10_000
LEAST_ROWS = 20
"""Of each class, or in all: fewer are predicted by chance."""
LEAF = 5
PRIOR = 1.0
"""Rows of the mean mix that each category starts with."""
Answers = NDArray[np.float64]


def alone(
    columns: Mapping[str, Sequence[Any]], types: Mapping[str, str], labels: Sequence[Any]
) -> dict[str, float]:
    """What each column says alone of labels (names of classes, or numbers) that it has not seen.

    Of two classes the AUC, of more the mean recall, of numbers R2. Empty for too few rows; columns
    of free text, and classes of too few rows, are passed over.
    """
    random = np.random.default_rng(0)
    rows = _sampled(labels, random)
    answers = _answers([labels[row] for row in rows])
    if answers is None:
        return {}
    is_fit = random.permutation(len(rows)) % 2 == 0
    return {
        name: round(_score(list(taken(columns[name], rows)), type_, answers, is_fit), 4)
        for name, type_ in types.items()
        if type_ != "text"
    }


def _sampled(labels: Sequence[Any], random: np.random.Generator) -> Ids:
    """Rows of the sample: of each class as many, so that a rare one is there at all."""
    shuffled = random.permutation(len(labels))
    if not isinstance(labels[0], str):
        return np.sort(shuffled[:SAMPLE])
    codes = codes_of(labels)[0][shuffled]
    counts = np.bincount(codes)
    is_chosen = times_before(codes) < SAMPLE // np.count_nonzero(counts)
    return np.sort(shuffled[is_chosen & (counts[codes] >= LEAST_ROWS)])


def leaking(scores: Mapping[str, float]) -> dict[str, float]:
    """Those that leak."""
    return {name: score for name, score in scores.items() if score >= LEAK}


def _answers(labels: Sequence[Any]) -> Answers | None:
    """A column for each class, 1 where it is, or the numbers; None for too few rows."""
    if not labels:
        return None
    if not isinstance(labels[0], str):
        numbers = np.asarray(labels, dtype=np.float64)[:, None]
        return numbers if len(labels) >= LEAST_ROWS and numbers.std() > 0 else None
    classes, codes = np.unique(np.asarray(labels), return_inverse=True)
    if len(classes) < 2 or np.bincount(codes).min() < LEAST_ROWS:
        return None
    return np.eye(len(classes))[codes]


def _score(values: Sequence[Any], type_: str, answers: Answers, is_fit: Any) -> float:
    features = _features(values, type_)
    predict = _by_category if type_ == "category" else _by_tree
    scores = []
    for fit in (is_fit, ~is_fit):
        found = predict(features[fit], answers[fit], features[~fit])
        scores.append(_quality(answers[~fit], found))
    return float(np.mean(scores))


def _features(values: Sequence[Any], type_: str) -> NDArray[Any]:
    """[rows, 1] category numbers, or [rows, K] numbers."""
    if type_ == "category":
        number: dict[Any, int] = {}
        return np.array([[number.setdefault(category_of(v), len(number))] for v in values])
    return np.stack(list(numbers_of("", type_, values).values()), axis=1)


def _by_tree(fit: NDArray[Any], answers: Answers, unseen: NDArray[Any]) -> Answers:
    # Here, for half a second that every command would pay.
    from sklearn.tree import DecisionTreeRegressor

    tree = DecisionTreeRegressor(min_samples_leaf=LEAF, random_state=0).fit(fit, answers)
    return np.asarray(tree.predict(unseen), dtype=np.float64).reshape(len(unseen), -1)


def _by_category(fit: NDArray[Any], answers: Answers, unseen: NDArray[Any]) -> Answers:
    size = int(max(fit.max(), unseen.max())) + 1
    sums = np.full((size, answers.shape[1]), PRIOR) * answers.mean(axis=0)
    np.add.at(sums, fit[:, 0], answers)
    counts = PRIOR + np.bincount(fit[:, 0], minlength=size)
    shares: Answers = (sums / counts[:, None])[unseen[:, 0]]
    return shares


def _quality(truth: Answers, found: Answers) -> float:
    from sklearn.metrics import balanced_accuracy_score, r2_score, roc_auc_score

    if truth.shape[1] == 1:
        return float(r2_score(truth, found))
    if truth.shape[1] == 2:
        return float(roc_auc_score(truth[:, 1], found[:, 1]))
    return float(balanced_accuracy_score(truth.argmax(axis=1), found.argmax(axis=1)))
