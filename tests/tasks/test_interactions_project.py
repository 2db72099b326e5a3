"""Ratings from a project's words to a predictor; what is planted is found, strangers are told."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tasks.artifacts import DatasetRef
from tasks.compression.distil_config import DistilConfig
from tasks.data.config import DataConfig
from tasks.data.snapshot import split_rows
from tasks.evaluation.baseline import save_baseline
from tasks.evaluation.regression import number_figures
from tasks.evaluation.scoring import score_file
from tasks.packaging.bundle import bundle_bytes
from tasks.packaging.predictor import Predictor
from tasks.training.architectures import StudentConfig
from tasks.training.interaction_architectures import (
    MatrixFactorisation,
    NeuralCollaborativeFiltering,
    TwoTower,
)
from tasks.training.recipes import Lesson, student_job
from tests.in_process import exported, quantized, site_of, snapshot, taught

USERS, ITEMS, NOISE = 150, 60, 0.3
Data = tuple[Path, DatasetRef]
CONFIGS: list[StudentConfig] = [
    MatrixFactorisation(name="factors", epochs=30, width=8, weight_decay=0.3, lr=0.01),
    NeuralCollaborativeFiltering(name="neural", epochs=25, weight_decay=0.3, lr=0.01),
    TwoTower(name="towers", epochs=15, weight_decay=0.1, lr=0.01),
]


def planted(folder: Path) -> None:
    """Ratings of rank two beyond the biases; the first item is loved, the second hated."""
    random = np.random.default_rng(0)
    kind, answer = random.normal(0, 0.5, USERS), random.normal(0, 0.5, ITEMS)
    answer[:2] = 2.0, -2.0
    tastes, traits = random.normal(0, 0.8, (USERS, 2)), random.normal(0, 0.8, (ITEMS, 2))
    traits[:2] = 0
    whole = 3 + kind[:, None] + answer + tastes @ traits.T
    with (folder / "rows.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["who", "what", "mood", "length", "stars", "at"])
        for user in range(USERS):
            for item in random.permutation(ITEMS)[:40]:
                stars = whole[user, item] + random.normal(0, NOISE)
                at = int(random.integers(0, 1000))
                writer.writerow([f"u{user}", f"i{item}", at % 3, item % 7, round(stars, 3), at])


@pytest.fixture(scope="module")
def ratings(tmp_path_factory: pytest.TempPathFactory) -> Data:
    """The snapshot of the planted ratings, split by time for each user."""
    folder = tmp_path_factory.mktemp("ratings")
    planted(folder)
    config = DataConfig.model_validate(
        {
            "source": "rows.csv",
            "kind": "interactions",
            "interactions": {"user": "who", "item": "what"},
            "inputs": ["who", "what", "mood", "length"],
            "columns": {"mood": "category"},
            "target": "stars",
            "task": "regression",
            "split": {"time": "at", "valid": 0.1, "test": 0.2},
        }
    )
    return folder / "data", snapshot(config, folder, folder / "data", "ratings")


def trained(
    ratings: Data, config: StudentConfig, folder: Path, lesson: Lesson | None = None
) -> Path:
    torch.set_num_threads(1)
    return taught(student_job(config, lesson, site_of(*ratings)), folder)


def rmse(ratings: Data, predictor: Predictor) -> float:
    rows = split_rows(ratings[0], ratings[1], "test")
    return number_figures(predictor.probabilities(rows.columns), rows.labels, ())[0]["rmse"]


@pytest.fixture(scope="module")
def floor(ratings: Data, tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """The bundle of the damped biases."""
    folder = tmp_path_factory.mktemp("floor")
    name, _, _ = save_baseline(*ratings, folder / "model")
    assert name == "biases"
    return exported(*ratings, folder / "model", folder / "bundle")


@pytest.fixture(scope="module", params=CONFIGS, ids=lambda config: config.model)
def learned(
    request: pytest.FixtureRequest, ratings: Data, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Predictor]:
    """A bundle of each network and its predictor."""
    folder = tmp_path_factory.mktemp("learned")
    model = trained(ratings, request.param, folder / "model")
    return folder / "bundle", exported(*ratings, model, folder / "bundle")


def test_a_network_finds_the_taste_that_biases_miss(
    ratings: Data, floor: Predictor, learned: tuple[Path, Predictor]
) -> None:
    ours, theirs = rmse(ratings, learned[1]), rmse(ratings, floor)
    assert ours < 0.75 * theirs, f"{ours:.3f} against {theirs:.3f} of the biases"
    assert ours > NOISE


def asked(predictor: Predictor, who: list[str | None], what: list[str | None]) -> np.ndarray:
    others: dict[str, list[Any]] = {"mood": ["1"] * len(who), "length": [3] * len(who)}
    rows: dict[str, list[Any]] = {"who": who, "what": what, **others}
    return predictor.probabilities(rows)[:, 0]


def check_strangers(ratings: Data, predictor: Predictor) -> None:
    """A stranger is told what all think of an item; of a new item a user's own mean is said."""
    training = split_rows(ratings[0], ratings[1], "train")
    stranger = asked(predictor, ["nobody we know"] * 3 + [None], ["i0", "i1", "i9", "i0"])
    assert stranger[0] > stranger[2] + 1 > stranger[1] + 1.5, "loved, usual, hated"
    assert stranger[3] == stranger[0]
    who = np.array(training.columns["who"])
    by_user = {user: float(training.labels[who == user].mean()) for user in np.unique(who)[:8]}
    new = asked(predictor, list(by_user), ["never seen"] * len(by_user))
    assert np.corrcoef(new, list(by_user.values()))[0, 1] > 0.7
    both = float(asked(predictor, [None], [None])[0])
    assert abs(both - training.labels.mean()) < 0.6


def test_networks_answer_strangers_sensibly(ratings: Data, learned: tuple[Path, Predictor]) -> None:
    check_strangers(ratings, learned[1])


def test_the_floor_answers_strangers_sensibly(ratings: Data, floor: Predictor) -> None:
    check_strangers(ratings, floor)


def test_int8_is_smaller_and_says_nearly_the_same(
    ratings: Data, learned: tuple[Path, Predictor], tmp_path: Path
) -> None:
    bundle, predictor = learned
    quantized(ratings, bundle, tmp_path / "int8")
    assert bundle_bytes(tmp_path / "int8") < bundle_bytes(bundle)
    assert rmse(ratings, Predictor.load(tmp_path / "int8")) < 1.1 * rmse(ratings, predictor)


def test_a_student_listens_to_a_teacher(ratings: Data, floor: Predictor, tmp_path: Path) -> None:
    mean, deviation = ratings[1].scale or (0.0, 1.0)
    said = floor.probabilities(split_rows(*ratings, "train").columns)
    logits = ((said - mean) / deviation).astype(np.float32)
    lesson = Lesson(DistilConfig(weight=1.0), logits)
    rows = split_rows(*ratings, "valid").columns
    students = [
        exported(*ratings, trained(ratings, CONFIGS[0], tmp_path / name, with_it), tmp_path / out)
        for name, with_it, out in (("a", lesson, "b"), ("c", None, "d"))
    ]
    near, far = (
        float(np.abs(student.probabilities(rows) - floor.probabilities(rows)).mean())
        for student in students
    )
    assert near < 0.2 < far


def test_a_file_is_scored(learned: tuple[Path, Predictor], tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("who,what,mood,length\nu1,i0,1,3\nstranger,i1,,\n")
    assert score_file(learned[0], tmp_path / "in.csv", tmp_path / "out.csv") == 2
    rows = list(csv.DictReader((tmp_path / "out.csv").open()))
    assert float(rows[0]["prediction"]) > float(rows[1]["prediction"]) + 1
