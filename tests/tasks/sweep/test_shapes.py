"""What a search for a smaller model tries, by what the file says of its student."""

import pytest

from tasks.sweep.shapes import shapes_of
from tasks.training.architectures import STUDENTS, MiniLM, Mlp, StudentConfig
from tasks.training.config import TrainConfig
from tasks.training.sklearn_architecture import SklearnEstimator


def choices(model: TrainConfig) -> dict[str, tuple[object, ...] | None]:
    space = shapes_of(model.model_dump(mode="json"), 1)
    return {name: dimension.choice for name, dimension in space.items()}


def test_sizes_are_tried_from_what_the_file_says_downwards() -> None:
    found = choices(MiniLM(name="s", layers=3, feed_forward=768, min_count=2))
    assert found["students.1.layers"] == (3, 2, 1)
    assert found["students.1.feed_forward"] == (768, 384, 192)
    assert found["students.1.min_count"] == (2, 4, 8)
    assert found["compress.quantize"] == ("int8", "int8-int4", "none")


def test_a_size_that_its_field_refuses_is_not_tried() -> None:
    assert choices(MiniLM(name="s", layers=1, feed_forward=32))["students.1.feed_forward"] == (
        32,
        16,
    )
    assert "students.1.feed_forward" not in choices(MiniLM(name="s", feed_forward=16))


def test_a_list_of_sizes_shrinks_as_a_whole() -> None:
    found = choices(Mlp(name="s", hidden=(12, 2)))
    assert found["students.1.hidden"] == ("[12,2]", "[6,1]"), "a quarter of 2 would be none"


@pytest.mark.parametrize("kind", STUDENTS)
def test_every_kind_has_a_space(kind: str) -> None:
    for student in STUDENTS[kind]:
        assert isinstance(student, TrainConfig)
        low, high = shapes_of(student.model_dump(mode="json"), 0)["students.0.lr"].log or (0, 0)
        assert low < student.first_lr < high


def test_tokens_of_a_language_model_stay_its_teacher_s() -> None:
    assert not any("vocab_size" in name for name in choices(STUDENTS["generation"][0]))


def test_what_is_not_trained_by_steps_has_no_shape() -> None:
    trees: StudentConfig = SklearnEstimator(name="trees", estimator="tree.DecisionTreeClassifier")
    with pytest.raises(ValueError, match="trees is not trained by steps"):
        shapes_of(trees.model_dump(mode="json"), 0)
