"""What a project file says about proof and approval."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from tasks.artifacts import Task
from tasks.evaluation.confusions import Metric

METRICS: dict[Task, tuple[Metric, ...]] = {
    "classification": ("macro_f1", "accuracy", "roc_auc"),
    "regression": ("r2",),
    "ranking": ("ndcg",),
    "generation": ("bits_saved",),
}
"""What may prove a task; the usual metric, which every comparison shows, first."""
USUAL_METRICS = tuple(names[0] for names in METRICS.values())


class GatePolicy(BaseModel):
    """When a candidate may replace the champion."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    metric: Metric = "macro_f1"
    """`roc_auc` takes two classes; of other tasks the usual: `r2` of a regression, `ndcg` of a
    ranking, `bits_saved` of a generation: eight less the bits in which a byte is told."""
    margin: Annotated[float, Field(ge=0, le=0.2)] = 0.01
    """How much quality a cheaper candidate may lose, at the confidence below."""
    when: Literal["better", "better_or_cheaper"] = "better_or_cheaper"
    confidence: Annotated[float, Field(ge=0.8, lt=1)] = 0.95
    resamples: PositiveInt = 2000
    seed: int = 7


class PromoteConfig(BaseModel):
    """Who must agree."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    approval: Literal["none", "one"] = "none"
