"""Further seeds are asked for of those that have a control."""

from flows.cli.run import thoroughly
from flows.project import Project
from flows.thorough import by_further_seeds, names_by_seed, repeated
from tasks.artifacts import DatasetRef, TeacherOutputs, TrainedModel
from tasks.step import PLAN
from tasks.training.architectures import NgramBag
from tasks.training.sklearn_architecture import SklearnEstimator

PROJECT = Project.model_validate(
    {"name": "demo", "data": {"source": "rows.csv", "target": "label"}}
)
DATASET = DatasetRef(
    name="demo",
    uri="",
    sha256="",
    source_sha256="",
    kind="text",
    inputs=("text",),
    target="label",
    classes=("a", "b"),
    rows={"train": 9, "valid": 9, "test": 9},
)


def test_each_seed_has_a_name_and_all_else_is_alike() -> None:
    student = NgramBag(name="bag", seed=7, width=16)
    found = by_further_seeds(student, 3)
    assert [(each.name, each.seed) for each in found] == [("bag-seed-8", 8), ("bag-seed-9", 9)]
    assert {each.model_dump_json(exclude={"name", "seed"}) for each in found} == {
        student.model_dump_json(exclude={"name", "seed"})
    }


def test_one_seed_and_what_is_not_taught_have_no_further_ones() -> None:
    assert by_further_seeds(NgramBag(name="bag"), 1) == []
    tree = SklearnEstimator(name="tree", estimator="tree.DecisionTreeClassifier")
    assert by_further_seeds(tree, 3) == []


def test_what_is_pruned_recovers_by_further_seeds_beside_its_control() -> None:
    sections = {
        "students": [{"name": "bag", "model": "ngram_bag"}],
        "compress": {"prune": [{"layers": 0.5}, {"of": "bag", "neurons": 0.5, "name": "thin"}]},
    }
    values = PROJECT.model_dump(include={"name"}) | {"data": {"source": "a.csv", "target": "y"}}
    project = thoroughly(Project.model_validate(values | sections))
    assert names_by_seed(project) == [
        ["bag", "bag-seed-8", "bag-seed-9"],
        ["teacher-pruned", "teacher-pruned-seed-8", "teacher-pruned-seed-9"],
        ["thin", "thin-seed-8", "thin-seed-9"],
    ]
    about = {"parent": None, "uri": "", "sha256": "", "params": 1}
    models = [TrainedModel(name=name, role=name, **about) for name in ("teacher", "student")]
    models[1] = models[1].model_copy(update={"name": "bag"})
    asked: list[str] = []

    def answer(step: str, key: str) -> TrainedModel:
        asked.append(step)
        return models[0]

    token = PLAN.set(answer)
    try:
        outputs = TeacherOutputs(uri="", sha256="", teacher_sha256=("a",))
        repeated(project, models, outputs, DATASET)
        alone = PROJECT.model_copy(update={"students": project.students})
        assert repeated(alone, models, outputs, DATASET) == []
    finally:
        PLAN.reset(token)
    assert asked == ["train_student"] * 4 + ["prune_model"] * 8


def test_a_thorough_run_has_three_seeds_or_those_of_the_file() -> None:
    assert PROJECT.evaluate.seeds == 1
    assert thoroughly(PROJECT).evaluate.seeds == 3
    five = PROJECT.model_copy(update={"evaluate": PROJECT.evaluate.model_copy(update={"seeds": 5})})
    assert thoroughly(five).evaluate.seeds == 5
