"""What a project file says about an estimator of scikit-learn: its name and its parameters.

Importing this loads neither torch nor scikit-learn; a project that names an estimator does.
"""

import difflib
import importlib
import inspect
from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from tasks.artifacts import Task
from tasks.training.config import Name

MODULES = (
    "calibration",
    "discriminant_analysis",
    "ensemble",
    "gaussian_process",
    "kernel_ridge",
    "linear_model",
    "naive_bayes",
    "neighbors",
    "neural_network",
    "semi_supervised",
    "svm",
    "tree",
)
"""Of scikit-learn: a project file names what these hold, and nothing else can be imported by it."""
WITH_OTHERS = ("SelfTrainingClassifier",)
"""Made around another estimator, though its signature does not say so."""
OURS = {"random_state": "seed", "n_jobs": "compute.workers"}
"""Parameters that follow from fields of the project."""
Scalar = bool | int | float | str | None
KINDS = {"classification": "classifier", "regression": "regressor"}
"""What scikit-learn calls the estimators of a task."""


class SklearnEstimator(BaseModel):
    """Any classifier or regressor of scikit-learn, over the features of the kind's baseline."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    kinds: ClassVar[tuple[str, ...]] = ("table", "text", "image", "series", "audio")
    tasks: ClassVar[tuple[Task, ...]] = ("classification", "regression")
    row_ms: ClassVar[float] = 0.3
    row_ms_in_all: ClassVar[float] = 0.3
    epochs: ClassVar[int] = 1
    is_taught: ClassVar[bool] = False

    model: Literal["sklearn"] = "sklearn"
    name: Name = "teacher"
    """Of a student; each has its own."""
    estimator: str
    """Module and class inside `sklearn`: `ensemble.RandomForestClassifier`."""
    params: dict[str, Scalar | list[Scalar]] = {}
    """Arguments of its constructor; `random_state` is `seed`, `n_jobs` follows `compute`."""
    terms: Annotated[int, Field(ge=10, le=50_000)] | None = None
    """Of text: the most frequent words and pairs of words that it reads by TF-IDF; null: 5,000."""
    max_rows: PositiveInt | None = None
    """Fit on this many rows, drawn by class."""
    seed: int = 7

    @model_validator(mode="after")
    def _can_be_made(self) -> "SklearnEstimator":
        unfitted(self)
        return self


class SklearnTeacher(SklearnEstimator):
    """Any classifier or regressor of scikit-learn, whose answers students learn from."""

    folds: Annotated[int, Field(ge=1, le=20)] = 3
    """A row is answered for the students by a fit of the other folds, which has not seen it; 1: by
    the only fit, which may know it by heart."""


def unfitted(config: SklearnEstimator, jobs: int = 1) -> Any:
    """The estimator, not yet fitted, with `jobs` threads where it has a say in that.

    Raises ValueError when the name, a parameter or its value is not scikit-learn's.
    """
    kind = _class_of(config.estimator)
    known = inspect.signature(kind).parameters
    for name in config.params:
        if name in OURS:
            raise ValueError(f"params.{name} follows from {OURS[name]}: leave it out")
        if name not in known:
            allowed = [each for each in known if each not in OURS]
            raise ValueError(
                f"params.{name} is no parameter of {config.estimator}{_nearest(name, allowed)} "
                f"allowed: {', '.join(allowed)}"
            )
    given = {"random_state": config.seed, "n_jobs": jobs}
    try:
        made = kind(**config.params, **{name: given[name] for name in given if name in known})
        made._validate_params()
    except (TypeError, ValueError) as error:
        raise ValueError(f"params of {config.estimator}: {' '.join(str(error).split())}") from error
    return made


def check_task(config: SklearnEstimator, kind: str, task: str) -> None:
    """ValueError when the estimator does not do the task, or the kind of data has no `terms`."""
    if config.terms is not None and kind != "text":
        raise ValueError(f"terms {config.terms} of {config.name}: data.kind {kind} has no terms")
    made = unfitted(config)
    wanted, found = KINDS.get(task), _kind_of(made)
    if wanted != found:
        hint = _nearest(config.estimator, estimators(wanted)).rstrip(";") if wanted else ""
        raise ValueError(
            f"estimator {config.estimator} of {config.name} is a {found}; task {task} needs "
            f"{f'a {wanted}' if wanted else 'another model'}{hint}"
        )
    if found == "classifier" and not hasattr(made, "predict_proba"):
        raise ValueError(
            f"estimator {config.estimator} of {config.name} gives no probabilities as it is set up"
        )


def estimators(wanted: str | None = None) -> list[str]:
    """The names that a project file may hold; of classifiers or regressors only, where wanted."""
    return [
        f"{module}.{name}"
        for module in MODULES
        for name, kind in inspect.getmembers(_module(module), inspect.isclass)
        if _is_estimator(kind, module) and (wanted is None or _suits(kind, wanted))
    ]


def _class_of(estimator: str) -> Any:
    module, _, name = estimator.removeprefix("sklearn.").rpartition(".")
    if module in MODULES:
        kind = getattr(_module(module), name, None)
        if inspect.isclass(kind) and _is_estimator(kind, module):
            return kind
    raise ValueError(
        f"estimator {estimator!r} is no classifier or regressor of scikit-learn"
        f"{_nearest(estimator, estimators())} allowed are the classes of {', '.join(MODULES)}"
    )


def _is_estimator(kind: Any, module: str) -> bool:
    """Whether it is the module's own and can be made from plain values."""
    own = kind.__module__.startswith(f"sklearn.{module}") and not kind.__name__.startswith("_")
    return own and (_suits(kind, "classifier") or _suits(kind, "regressor")) and _stands_alone(kind)


def _stands_alone(kind: Any) -> bool:
    """Whether no other estimator must be given: VotingClassifier, say, is made of some."""
    parameters = inspect.signature(kind).parameters.values()
    required = [each for each in parameters if each.default is inspect.Parameter.empty]
    return not required and not inspect.isabstract(kind) and kind.__name__ not in WITH_OTHERS


def _suits(kind: Any, wanted: str) -> bool:
    mixins = importlib.import_module("sklearn.base")
    mixin = {"classifier": mixins.ClassifierMixin, "regressor": mixins.RegressorMixin}[wanted]
    return issubclass(kind, mixin)


def _kind_of(made: Any) -> str:
    return "classifier" if _suits(type(made), "classifier") else "regressor"


def _module(name: str) -> Any:
    return importlib.import_module(f"sklearn.{name}")


def _nearest(name: str, names: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(names), n=1)
    return f", did you mean {close[0]}?" if close else ";"
