"""What a project file says of rows in which a user meets an item."""

from pydantic import BaseModel, ConfigDict, model_validator


class InteractionsConfig(BaseModel):
    """Which columns hold the two who meet; all other inputs say more of one of them."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    user: str
    """The column that names users: words or numbers, taken for names."""
    item: str
    """The column that names items."""

    @model_validator(mode="after")
    def _are_two(self) -> "InteractionsConfig":
        if self.user == self.item:
            raise ValueError(f"user and item are both {self.user!r}, two columns are needed")
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
    if task != "regression":
        raise ValueError(f"data.task {task}: kind interactions predicts ratings, by regression")
    if target in config.types:
        raise ValueError(f"data.target {target!r} is the {config.types[target]}, not a rating")
    missing = [name for name in config.types if inputs and name not in inputs]
    if missing:
        raise ValueError(
            f"data.inputs {', '.join(inputs)} must hold the {config.types[missing[0]]} "
            f"{missing[0]!r}"
        )
