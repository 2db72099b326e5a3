"""What a project file says of rows in which a user meets an item."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator


class InteractionsConfig(BaseModel):
    """Which columns hold the two who meet; all other inputs say more of one of them."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    user: str
    """The column that names users: words or numbers, taken for names."""
    item: str
    """The column that names items."""
    rating: str | None = None
    """Of task ranking: the column that says how much the item was liked; left out, each row is."""
    at_least: float | None = None
    """Of task ranking: rows of a lower rating are no events."""
    top: Annotated[int, Field(ge=1, le=100)] = 10
    """Of task ranking: so many items are answered, and judged."""

    @model_validator(mode="after")
    def _are_two(self) -> "InteractionsConfig":
        if self.user == self.item:
            raise ValueError(f"user and item are both {self.user!r}, two columns are needed")
        if (self.rating is None) != (self.at_least is None):
            raise ValueError("rating and at_least say together what an event is, one is missing")
        return self

    @property
    def types(self) -> dict[str, str]:
        """The types of the two columns."""
        return {self.user: "user", self.item: "item"}


def check_interactions(
    config: InteractionsConfig | None, task: str, target: str, inputs: tuple[str, ...]
) -> None:
    """Raise ValueError unless the rest of a project's data fits rows of this kind."""
    if config is None:
        raise ValueError(
            "data.kind interactions needs data.interactions: {user: COLUMN, item: COLUMN}"
        )
    if task == "regression":
        _check_rating(config, target, inputs)
    elif task == "ranking":
        _check_ranking(config, target, inputs)
    else:
        raise ValueError(
            f"data.task {task}: kind interactions predicts a rating (regression) or items (ranking)"
        )


def _check_rating(config: InteractionsConfig, target: str, inputs: tuple[str, ...]) -> None:
    if target in config.types:
        raise ValueError(f"data.target {target!r} is the {config.types[target]}, not a rating")
    if config.rating is not None or config.top != InteractionsConfig.model_fields["top"].default:
        raise ValueError("data.interactions: rating, at_least and top are for task ranking")
    missing = [name for name in config.types if inputs and name not in inputs]
    if missing:
        raise ValueError(
            f"data.inputs {', '.join(inputs)} must hold the {config.types[missing[0]]} "
            f"{missing[0]!r}"
        )


def _check_ranking(config: InteractionsConfig, target: str, inputs: tuple[str, ...]) -> None:
    if target != config.item:
        raise ValueError(
            f"data.target {target!r} must be the item {config.item!r}, which task ranking foresees"
        )
    if inputs and config.user not in inputs:
        raise ValueError(f"data.inputs {', '.join(inputs)} must hold the user {config.user!r}")
    if config.rating in inputs:
        raise ValueError(
            f"data.inputs {config.rating!r} is known only after the event: not an input"
        )
