"""The steps that make a lesson of rows without labels, each put where the next one looks."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import tasks.fetched_lesson
import tasks.gather_rows
import tasks.label_rows
from flows.teacher import as_long
from tasks.artifacts import DatasetRef, TeacherOutputs, TrainedModel, Unlabelled
from tasks.compression.config import RecoverConfig
from tasks.compression.distil_config import DistilConfig
from tasks.data.config import DataConfig
from tasks.data.unlabelled import UnlabelledConfig
from tasks.estimators.answering import graph_answers
from tasks.estimators.fitting import fit_estimator
from tasks.estimators.folder import save_estimator
from tasks.fetched_lesson import fetched_lesson
from tasks.gather_rows import gather_rows, source_key
from tasks.label_rows import label_rows
from tasks.training.architectures import Mlp
from tasks.training.config import ComputeConfig
from tasks.training.sklearn_architecture import SklearnTeacher
from tests.in_process import site_of, snapshot

BUCKET = "s3://modelworks/"


class FolderStorage:
    """Storage's folders, in a folder."""

    bucket = "modelworks"

    def __init__(self, root: Path) -> None:
        self.root = root

    def upload_folder(self, folder: Path, prefix: str) -> str:
        shutil.copytree(folder, self.root / prefix, dirs_exist_ok=True)
        return f"{BUCKET}{prefix}/"

    def fetch_folder(self, uri: str) -> Path:
        return self.root / uri.removeprefix(BUCKET)


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DatasetRef:
    """Ages and cities in the folder that stands for the bucket, which all steps are given."""
    storage = FolderStorage(tmp_path / "bucket")
    for module in (tasks.gather_rows, tasks.label_rows, tasks.fetched_lesson):
        monkeypatch.setattr(module, "open_storage", lambda: storage)
    monkeypatch.setattr(tasks.label_rows, "connect", lambda: None)
    monkeypatch.chdir(tmp_path)
    lines = [f"{i % 50},{'Oslo' if i % 3 else 'Rome'},{'pn'[i * i % 5 > 1]}" for i in range(200)]
    Path("rows.csv").write_text("\n".join(["age,city,y", *lines]) + "\n")
    Path("more.csv").write_text("city,age\nBonn,3\nRome,\nLima,70\n")
    storage.root.mkdir()
    made = snapshot(SOURCE.model_copy(update={"source": "rows.csv"}), tmp_path, storage.root / "d")
    return made.model_copy(update={"uri": f"{BUCKET}d/"})


SOURCE = DataConfig(source="more.csv", kind="table", target="y")
BOTH = UnlabelledConfig(source=SOURCE, made_rows=2, seed=1)


def teacher_of(
    dataset: DatasetRef, folder: Path, estimator: str = "linear_model.LogisticRegression"
) -> TrainedModel:
    config = SklearnTeacher(estimator=estimator)
    site = site_of(folder / "d", dataset)
    fitted = fit_estimator(config, dataset, site.rows("train"), site.rows("valid"), 1)
    saved = save_estimator(folder / estimator, fitted, config, site)
    return TrainedModel(
        name="teacher",
        role="teacher",
        parent=None,
        uri=f"{BUCKET}{estimator}/",
        sha256=saved.digest,
        params=saved.params,
    )


def test_answers_to_rows_without_labels_follow_those_to_training_rows(
    dataset: DatasetRef, tmp_path: Path
) -> None:
    unlabelled = gather_rows.fn(BOTH, dataset)
    count = dataset.rows["train"]
    assert (unlabelled.found, unlabelled.made, unlabelled.rows) == (3, 2 * count, 3 + 2 * count)
    assert gather_rows.fn(BOTH, dataset) == unlabelled
    teacher = teacher_of(dataset, tmp_path / "bucket")
    outputs = label_rows.fn([teacher], ComputeConfig(), dataset, False, unlabelled, False)
    lesson = fetched_lesson((DistilConfig(), outputs), dataset)
    assert lesson is not None
    assert lesson.logits.shape == (3 * count + 3, 2)
    assert list(lesson.unlabelled["age"])[:3] == [3, None, 70]
    storage = tmp_path / "bucket"
    own = graph_answers(storage / "linear_model.LogisticRegression", lesson.unlabelled)
    np.testing.assert_array_equal(lesson.logits[count:], own)
    alone = label_rows.fn([teacher], ComputeConfig(), dataset, False, None, False)
    plain = fetched_lesson((DistilConfig(), alone), dataset)
    assert plain is not None
    np.testing.assert_array_equal(plain.logits, lesson.logits[:count])
    assert plain.unlabelled == {}


def test_teachers_have_shares_by_what_they_say_of_validation_rows(
    dataset: DatasetRef, tmp_path: Path
) -> None:
    bucket = tmp_path / "bucket"
    good = teacher_of(dataset, bucket, "tree.DecisionTreeClassifier")
    pair = [good, teacher_of(dataset, bucket), good]  # the remainder of an age is not linear in it
    outputs = label_rows.fn(pair, ComputeConfig(), dataset, False, None, True)
    assert outputs.teacher_uris == tuple(teacher.uri for teacher in pair)
    assert sum(outputs.shares) == pytest.approx(1)
    assert outputs.shares[1] < 0.3
    lesson = fetched_lesson((DistilConfig(teachers=3), outputs), dataset)
    assert lesson is not None
    assert lesson.shares == outputs.shares
    equal = label_rows.fn(pair, ComputeConfig(), dataset, False, None, False)
    assert equal.shares == ()
    assert equal.sha256 == outputs.sha256
    assert equal.identity != outputs.identity


def test_another_file_under_the_same_name_is_gathered_again(dataset: DatasetRef) -> None:
    before = source_key(BOTH, dataset)
    Path("more.csv").write_text("city,age\nOslo,4\n")
    assert source_key(BOTH, dataset) != before
    made_alone = UnlabelledConfig(made_rows=2)
    assert source_key(made_alone, dataset) == ""


def test_a_control_takes_as_many_steps_over_rows_that_have_labels(dataset: DatasetRef) -> None:
    count, student = dataset.rows["train"], Mlp(name="mlp", epochs=6)
    more = Unlabelled(uri="", sha256="", found=count // 2, made=count)
    outputs = TeacherOutputs(uri="", sha256="", teacher_sha256=(), unlabelled=more)
    assert as_long(student, outputs, dataset).epochs == 15
    assert as_long(RecoverConfig(epochs=2), outputs, dataset).epochs == 5
    alone = outputs.model_copy(update={"unlabelled": None})
    assert as_long(student, alone, dataset) is student
