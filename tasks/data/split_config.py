"""What a project file says about how rows are divided."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator


def _share_or_file(value: float | str) -> float | str:
    if isinstance(value, str) and not value.strip():
        raise ValueError("'' must be a share between 0 and 0.5, or a file of these rows")
    if isinstance(value, float) and not 0 < value < 0.5:
        raise ValueError(f"{value:g} must be a share between 0 and 0.5, or a file of these rows")
    return value


ShareOrFile = Annotated[float | str, AfterValidator(_share_or_file)]


class SplitConfig(BaseModel):
    """How rows are divided. Rows of one group never stand on two sides."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    valid: ShareOrFile = 0.1
    """Rows that choose (early stopping, sweep, selection): a share, or a file of their own."""
    test: ShareOrFile = 0.2
    """Rows that prove, looked at once: the holdout. A share, or a file of their own."""
    column: str | None = None
    """A column that says `train`, `valid` or `test`; without `valid`, that share is drawn."""
    time: str | None = None
    """A column of numbers, dates or times: the newest rows are the holdout, older ones valid.
    Of interactions, each user's own newest rows."""
    group_by: str | None = "near_duplicate"
    """`near_duplicate`, a column whose equal values stay together, or null."""
    stratify: bool = False
    """Each class is divided by exactly these shares, as far as groups allow. Rows that are added
    may then move others to another side, into the holdout or out of it; without, each row stays."""
    seed: int = 7

    @model_validator(mode="after")
    def _leaves_rows_to_train(self) -> "SplitConfig":
        if sum(share for share in (self.valid, self.test) if isinstance(share, float)) > 0.6:
            raise ValueError(f"valid {self.valid} + test {self.test} must leave 0.4 to train on")
        return self

    @model_validator(mode="after")
    def _is_given_one_way(self) -> "SplitConfig":
        ways = {"column": self.column, "time": self.time, "a file of its own": self.files}
        named = [way for way, value in ways.items() if value]
        if len(named) > 1:
            raise ValueError(f"{' and '.join(named)} both say where rows go, one is allowed")
        if self.time and self.group_by not in (None, "near_duplicate"):
            raise ValueError(
                f"time {self.time!r} and group_by {self.group_by!r} cannot both hold, one is "
                "allowed"
            )
        if self.time and self.stratify:
            raise ValueError(
                f"time {self.time!r} and stratify cannot both hold: the newest rows are the "
                "holdout, whatever their class"
            )
        return self

    @property
    def files(self) -> dict[str, str]:
        """The files of those splits, valid and test, that have one."""
        shares = {"valid": self.valid, "test": self.test}
        return {name: file for name, file in shares.items() if isinstance(file, str)}

    @property
    def is_given(self) -> bool:
        """Whether more than chance decides where a row goes."""
        return bool(self.files or self.column or self.time)
