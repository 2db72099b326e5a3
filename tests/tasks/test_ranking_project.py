"""Items for users, from a project's words to a predictor: taste is found, strangers too."""

import csv
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from tasks.artifacts import DatasetRef
from tasks.compression.distil_config import DistilConfig
from tasks.data.config import DataConfig
from tasks.data.dataset import reference_of, write_dataset
from tasks.data.prepare import prepare_rows
from tasks.data.report import data_report
from tasks.data.snapshot import split_rows
from tasks.evaluation.baseline import save_baseline
from tasks.evaluation.recommended import item_figures, items_of, truth_of
from tasks.evaluation.scoring import score_file
from tasks.packaging.bundle import bundle_bytes
from tasks.packaging.export import torch_logits
from tasks.packaging.predictor import Predictor
from tasks.training.architectures import StudentConfig
from tasks.training.config import ComputeConfig
from tasks.training.interaction_architectures import MatrixFactorisation, TwoTower
from tasks.training.model_folder import load_model
from tasks.training.recipes import Lesson, Site, in_memory, student_job
from tests.in_process import exported, quantized, site_of, taught

USERS, ITEMS, GENRES, EVENTS, TOP = 120, 80, 4, 24, 5
Data = tuple[Path, DatasetRef]
CONFIGS: list[StudentConfig] = [
    MatrixFactorisation(name="factors", epochs=15, lr=0.03, weight_decay=0.3, hidden=0.1),
    TwoTower(name="towers", epochs=10, lr=0.01, weight_decay=0.3, hidden=0.1),
]


def planted(folder: Path) -> None:
    """Each user loves a fourth of the items, and among those the first ones most."""
    random = np.random.default_rng(0)
    popular = 1 / (np.arange(ITEMS) // GENRES + 2.0)
    with (folder / "rows.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["who", "what", "age", "stars", "at"])
        for user in range(USERS):
            loved = np.arange(ITEMS) % GENRES == user % GENRES
            chances = popular * np.where(loved, 1.0, 0.03)
            met = random.choice(ITEMS, EVENTS, replace=False, p=chances / chances.sum())
            for at, item in enumerate(random.permutation(met)):
                stars = 5 if loved[item] else 4
                writer.writerow([f"u{user}", f"i{item:02}", 20 + user % GENRES, stars, at])
            writer.writerow([f"u{user}", f"i{ITEMS - 1}", 20, 1, 0])  # hated, and so no event


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Data:
    """The snapshot of the planted events, split by time for each user."""
    folder = tmp_path_factory.mktemp("events")
    planted(folder)
    named = {"user": "who", "item": "what", "rating": "stars", "at_least": 4, "top": TOP}
    config = DataConfig.model_validate(
        {
            "source": "rows.csv",
            "kind": "interactions",
            "interactions": named,
            "inputs": ["who", "age"],
            "target": "what",
            "task": "ranking",
            "split": {"time": "at", "valid": 0.1, "test": 0.2},
        }
    )
    prepared = prepare_rows(config, folder)
    assert prepared.rows.dropped["rated lower than an event"] == USERS
    report = data_report(prepared)
    assert report["leakage"] == {"groups_in_two_splits": 0, "inputs_in_two_splits": 0}
    assert report["splits"]["test"]["items"] > 20
    data = folder / "data"
    data.mkdir()
    return data, reference_of(prepared, "events", write_dataset(prepared, data))


def trained(
    events: Data, config: StudentConfig, folder: Path, lesson: Lesson | None = None
) -> Path:
    torch.set_num_threads(1)
    return taught(student_job(config, lesson, site_of(*events)), folder)


def ndcg(events: Data, predictor: Predictor) -> float:
    rows = split_rows(events[0], events[1], "test")
    found = predictor.probabilities(rows.columns)
    assert found.shape == (len(rows), 2 * TOP)
    return item_figures(found, truth_of(rows, events[1]), events[1].classes)[0]["ndcg"]


@pytest.fixture(scope="module")
def floor(events: Data, tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """The bundle of what is popular."""
    folder = tmp_path_factory.mktemp("floor")
    name, _, params = save_baseline(*events, folder / "model")
    assert (name, params) == ("popularity", len(events[1].classes))
    return exported(*events, folder / "model", folder / "bundle")


@pytest.fixture(scope="module", params=CONFIGS, ids=lambda config: config.model)
def learned(
    request: pytest.FixtureRequest, events: Data, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Predictor]:
    """A bundle of each network and its predictor."""
    folder = tmp_path_factory.mktemp("learned")
    model = trained(events, request.param, folder / "model")
    return folder / "bundle", exported(*events, model, folder / "bundle")


def test_taste_beats_popularity(
    events: Data, floor: Predictor, learned: tuple[Path, Predictor]
) -> None:
    assert ndcg(events, learned[1]) > 1.3 * ndcg(events, floor)


def test_nobody_is_told_what_he_met(
    events: Data, floor: Predictor, learned: tuple[Path, Predictor]
) -> None:
    rows = split_rows(events[0], events[1], "train")
    met = {name: set[int]() for name in rows.columns["who"]}
    for name, item in zip(rows.columns["who"], rows.labels.tolist(), strict=True):
        met[name].add(item)
    asked = {"who": list(met), "age": [21] * len(met)}
    for predictor in (floor, learned[1]):
        for name, items in zip(met, items_of(predictor.probabilities(asked)), strict=True):
            assert not met[name] & set(items.tolist())


def test_strangers_are_told_what_is_popular(
    events: Data, floor: Predictor, learned: tuple[Path, Predictor]
) -> None:
    counts = np.bincount(split_rows(*events, "train").labels, minlength=len(events[1].classes))
    stranger = {"who": ["a stranger", None], "age": [None, None]}
    usual = items_of(floor.probabilities(stranger))
    assert counts[usual[0]].tolist() == sorted(counts, reverse=True)[:TOP]
    found = items_of(learned[1].probabilities(stranger))
    assert found[0].tolist() == found[1].tolist()
    assert counts[found[0]].mean() > 1.3 * counts.mean()
    for name in ("item_1", "item_5"):
        assert learned[1].answer(stranger)[name][0] in events[1].classes


def test_int8_is_smaller_and_nearly_as_good(
    events: Data, learned: tuple[Path, Predictor], tmp_path: Path
) -> None:
    bundle, predictor = learned
    quantized(events, bundle, tmp_path / "int8")
    assert bundle_bytes(tmp_path / "int8") < bundle_bytes(bundle)
    assert ndcg(events, Predictor.load(tmp_path / "int8")) > 0.9 * ndcg(events, predictor)


def test_a_student_listens_to_a_teacher(events: Data, tmp_path: Path) -> None:
    """A teacher who loves one item, which training met once a user at most."""
    rows, items = events[1].rows["train"], len(events[1].classes)
    logits = np.zeros((rows, items), np.float32)
    logits[:, 7] = 5.0
    lesson = Lesson(DistilConfig(weight=0.9, temperature=1), logits)
    model, encoder, _ = load_model(trained(events, CONFIGS[0], tmp_path / "model", lesson))
    found = torch_logits(model, encoder, encoder.rows({"who": ["u1", "u2"]}))
    assert found.argmax(axis=1).tolist() == [7, 7]


def test_a_file_is_scored(events: Data, learned: tuple[Path, Predictor], tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("who,age\nu1,21\nstranger,\n")
    assert score_file(learned[0], tmp_path / "in.csv", tmp_path / "out.csv") == 2
    rows = list(csv.DictReader((tmp_path / "out.csv").open()))
    names = [f"{part}_{place}" for part in ("item", "score") for place in range(1, TOP + 1)]
    assert list(rows[0]) == ["who", "age", *names]
    loved = [int(rows[0][f"item_{place}"][1:]) % GENRES == 1 for place in range(1, TOP + 1)]
    assert sum(loved) >= 4
    scores = [float(rows[0][f"score_{place}"]) for place in range(1, TOP + 1)]
    assert scores == sorted(scores, reverse=True)
    assert 0 < scores[-1] < scores[0] < 1


def test_the_graph_answers_the_whole_catalogue(
    events: Data, learned: tuple[Path, Predictor]
) -> None:
    session = onnxruntime.InferenceSession(str(learned[0] / "model.onnx"))
    rows = load_model(learned[0].parent / "model")[1]
    batch = rows.batch(rows.rows({"who": ["u1", "u2", "u3"], "age": [20, 21, 22]}))
    assert session.run(None, batch)[0].shape == (3, len(events[1].classes))


def test_validation_rows_are_thinned_to_what_memory_holds(events: Data) -> None:
    site = Site(dataset=events[1], dataset_folder=events[0], compute=ComputeConfig())
    valid = site.rows("valid")
    assert in_memory(valid, 100) is valid
    few = in_memory(valid, 250_000)
    assert len(few) == 100
    assert few.columns["who"][0] == valid.columns["who"][0]
    assert few.columns["who"][-1] == valid.columns["who"][-1]
