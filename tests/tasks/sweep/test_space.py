"""What a sweep may vary, and what it refuses."""

import math

import pytest
from pydantic import ValidationError

from tasks.sweep.space import Dimension, Space, applies, check_conditions, corners, settings_with


def test_a_dimension_is_of_one_kind() -> None:
    with pytest.raises(ValidationError, match="none given: exactly one of log, linear"):
        Dimension()
    with pytest.raises(ValidationError, match="log and choice given: exactly one"):
        Dimension(log=(1e-3, 1), choice=(1,))


@pytest.mark.parametrize("kind", ["log", "linear", "integer"])
def test_an_interval_rises(kind: str) -> None:
    with pytest.raises(ValidationError, match=f"{kind}: lowest 3.* must be below the highest 2"):
        Dimension(**{kind: (3, 2)})


def test_a_logarithm_needs_positive_ends() -> None:
    with pytest.raises(ValidationError, match="greater than 0"):
        Dimension(log=(0, 1))


def test_a_grid_has_both_ends() -> None:
    assert Dimension(linear=(0, 1)).grid(3) == [0, 0.5, 1]
    assert Dimension(integer=(1, 3)).grid(8) == [1, 2, 3]
    assert Dimension(choice=("a", "b")).grid(2) == ["a", "b"]
    rates = Dimension(log=(1e-4, 1e-2)).grid(3)
    assert rates[0] == 1e-4
    assert rates[2] == 1e-2
    assert math.isclose(float(rates[1] or 0), 1e-3)


def test_a_condition_decides_whether_a_dimension_is_there() -> None:
    nesterov = Dimension(linear=(0, 1), when={"teacher.optimizer": ("sgd", "momentum")})
    assert applies(nesterov, {"teacher.optimizer": "sgd"})
    assert not applies(nesterov, {"teacher.optimizer": "adamw"})
    assert not applies(nesterov, {})


def test_conditions_are_about_what_stands_before() -> None:
    later = {
        "a.x": Dimension(linear=(0, 1), when={"a.kind": ("p",)}),
        "a.kind": Dimension(choice=("p",)),
    }
    with pytest.raises(ValueError, match=r"a.x: when a.kind: must be a dimension .* none does"):
        check_conditions(later)


def test_conditions_can_be_met() -> None:
    never = {
        "a.kind": Dimension(choice=("p", "q")),
        "a.x": Dimension(linear=(0, 1), when={"a.kind": ("r",)}),
    }
    with pytest.raises(ValueError, match="'r' is none of its choices: p, q"):
        check_conditions(never)


def test_values_are_put_in_their_place() -> None:
    settings = {"teacher": {"lr": 1, "augment": None}, "students": [{"width": 8}, {"width": 16}]}
    values = {"teacher.augment.shift": 0.1, "students.1.width": 32}
    assert settings_with(settings, values) == {
        "teacher": {"lr": 1, "augment": {"shift": 0.1}},
        "students": [{"width": 8}, {"width": 32}],
    }
    assert settings["students"] == [{"width": 8}, {"width": 16}]


def test_a_list_is_one_choice_among_others() -> None:
    widths = Dimension.model_validate({"choice": [[64, 32], [16], 8]})
    assert widths.choice == ("[64,32]", "[16]", 8), "Optuna keeps no lists"
    assert Dimension.model_validate(widths.model_dump(mode="json")) == widths
    put = [settings_with({"hidden": [1]}, {"hidden": value}) for value in widths.choice]
    assert put == [{"hidden": [64, 32]}, {"hidden": [16]}, {"hidden": 8}]
    there = Dimension.model_validate({"linear": [0, 1], "when": {"hidden": [[16], 8]}})
    assert [applies(there, {"hidden": value}) for value in widths.choice] == [False, True, True]


def test_a_place_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match=r"students.2.width: 2 must be a place of 0 to 0"):
        settings_with({"students": [{}]}, {"students.2.width": 1})
    with pytest.raises(ValueError, match=r"a.b.c: there are no fields in 3"):
        settings_with({"a": {"b": 3}}, {"a.b.c": 1})


def test_corners_have_each_choice_and_both_ends_once() -> None:
    space: Space = {
        "a.lr": Dimension(log=(0.1, 1)),
        "a.kind": Dimension(choice=("p", "q")),
        "a.way": Dimension(choice=(1, 2), when={"a.kind": ("q",)}),
        "a.x": Dimension(integer=(3, 5), when={"a.way": (2,)}),
    }
    p, q = {"a.lr": 0.1, "a.kind": "p"}, {"a.lr": 0.1, "a.kind": "q"}
    assert corners(space) == [
        p,
        {**p, "a.lr": 1},
        {**q, "a.way": 1},
        {**q, "a.way": 2, "a.x": 3},
        {**q, "a.way": 2, "a.x": 5},
    ]
