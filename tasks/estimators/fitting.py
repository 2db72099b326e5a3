"""One fit: an estimator, its ONNX form, and the answers that it is compared with and teaches by."""

import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import softmax
from sklearn.base import clone, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter
from threadpoolctl import threadpool_limits

from tasks.artifacts import DatasetRef
from tasks.estimators.features import (
    PART_ROWS,
    Features,
    Matrix,
    features_graph,
    features_of,
    matrix_of,
)
from tasks.estimators.graph import (
    LOGITS,
    ROW,
    NoGraph,
    estimator_graph,
    joined,
    logits_of,
    num_numbers,
)
from tasks.packaging.export import MOST_DIFFERENCE
from tasks.training.examples import stratified_rows
from tasks.training.job import Rows
from tasks.training.sklearn_architecture import SklearnEstimator, SklearnTeacher, unfitted

Logits = NDArray[np.float32]
EXAMPLES = 64
"""Rows that the graph of the features is traced with."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answered:
    """Rows as the estimator reads them, and its answers."""

    rows: Matrix
    logits: Logits


@dataclass(frozen=True, kw_only=True, slots=True)
class FittedEstimator:
    """What a fit leaves; nothing of it is pickled to be kept."""

    features: Features
    graph: onnx.ModelProto | None
    """From the encoder's tensors to logits, ONNX; None where there is no such form."""
    why: str
    """Why there is no graph."""
    params: int
    valid: Logits
    """scikit-learn's own answers to the validation rows, [N, C]."""
    lesson: Logits | None
    """What a teacher says of the training rows, [N, C]."""


def fit_estimator(
    config: SklearnEstimator, dataset: DatasetRef, train: Rows, valid: Rows, threads: int
) -> FittedEstimator:
    """Fit on the training rows, or on the share of each class that `max_rows` allows.

    Raises ValueError in scikit-learn's words when the estimator cannot learn these rows.
    """
    chosen = stratified_rows(train.labels, config.max_rows, config.seed)
    features = features_of(dataset, train.take(chosen).columns, config.terms)
    estimator = unfitted(config, threads)
    rows, asked = (_readable(estimator, matrix_of(features, r.columns)) for r in (train, valid))
    with threadpool_limits(limits=threads), warnings.catch_warnings():
        # A limit that the project file sets; and scikit-learn's plans for its own next version.
        for category in (ConvergenceWarning, FutureWarning):
            warnings.simplefilter("ignore", category)
        fitted = _fit(estimator, rows, train, chosen, config)
        answered = Answered(asked, logits_by(fitted, asked, dataset.num_outputs))
        lesson = None
        if isinstance(config, SklearnTeacher):
            lesson = lesson_of(fitted, rows, train, chosen, config, dataset)
            _check_finite(lesson, config)
    graph, why = _exported(fitted, answered)
    examples = valid.take(np.arange(min(EXAMPLES, len(valid)))).columns
    return FittedEstimator(
        features=features,
        graph=joined(features_graph(features, examples), graph) if graph else None,
        why=why,
        params=num_numbers(graph) if graph else 0,
        valid=answered.logits,
        lesson=lesson,
    )


def logits_by(fitted: Any, rows: Matrix, count: int) -> Logits:
    """scikit-learn's answers [N, C] as log probabilities; of a regression standard scores."""
    if is_classifier(fitted):
        return logits_of(fitted.predict_proba(rows), fitted.classes_, count)
    return np.asarray(fitted.predict(rows), dtype=np.float32).reshape(-1, 1)


def lesson_of(
    fitted: Any,
    rows: Matrix,
    train: Rows,
    chosen: NDArray[np.int64],
    config: SklearnTeacher,
    dataset: DatasetRef,
) -> Logits:
    """What the teacher says of each training row, by a fit that has not seen it.

    A forest knows its own rows by heart: its answers to them are the labels once more, and there is
    nothing to learn from them (out-of-fold answers, as in stacking: Wolpert 1992).
    """
    lesson = logits_by(fitted, rows, dataset.num_outputs)
    if config.folds == 1:
        return lesson
    kind = StratifiedKFold if is_classifier(fitted) else KFold
    folds = kind(config.folds, shuffle=True, random_state=config.seed)
    for others, own in folds.split(chosen, train.labels[chosen]):
        log.info("%s: a fit on %d rows answers %d others", config.name, len(others), len(own))
        other = _fit(clone(fitted), rows, train, chosen[others], config)
        lesson[chosen[own]] = logits_by(other, rows[chosen[own]], dataset.num_outputs)
    return lesson


def _fit(
    estimator: Any, rows: Matrix, train: Rows, chosen: NDArray[np.int64], config: SklearnEstimator
) -> Any:
    """Fitted on the chosen rows, each as heavy as the project says."""
    heavy = {}
    if train.weights is not None:
        if not has_fit_parameter(estimator, "sample_weight"):
            raise ValueError(
                f"{config.estimator} of {config.name} takes no weights: data.weight and "
                "data.class_weights need an estimator that does"
            )
        heavy = {"sample_weight": train.weights[chosen]}
    try:
        return estimator.fit(rows[chosen], train.labels[chosen], **heavy)
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{config.estimator} of {config.name}: {reason}") from error


def _check_finite(lesson: Logits, config: SklearnEstimator) -> None:
    lost = int((~np.isfinite(lesson)).any(axis=1).sum())
    if lost:
        raise ValueError(
            f"{config.estimator} of {config.name}: no answer to {lost} of {len(lesson)} training "
            "rows; its params do not suit them"
        )


def _readable(estimator: Any, rows: Matrix) -> Matrix:
    """The rows in a form that the estimator takes: not all of them take sparse ones."""
    if sparse.issparse(rows) and not get_tags(estimator).input_tags.sparse:
        return rows.toarray()
    return rows


def _exported(fitted: Any, answered: Answered) -> tuple[onnx.ModelProto | None, str]:
    """The estimator's graph, which answers as it does; else None, and why."""
    try:
        made = estimator_graph(fitted, answered.rows.shape[1], answered.logits.shape[1])
        _check_graph(made.SerializeToString(), answered, is_classifier(fitted))
    except NoGraph as error:
        return None, str(error)
    return made, ""


def _check_graph(graph: bytes, answered: Answered, are_classes: bool) -> None:
    """Raises NoGraph when the graph cannot be run, or answers otherwise than scikit-learn."""
    try:
        session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
        found = np.concatenate(
            [session.run([LOGITS], {ROW: part})[0] for part in _parts(answered.rows)]
        )
    except Exception as error:  # its own types are made at run time
        raise NoGraph(f"its ONNX form cannot be run ({type(error).__name__})") from error
    pair = [softmax(each, axis=1) if are_classes else each for each in (found, answered.logits)]
    difference = float(np.abs(pair[0] - pair[1]).max())
    if not difference <= MOST_DIFFERENCE:
        raise NoGraph(
            f"its ONNX form differs from scikit-learn by {difference:.2g}, "
            f"at most {MOST_DIFFERENCE:g} is allowed"
        )


def _parts(rows: Matrix) -> Iterator[NDArray[np.float32]]:
    for start in range(0, rows.shape[0], PART_ROWS):
        part = rows[start : start + PART_ROWS]
        yield part.toarray() if sparse.issparse(part) else part
