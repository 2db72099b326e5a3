"""Further seeds are asked for of those that have a control."""

from flows.cli.run import thoroughly
from flows.project import Project
from flows.thorough import by_further_seeds
from tasks.training.architectures import NgramBag
from tasks.training.sklearn_architecture import SklearnEstimator

PROJECT = Project.model_validate(
    {"name": "demo", "data": {"source": "rows.csv", "target": "label"}}
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


def test_a_thorough_run_has_three_seeds_or_those_of_the_file() -> None:
    assert PROJECT.evaluate.seeds == 1
    assert thoroughly(PROJECT).evaluate.seeds == 3
    five = PROJECT.model_copy(update={"evaluate": PROJECT.evaluate.model_copy(update={"seeds": 5})})
    assert thoroughly(five).evaluate.seeds == 5
