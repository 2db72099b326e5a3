"""What a project file may say of a table's columns."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Scaling = Literal["standard", "min_max", "robust", "unit_norm"]


class TableConfig(BaseModel):
    """How the columns of a table are learned from."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    scaling: Scaling = "standard"
    """Of all numbers: standard scores, the training rows' range as 0 to 1 (`min_max`), the median
    as 0 and the interquartile range as 1 (`robust`), or each row's numbers as a vector of length 1
    (`unit_norm`). Booleans and moments are standard scores always."""
    column_scaling: dict[str, Scaling] = {}
    """Of single columns of numbers."""

    leaks: Literal["drop", "warn", "refuse"] = "drop"
    """What becomes of a column that alone predicts the target: left out with a warning, unless
    `inputs` names it; only the warning; or no training."""

    def scaling_of(self, types: dict[str, str]) -> dict[str, str]:
        """The scaling of each column of numbers that is not the standard one.

        Raises ValueError for a column that is no input, or does not hold numbers.
        """
        for name in self.column_scaling:
            if types.get(name) != "number":
                found = f"a column of type {types[name]}" if name in types else "no input"
                numbers = [each for each, type_ in types.items() if type_ == "number"]
                raise ValueError(
                    f"data.table.column_scaling {name!r} is {found}, one of these numbers was "
                    f"expected: {', '.join(numbers) or 'there are none'}"
                )
        named = {name: self.scaling for name, type_ in types.items() if type_ == "number"}
        return {n: s for n, s in {**named, **self.column_scaling}.items() if s != "standard"}
