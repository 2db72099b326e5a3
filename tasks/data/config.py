"""What a project file says about its data."""

import re
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from tasks.artifacts import Task
from tasks.data.audio_config import AudioConfig
from tasks.data.checks_config import ChecksConfig
from tasks.data.interactions_config import InteractionsConfig, check_interactions
from tasks.data.split_config import SplitConfig
from tasks.data.table_config import TableConfig

SQL = "sql://"
"""Scheme of a source that is the answer of a query."""
SQL_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")

FILE_SUFFIXES: dict[str, tuple[str, ...]] = {
    "image": (".png", ".jpg", ".jpeg"),
    "audio": (".wav", ".wave"),
}
"""Kinds whose rows are files, and how those end."""
PARTITIONED = ("text", "table", "series", "interactions")
"""Kinds whose source may be a folder of files of rows."""
WINDOW = re.compile(r"([1-9]\d{0,4})([dw])")


class ImageConfig(BaseModel):
    """The form in which pictures are kept and learned from."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    size: Annotated[int, Field(ge=8, le=512)] = 32
    """Pixels of a side; pictures are stretched to a square."""
    channels: Literal["auto", 1, 3] = "auto"
    """1 for grey, 3 for colour; `auto`: colour when one picture is."""


class SeriesConfig(BaseModel):
    """A table with a row for each step of a series; a row for each series needs none of this."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    id: str
    """The column that says which series a step belongs to."""
    time: str
    """The column that orders the steps: numbers, dates or times. A series has that of its last."""


class DataConfig(BaseModel):
    """Where labelled rows come from and what they mean."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    source: str
    """CSV, JSON Lines or Parquet: a path (from the project file) or `package://NAME/FILE`.

    Of plain text: a `.txt` or `.md` file (columns `text`, a paragraph, and `file`), or, for a
    generation, a folder of them.
    Of pictures: such a file with a column of paths (from its folder), a folder with a folder for
    each class (columns `path` and `label`), or `sklearn://digits` (columns `image` and `digit`).
    Of sounds: likewise, with WAV files.
    But of pictures and sounds also a folder of such files with the same columns, partitions:
    Hive's (`day=2026-11-24/part.parquet`, whose folders are columns too) or files by date.
    Of series: a `.ts` file (columns `channel_1`, ... and `label`), or columns of lists of numbers.
    """
    window: str | None = None
    """Only the newest rows: `90d` or `12w`, counted back from the newest row, by the dates in
    the partitions' paths or those of the column `time`."""
    time: str | None = None
    """A column of dates or times that `window` goes by; if not, `split.time` or `series.time`."""
    query: str | None = None
    """Of a source `sql://NAME`: the SELECT whose answer is the rows. The address of the database is
    a setting (MODELWORKS_SQL_<NAME>, or the file sql_<name> in the home's secrets)."""
    task: Task = "classification"
    """`regression` predicts the number that the target holds; `ranking` the items that a user of
    interactions meets next; `generation` learns to write the texts themselves, without a target."""
    target: Annotated[str, Field(validate_default=True)] = ""
    """The column to predict; required but for a generation."""
    passage: Annotated[int, Field(ge=50, le=1000)] = 500
    """Of a generation: a row of more characters is divided, at the end of a line or sentence."""
    above: float | None = None
    """Of a target that is a number: its classes are `above` this and `not above`."""
    weight: str | None = None
    """A column that says how much each row counts in training: 2 is the row twice, rows of 0 go."""
    class_weights: Literal["balanced"] | dict[str, PositiveFloat] | None = None
    """How much the rows of each class count in training (1 where not named); `balanced` gives
    every class the same in all."""
    kind: Literal["text", "table", "image", "audio", "series", "interactions"] = "text"
    inputs: tuple[str, ...] = ()
    """Columns to predict from; left out, the free text, or all columns of a table that help.
    Of interactions, the user and the item, of a ranking the user."""
    columns: dict[str, Literal["number", "boolean", "moment", "category", "text"]] = {}
    """Types of a table's columns, where the cells do not tell: a code made of digits, say."""
    beside: tuple[str, ...] = ()
    """Columns that are kept and never learned from, to divide the holdout by: those that
    `evaluate.slices` names and `inputs` does not stand here by themselves."""
    encoding: str = "utf-8"
    """Of a CSV or JSON Lines file: utf-8, latin-1, cp1252, utf-16, ..."""
    max_rows: Annotated[int, Field(ge=50)] | None = None
    """Read the whole file, keep this many rows, drawn by class with the split's seed."""
    image: ImageConfig = ImageConfig()
    """Of kind image alone."""
    table: TableConfig = TableConfig()
    """Of kind table alone."""
    audio: AudioConfig = AudioConfig()
    """Of kind audio alone."""
    series: SeriesConfig | None = None
    """Of kind series alone: the columns of a table with a row for each step."""
    interactions: InteractionsConfig | None = None
    """Of kind interactions alone: the columns of user and item."""
    max_corrupt: Annotated[float, Field(ge=0, le=1)] = 0.01
    """Share of files that may be unreadable; they are skipped and stand in the data report."""
    split: SplitConfig = SplitConfig()
    checks: ChecksConfig = ChecksConfig()
    """What must hold before anything is trained."""

    @field_validator("target")
    @classmethod
    def _is_named(cls, target: str, info: ValidationInfo) -> str:
        if not target and info.data.get("task", "generation") != "generation":
            raise PydanticCustomError("missing", "Field required")
        if target and info.data.get("task") == "generation":
            raise ValueError(f"{target!r}: task generation has no target, it learns the inputs")
        return target

    @property
    def window_days(self) -> int:
        """Days of the window."""
        found = WINDOW.fullmatch(self.window or "")
        assert found, "there is a window"
        return int(found[1]) * (7 if found[2] == "w" else 1)

    @property
    def time_column(self) -> str | None:
        """The column of times that the window goes by; None: by the partitions."""
        return self.time or self.split.time or (self.series.time if self.series else None)

    @property
    def is_partitioned(self) -> bool:
        """Whether a folder would be one of files of rows."""
        return self.kind in PARTITIONED and self.task != "generation"

    @property
    def may_be_folder(self) -> bool:
        """Whether the source may be a folder."""
        return self.kind in FILE_SUFFIXES or self.kind in PARTITIONED

    @field_validator("window")
    @classmethod
    def _is_days_or_weeks(cls, window: str | None) -> str | None:
        if window is not None and not WINDOW.fullmatch(window):
            raise ValueError(f"{window!r} must be days or weeks from 1, such as 90d or 12w")
        return window

    @model_validator(mode="after")
    def _has_a_window_to_use(self) -> "DataConfig":
        if self.window is None and self.time is not None:
            raise ValueError(f"time {self.time!r} is what a window goes by, and there is none")
        if self.window is not None and self.task == "generation":
            raise ValueError("window is for rows that have dates, task generation has none")
        if self.window is not None and self.kind not in PARTITIONED:
            raise ValueError(
                f"window is for kinds {', '.join(PARTITIONED)}, data.kind is {self.kind}"
            )
        return self

    @field_validator("source")
    @classmethod
    def _holds_no_password(cls, source: str) -> str:
        if not source.strip():
            raise ValueError(f"{source!r} must be a path, package://NAME/FILE or sql://NAME")
        if re.match(r"[A-Za-z0-9+]+://[^/]*@", source):
            scheme = source.partition("://")[0]
            raise ValueError(
                f"a {scheme}:// address with a user has no place in a project file: write "
                "sql://NAME, and the address into the setting MODELWORKS_SQL_<NAME>"
            )
        return source

    @model_validator(mode="after")
    def _asks_its_database(self) -> "DataConfig":
        if not self.source.startswith(SQL):
            if self.query is not None:
                raise ValueError(f"query is for a source sql://NAME, source is {self.source!r}")
            return self
        if not SQL_NAME.fullmatch(self.source.removeprefix(SQL)):
            raise ValueError(
                f"source {self.source!r} must be sql://NAME, of letters, digits and underscores"
            )
        if not re.match(r"\s*(select|with)\b", self.query or "", re.IGNORECASE):
            raise ValueError(f"query {self.query!r:.60} must be a SELECT, which {self.source} asks")
        if ";" in (self.query or "").strip().removesuffix(";"):
            raise ValueError("query holds a semicolon: one SELECT is allowed")
        return self

    @model_validator(mode="after")
    def _has_classes(self) -> "DataConfig":
        said = {
            f"above {self.above or 0:g} makes two classes": self.above is not None,
            "checks.labels are classes": bool(self.checks.labels),
            "class_weights are for classes": self.class_weights is not None,
            "split.stratify divides classes": self.split.stratify,
        }
        for words, is_said in said.items():
            if is_said and self.task != "classification":
                raise ValueError(f"{words}, task {self.task} has none")
        return self

    @model_validator(mode="after")
    def _asks_one_question(self) -> "DataConfig":
        if self.weight is not None and self.kind == "interactions":
            raise ValueError(
                f"weight {self.weight!r}: of kind interactions every event counts once"
            )
        if self.weight is not None and self.task == "generation":
            raise ValueError(f"weight {self.weight!r}: of task generation every text counts once")
        if self.task == "ranking" and self.kind != "interactions":
            raise ValueError(
                f"data.task ranking is for kind interactions, data.kind is {self.kind}"
            )
        if self.task == "ranking" and not self.split.is_given:
            raise ValueError(
                "data.task ranking needs data.split.time, the column that says what a user did last"
            )
        return self

    @model_validator(mode="after")
    def _generates_text(self) -> "DataConfig":
        if self.task != "generation":
            if self.passage != DataConfig.model_fields["passage"].default:
                raise ValueError(f"passage is for task generation, data.task is {self.task}")
            return self
        if self.kind != "text":
            raise ValueError(f"task generation learns kind text, data.kind is {self.kind}")
        if len(self.inputs) > 1:
            raise ValueError(
                f"inputs {', '.join(self.inputs)}: task generation learns one column of text"
            )
        return self

    @model_validator(mode="after")
    def _uses_what_is_set(self) -> "DataConfig":
        if self.kind != "image" and self.image != ImageConfig():
            raise ValueError(f"data.image is for kind image, data.kind is {self.kind}")
        if self.kind != "table" and self.table != TableConfig():
            raise ValueError(f"data.table is for kind table, data.kind is {self.kind}")
        if self.kind != "audio" and self.audio != AudioConfig():
            raise ValueError(f"data.audio is for kind audio, data.kind is {self.kind}")
        if self.kind != "series" and self.series:
            raise ValueError(f"data.series is for kind series, data.kind is {self.kind}")
        if self.series and self.series.id in self.inputs:
            raise ValueError(
                f"data.inputs {self.series.id!r} is data.series.id, which only says where a step "
                "belongs"
            )
        if self.kind != "interactions" and self.interactions:
            raise ValueError(
                f"data.interactions is for kind interactions, data.kind is {self.kind}"
            )
        return self

    @model_validator(mode="after")
    def _has_users_and_items(self) -> "DataConfig":
        if self.kind == "interactions":
            check_interactions(self.interactions, self.task, self.target, self.inputs)
            for name in self.interactions.types if self.interactions else {}:
                if name in self.columns:
                    raise ValueError(f"data.columns {name!r}: ids are names, they have no type")
        return self

    @property
    def usual_inputs(self) -> tuple[str, ...]:
        """What is predicted from, where the project names no inputs and they need no look."""
        if self.interactions is None:
            return ()
        types = self.interactions.types
        return tuple(name for name in types if name != self.target)

    @property
    def layout(self) -> dict[str, str]:
        """What a dataset says of how its rows are to be read, and how many answers are wanted."""
        if self.task == "ranking" and self.interactions:
            return {"top": str(self.interactions.top)}
        return self.series.model_dump() if self.series else {}

    @property
    def given_types(self) -> dict[str, str]:
        """Types of columns, as far as the project gives them."""
        return {**self.columns, **(self.interactions.types if self.interactions else {})}
