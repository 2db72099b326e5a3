"""The floor for ratings: damped biases, as the normal equations have them."""

import numpy as np

from tasks.artifacts import DatasetRef
from tasks.data.snapshot import Rows
from tasks.evaluation.biases import DAMPING, fit_biases


def test_biases_solve_the_normal_equations() -> None:
    random = np.random.default_rng(0)
    users, items = random.integers(0, 6, 80), random.integers(0, 4, 80)
    ratings = random.normal(3, 1, 80) + users * 0.3
    columns = {"who": [f"u{u}" for u in users], "what": [f"i{i}" for i in items]}
    dataset = DatasetRef(
        name="toy", uri="", sha256="", source_sha256="", kind="interactions",
        inputs=("who", "what"), target="stars", types={"who": "user", "what": "item"},
        task="regression", classes=(), scale=(0.0, 1.0), rows={},
    )  # fmt: skip
    fitted = fit_biases(Rows(columns, ratings, np.arange(80)), dataset)
    design = np.zeros((80, 10))
    design[np.arange(80), users] = design[np.arange(80), 6 + items] = 1
    centred = design - design.mean(axis=0)
    right = centred.T @ (ratings - ratings.mean())
    expected = np.linalg.solve(centred.T @ centred + DAMPING * np.eye(10), right)
    found = [fitted.weights[f"{side}_bias.weight"].numpy()[:, 0] for side in ("user", "item")]
    np.testing.assert_allclose(np.concatenate([f[1:] for f in found]), expected, atol=1e-4)
    assert [f[0] for f in found] == [0, 0], "the unknown one is neither kind nor strict"
    mean = float(fitted.weights["mean"])
    np.testing.assert_allclose(mean, ratings.mean() - design.mean(0) @ expected, atol=1e-4)
