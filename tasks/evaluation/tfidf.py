"""The floor for text: TF-IDF and logistic regression."""

from collections.abc import Sequence

import numpy as np
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge

from tasks.artifacts import DatasetRef, Task
from tasks.data.snapshot import Rows
from tasks.estimators.features import fitted_terms, tfidf_encoder
from tasks.evaluation.fitted import Baseline
from tasks.packaging.predictor.text import texts_of

MOST_TERMS = 50_000
_NAMES: dict[Task, str] = {"classification": "tfidf-logreg", "regression": "tfidf-ridge"}


def fit_tfidf(rows: Rows, dataset: DatasetRef) -> Baseline:
    """Words and pairs of words by TF-IDF, and a multinomial logistic regression."""
    vectorizer, model = fit_sklearn(rows, dataset.inputs, dataset.task)
    # With two classes scikit-learn keeps one column, the log odds of the second.
    weights_CV = torch.tensor(np.atleast_2d(model.coef_))
    bias_C = torch.tensor(np.atleast_1d(model.intercept_))
    if len(bias_C) < dataset.num_outputs:
        weights_CV = torch.cat([torch.zeros_like(weights_CV), weights_CV])
        bias_C = torch.cat([torch.zeros_like(bias_C), bias_C])
    encoder, files = tfidf_encoder(dataset.inputs, vectorizer)
    return Baseline(
        name=_NAMES[dataset.task],
        family="weighted_bag",
        config={"num_classes": len(bias_C), "terms": len(vectorizer.vocabulary_)},
        encoder=encoder,
        encoder_files=files,
        weights={"table.weight": weights_CV.T.float(), "bias": bias_C.float()},
    )


def fit_sklearn(
    rows: Rows, columns: Sequence[str], task: Task = "classification"
) -> tuple[TfidfVectorizer, LogisticRegression | Ridge]:
    """The two estimators that the baseline is made of."""
    texts = texts_of(rows.columns, columns)
    vectorizer = fitted_terms(texts, MOST_TERMS)
    # saga reaches the solution of lbfgs (C=3: 0.731) in 0.3 s instead of 2.7.
    model: LogisticRegression | Ridge = Ridge(alpha=1.0)
    if task == "classification":
        model = LogisticRegression(C=3.0, solver="saga", tol=1e-3, max_iter=500, random_state=0)
    features = vectorizer.transform(texts)
    model.fit(features, rows.labels, sample_weight=rows.weights)
    return vectorizer, model
