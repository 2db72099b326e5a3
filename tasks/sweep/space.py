"""What a sweep varies: fields of the project by dotted name, each with its values."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    PositiveFloat,
    model_validator,
)


def as_choice(value: Any) -> Any:
    """The value as one among others: a list as its JSON, because Optuna keeps no lists."""
    return json.dumps(value, separators=(",", ":")) if isinstance(value, list | tuple) else value


def as_setting(value: Any) -> Any:
    """The value as a project has it: a text in brackets is a list."""
    is_list = isinstance(value, str) and value.startswith("[")
    return json.loads(value) if is_list else value


Scalar = bool | int | FiniteFloat | str | None
Choice = Annotated[Scalar, BeforeValidator(as_choice, json_schema_input_type=Scalar | list[Scalar])]
Values = Mapping[str, Any]
"""Value of each dimension that a trial has, by dotted name."""


class Dimension(BaseModel):
    """The values of one field; exactly one of `log`, `linear`, `integer` and `choice`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    log: tuple[PositiveFloat, PositiveFloat] | None = None
    """Lowest and highest, drawn evenly by their logarithm."""
    linear: tuple[FiniteFloat, FiniteFloat] | None = None
    """Lowest and highest, drawn evenly."""
    integer: tuple[int, int] | None = None
    """Lowest and highest, both included."""
    choice: Annotated[tuple[Choice, ...], Field(min_length=1)] | None = None
    """Each of these; of a field that is a list, lists."""
    when: dict[str, tuple[Choice, ...]] = {}
    """Other dimensions, and the values of theirs for which this one is there at all; they stand
    before it."""

    @model_validator(mode="after")
    def _is_one_of_its_kinds(self) -> "Dimension":
        given = [name for name in ("log", "linear", "integer", "choice") if getattr(self, name)]
        if len(given) != 1:
            raise ValueError(
                f"{' and '.join(given) or 'none'} given: exactly one of log, linear, integer, "
                "choice is needed"
            )
        ends = self.log or self.linear or self.integer
        if ends and ends[0] >= ends[1]:
            raise ValueError(f"{given[0]}: lowest {ends[0]} must be below the highest {ends[1]}")
        return self

    @property
    def corners(self) -> tuple[Choice, ...]:
        """The values that must be allowed, for all to be: every choice, or both ends."""
        return self.choice or self.log or self.linear or self.integer or ()

    def grid(self, points: int) -> list[Choice]:
        """At most `points` values, evenly over the interval, both ends included; every choice."""
        if self.choice:
            return list(self.choice)
        if self.integer:
            low, high = self.integer
            count = min(points, high - low + 1)
            return [low + round((high - low) * i / max(1, count - 1)) for i in range(count)]
        ends = self.log or self.linear
        assert ends is not None, "the validator has seen to it"
        shares = [index / (points - 1) for index in range(1, points - 1)]
        if self.log:
            inner = [ends[0] * (ends[1] / ends[0]) ** share for share in shares]
        else:
            inner = [ends[0] + (ends[1] - ends[0]) * share for share in shares]
        return [ends[0], *inner, ends[1]]


Space = dict[str, Dimension]


def applies(dimension: Dimension, values: Values) -> bool:
    """Whether the dimension is there, beside the values of those before it."""
    return all(
        name in values and values[name] in allowed for name, allowed in dimension.when.items()
    )


def combinations(space: Space, points: int) -> list[dict[str, Any]]:
    """Every combination of the values of a grid, without those of dimensions that do not apply."""
    found: list[dict[str, Any]] = [{}]
    for name, dimension in space.items():
        values = dimension.grid(points)
        found = [
            one
            for each in found
            for one in (
                [{**each, name: value} for value in values] if applies(dimension, each) else [each]
            )
        ]
    return found


def corners(space: Space) -> list[dict[str, Any]]:
    """Settings with each choice and both ends of every dimension, beside the first of the others;
    or beside those for which the dimension is there."""
    found: list[dict[str, Any]] = []
    for name, dimension in space.items():
        for value in dimension.corners:
            wanted = {name: value}
            for other in reversed(space):  # conditions stand before what they are of
                if other in wanted:
                    first = {each: allowed[0] for each, allowed in space[other].when.items()}
                    wanted = first | wanted
            one: dict[str, Any] = {}
            for other, each in space.items():
                if applies(each, one):
                    one[other] = wanted.get(other, each.corners[0])
            if one not in found:
                found.append(one)
    return found


def check_conditions(space: Space) -> None:
    """Raise `ValueError` for a condition on what is no dimension before it, or never true."""
    before: list[str] = []
    for name, dimension in space.items():
        for other, allowed in dimension.when.items():
            if other not in before:
                raise ValueError(
                    f"{name}: when {other}: must be a dimension that stands before it: "
                    f"{', '.join(before) or 'none does'}"
                )
            choices = space[other].choice
            strange = [value for value in allowed if choices and value not in choices]
            if strange:
                raise ValueError(
                    f"{name}: when {other}: {strange[0]!r} is none of its choices: "
                    f"{', '.join(map(str, choices or ()))}"
                )
        before.append(name)


def settings_with(settings: Any, values: Values) -> Any:
    """A copy of nested dicts and lists, with the value of each dotted name put in its place.

    Raises `ValueError` when there is no such place.
    """
    for name, value in values.items():
        settings = _put(settings, name.split("."), as_setting(value), name)
    return settings


def _put(part: Any, path: list[str], value: Any, name: str) -> Any:
    head, *rest = path
    if isinstance(part, list):
        if not head.isdecimal() or int(head) >= len(part):
            raise ValueError(f"{name}: {head} must be a place of 0 to {len(part) - 1}")
        index = int(head)
        new = _put(part[index], rest, value, name) if rest else value
        return [*part[:index], new, *part[index + 1 :]]
    if not isinstance(part, dict | None):
        raise ValueError(f"{name}: there are no fields in {part!r}")
    part = part or {}
    return {**part, head: _put(part.get(head), rest, value, name) if rest else value}
