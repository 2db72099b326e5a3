"""What a project file says about its data."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class SplitConfig(BaseModel):
    """How rows are divided. Rows of one group never stand on two sides."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    valid: Annotated[float, Field(gt=0, lt=0.5)] = 0.1
    """Share of the rows that choose: early stopping, sweep, selection."""
    test: Annotated[float, Field(gt=0, lt=0.5)] = 0.2
    """Share of the rows that prove, looked at once: the holdout."""
    group_by: str | None = "near_duplicate"
    """`near_duplicate`, a column whose equal values stay together, or null."""
    seed: int = 7

    @model_validator(mode="after")
    def _leaves_rows_to_train(self) -> "SplitConfig":
        if self.valid + self.test > 0.6:
            raise ValueError(f"valid {self.valid} + test {self.test} must leave 0.4 to train on")
        return self


class DataConfig(BaseModel):
    """Where labelled rows come from and what they mean."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    source: str
    """CSV, JSON Lines or Parquet: a path (from the project file) or `package://NAME/FILE`."""
    target: str
    """The column to predict."""
    above: float | None = None
    """Of a target that is a number: its classes are `above` this and `not above`."""
    kind: Literal["text", "table"] = "text"
    inputs: tuple[str, ...] = ()
    """Columns to predict from; left out, the free text, or all columns of a table that help."""
    columns: dict[str, Literal["number", "boolean", "moment", "category"]] = {}
    """Types of a table's columns, where the cells do not tell: a code made of digits, say."""
    encoding: str = "utf-8"
    """Of a CSV or JSON Lines file: utf-8, latin-1, cp1252, utf-16, ..."""
    max_rows: Annotated[int, Field(ge=50)] | None = None
    """Read the whole file, keep this many rows, drawn by class with the split's seed."""
    split: SplitConfig = SplitConfig()
