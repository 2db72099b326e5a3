"""Columns that tell the target alone, where the target is rare, too."""

import numpy as np

from tasks.data.leaks import SAMPLE, alone, leaking

ROWS = 6 * SAMPLE


def test_a_leak_is_found_where_one_class_is_rare() -> None:
    random = np.random.default_rng(7)
    is_fraud = np.zeros(ROWS, dtype=bool)
    is_fraud[random.choice(ROWS, 90, replace=False)] = True
    amounts = random.lognormal(3, 1, ROWS)
    columns = {"chargeback": np.where(is_fraud, amounts, 0).tolist(), "amount": amounts.tolist()}
    labels = np.where(is_fraud, "yes", "no").tolist()
    scores = alone(columns, {"chargeback": "number", "amount": "number"}, labels)
    assert set(leaking(scores)) == {"chargeback"}
    assert 0.3 < scores["amount"] < 0.7, "which is chance"


def test_a_class_of_too_few_rows_hides_no_leak_of_the_others() -> None:
    labels = [*(["a", "b"] * 200), *["c"] * 3]
    columns = {"told": [{"a": 1.0, "b": 2.0, "c": 3.0}[label] for label in labels]}
    assert alone(columns, {"told": "number"}, labels) == {"told": 1.0}


def test_too_few_rows_tell_nothing() -> None:
    assert alone({"x": [1.0, 2.0, 3.0]}, {"x": "number"}, ["a", "b", "a"]) == {}
    assert alone({"x": [1.0, 2.0, 3.0]}, {"x": "number"}, [1.0, 2.0, 3.0]) == {}
