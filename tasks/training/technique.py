"""How a network is trained, whatever it is made of: what a project file may say of it."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, model_validator

OptimizerName = Literal[
    "adamw",
    "adam",
    "sgd",
    "momentum",
    "nesterov",
    "gradient_descent",
    "adagrad",
    "adadelta",
    "rmsprop",
    "lion",
    "muon",
    "schedule_free",
]
ScheduleName = Literal[
    "one_cycle",
    "constant",
    "step",
    "exponential",
    "cosine",
    "warm_restarts",
    "linear_warm_up",
    "plateau",
    "backtracking",
]
DECAYING: tuple[OptimizerName, ...] = ("adamw", "lion", "muon", "schedule_free")
"""Those that decay unless the project says otherwise."""
MOVING: tuple[OptimizerName, ...] = ("momentum", "nesterov")
"""Those that go on with a share of their last step."""
READ_BY: dict[str, tuple[str, tuple[str, ...]]] = {
    "momentum": ("optimizer", MOVING),
    "step_factor": ("schedule", ("step",)),
    "plateau_factor": ("schedule", ("plateau", "backtracking")),
    "ema_decay": ("averaging", ("ema",)),
}
"""Fields that matter by some values of another field alone, and which."""
ScoreName = Literal["macro_f1", "accuracy", "loss", "r2"]


class Technique(BaseModel):
    """Optimizer, schedule, regularisation, gradients, and which epoch is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    optimizer: OptimizerName = "adamw"
    """`gradient_descent` takes one step a pass, over all rows; `schedule_free` is AdamW whose rate
    climbs over `warm_up` and stays, and which averages its weights by itself."""
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Share of its last step that momentum and nesterov go on with."""
    schedule: ScheduleName = "one_cycle"
    """`plateau` lowers the rate when an epoch is no better; `backtracking` goes back to the best
    weights too when one is worse."""
    step_factor: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """What `step` makes of the rate after half, and after three quarters, of the training."""
    plateau_factor: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """What `plateau` and `backtracking` make of the rate."""
    warm_up: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Share of the steps that climb to the peak: one_cycle, linear_warm_up, schedule_free."""
    weight_decay: Annotated[float, Field(ge=0)] | None = None
    """Decoupled from the gradient; left out, 0.01 for adamw, lion, muon and schedule_free,
    else 0."""
    l1: Annotated[float, Field(ge=0)] = 0.0
    """Penalty on the sum of the matrices' absolute weights."""
    l2: Annotated[float, Field(ge=0)] = 0.0
    """Penalty on half the sum of the matrices' squared weights."""
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    averaging: Literal["none", "ema", "swa"] = "none"
    """Keep the exponential average of the steps' weights, or the mean of the later epochs'."""
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.999
    """Share of the exponential average that a step leaves; less in the first steps."""
    patience: PositiveInt | None = None
    """Stop after so many epochs that were no better."""
    clip_norm: PositiveFloat | None = 1.0
    """Longest gradient, over all parameters."""
    clip_value: PositiveFloat | None = None
    """Largest entry of a gradient."""
    accumulate: PositiveInt = 1
    """Parts that a batch is computed in, one after the other: less memory, the same step."""
    choose_by: ScoreName | Literal["auto"] = "auto"
    """The validation score whose best epoch is kept; auto: macro_f1, of numbers r2, of tables
    loss."""

    @model_validator(mode="before")
    @classmethod
    def _is_schedule_free(cls, values: Any) -> Any:
        if not isinstance(values, dict) or values.get("optimizer") != "schedule_free":
            return values
        values = {"schedule": "constant", "averaging": "none"} | values
        for name, only in (("schedule", "constant"), ("averaging", "none")):
            if values[name] != only:
                raise ValueError(
                    f"{name} {values[name]}: optimizer schedule_free has its own; leave it out, or "
                    f"say {only}"
                )
        return values

    @property
    def decay(self) -> float:
        """The weight decay, filled in."""
        if self.weight_decay is not None:
            return self.weight_decay
        return 0.01 if self.optimizer in DECAYING else 0.0
