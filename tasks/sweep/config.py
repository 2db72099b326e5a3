"""What a project file says about the search for a learning rate, and for other settings."""

from typing import Annotated, Literal, Self, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from tasks.sweep.space import Space, check_conditions
from tasks.training.technique import ScheduleName

Sampler = Literal["grid", "random", "sobol", "tpe", "cmaes", "nsga2", "population"]
Pruner = Literal["none", "asha", "hyperband", "median", "wilcoxon"]
DeployedObjective = Literal["quality", "p50_ms", "p95_ms", "size_mb", "memory_mb"]
Objective = Literal["score", "parameters", "seconds"] | DeployedObjective
Engine = Literal["auto", "in_process", "actors", "together"]
When = Literal["changed", "once", "never"]


OF_ANY_MOMENT = (
    "lr",
    "weight_decay",
    "momentum",
    "schedule",
    "warm_up",
    "step_factor",
    "plateau_factor",
    "ema_decay",
    "label_smoothing",
    "dropout",
    "l1",
    "l2",
    "clip_norm",
    "clip_value",
    "temperature",
    "weight",
)
"""Settings that may change in the middle of a training."""


class SearchConfig(BaseModel):
    """How settings are looked for in `sweep.space`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    when: When = "changed"
    """When `modelworks run`, too, searches `sweep.space`, to train by the winner if that is
    believed: whenever the rows, the space, the settings or the code of trainings have changed since
    it last did; `once`: new rows are no reason, a nightly run takes what was found before; `never`:
    only `modelworks sweep` searches, as for several objectives among which `budget` cannot pick."""
    sampler: Sampler = "tpe"
    """Who proposes: every combination, at random, a Sobol sequence, the tree-structured Parzen
    estimator, CMA-ES, or NSGA-II. `population` trains all at once, the worst going on from the best
    with settings a little different; it gives up nobody else."""
    pruner: Pruner = "asha"
    """Who gives up a trial early, by its scores after each pass: asynchronous successive halving,
    Hyperband, the median of the others, or Wilcoxon's test against the best of them. Among several
    objectives `asha` goes by fronts (MO-ASHA): by the scores so far, and by what an answer of the
    untrained model costs; the others judge by one objective alone."""
    objectives: Annotated[tuple[Objective, ...], Field(min_length=1)] = ("score",)
    """What is sought: the highest validation score, the fewest parameters, the fewest seconds of
    training; or, of each trial's model exported and quantised as the project says, the highest
    `quality` (the gate's metric), the lowest latency, size or peak memory. Of several the answer is
    a Pareto front of the trials that were finished."""
    engine: Engine = "auto"
    """Where trials run: here one after the other, in warm processes of the cluster, or trained
    together as one batched program; `auto`: a few steps are timed."""
    side_by_side: Annotated[int, Field(ge=1, le=64)] = 2
    """Trials at a time in the cluster. With 1, a sweep that was stopped anywhere goes on to decide
    exactly as one that was not."""
    cores: Annotated[float, Field(gt=0, le=64)] = 1.0
    """Cores that a trial in the cluster holds, and threads that it has: 0.5 lets two share one."""
    gpus: Annotated[float, Field(gt=0, le=1)] = 1.0
    """GPU that a trial in the cluster holds, where it trains on one: 0.25 lets four share it."""
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """Ray Train workers (DDP) that train one trial in the cluster, each with a core, or a GPU, of
    its own. A trial waits some 10 s for its workers: worth it where trials take minutes and there
    are more cores than trials side by side."""
    save_seconds: PositiveFloat = 60.0
    """A trial in the cluster is saved in S3 after a pass, where so much work would be lost by a
    kill; shorter ones begin again."""
    population: Annotated[int, Field(ge=4, le=64)] = 8
    """Members of a population."""
    generation_passes: PositiveInt = 1
    """Passes of a member before the worst are replaced. A member's part of a generation is a trial:
    budget.trials must hold them all."""
    grid_points: Annotated[int, Field(ge=2, le=64)] = 4
    """Values of each interval that a grid tries."""
    rows: PositiveInt | None = None
    """Training rows of one trial; null: as many as the model's own settings say."""
    confirm_seeds: Annotated[int, Field(ge=1, le=16)] = 3
    """Trainings of the winner, or of what the budget picks of a front, and of the settings that the
    project has, before it is believed."""
    seed: int = 7

    @field_validator("cores")
    @classmethod
    def _are_a_share_or_whole(cls, cores: float) -> float:
        if cores > 1 and cores != int(cores):
            raise ValueError(f"cores {cores:g}: a share of one core, or whole cores")
        return cores

    @property
    def is_deployed(self) -> bool:
        """Whether trials are exported, and what is deployed is measured."""
        return not set(self.objectives).isdisjoint(get_args(DeployedObjective))

    @model_validator(mode="after")
    def _proposes_for_its_objectives(self) -> Self:
        if len(set(self.objectives)) < len(self.objectives):
            raise ValueError(f"objectives {', '.join(self.objectives)}: each once")
        if self.sampler == "population":
            self._is_a_population()
        if self.workers > 1:
            self._is_by_many_workers()
        if len(self.objectives) > 1:
            self._trades()
        if self.is_deployed and self.engine == "together":
            raise ValueError(
                f"engine together trains many at once, {', '.join(self.objectives)} are measured "
                "of one exported model at a time; allowed: auto, in_process, actors"
            )
        return self

    def _trades(self) -> None:
        if self.sampler == "cmaes":
            raise ValueError(
                "sampler cmaes seeks one objective; for several: grid, random, sobol, tpe, nsga2"
            )
        if self.pruner not in ("asha", "none"):
            raise ValueError(
                f"pruner {self.pruner} judges by one objective; for several: asha, none"
            )

    def _is_a_population(self) -> None:
        if self.objectives != ("score",):
            raise ValueError("sampler population seeks objectives [score] alone")
        if self.engine not in ("auto", "actors"):
            raise ValueError(f"sampler population with engine {self.engine}: auto or actors")

    def _is_by_many_workers(self) -> None:
        if self.engine not in ("auto", "actors"):
            raise ValueError(f"workers {self.workers} with engine {self.engine}: auto or actors")
        if self.sampler == "population":
            raise ValueError(f"workers {self.workers}: each member of a population has one")
        if self.cores != 1 or self.gpus != 1:
            raise ValueError(
                f"workers {self.workers}: each has a core, or a GPU, of its own; leave cores and "
                "gpus out"
            )


class SweepBudget(BaseModel):
    """What a search may use in all, however often it was stopped and taken up again.

    The trainings that confirm its winner come on top.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    trials: PositiveInt = 32
    minutes: PositiveFloat | None = None
    cpu_hours: PositiveFloat | None = None
    gpu_hours: PositiveFloat | None = None
    money: PositiveFloat | None = None
    """By the prices in the settings."""


class SweepConfig(BaseModel):
    """Range test first, then a short confirming sweep around its suggestion."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    lr: tuple[PositiveFloat, PositiveFloat] | None = None
    """Lowest and highest rate that may be chosen; left out, the decade around the usual rate."""
    trials: Annotated[int, Field(ge=1, le=64)] = 4
    seeds: Annotated[int, Field(ge=1, le=16)] = 1
    """Trainings of each rate, from other first weights on other rows."""
    schedules: tuple[ScheduleName, ...] = ()
    """Tried in turn with the rates, the best one kept; left out, the teacher's own."""
    rows: PositiveInt = 750
    """Training rows of one trial."""
    epochs: PositiveInt = 1
    """Passes of one trial over its rows; a network that learns from few needs more than one."""
    max_seconds: PositiveFloat = 90.0
    """No new trial starts past this; range test included."""
    space: Space = {}
    """What `modelworks run` and `modelworks sweep` vary: fields of the teacher
    (`teacher.weight_decay`); or of one student and what teaches it (`students.0.width`,
    `compress.distil.temperature`); or of what goes of a trained model, and how it recovers
    (`compress.prune.0.neurons`, `compress.prune.0.recover.lr`, `compress.distil.temperature`), and
    beside it the fields of the student that it is of. Not of a model of scikit-learn, which is
    fitted in one go."""
    search: SearchConfig = SearchConfig()
    """How they look for settings, and when `modelworks run` does."""
    budget: SweepBudget = SweepBudget()
    """What they may use."""

    def rates(self, usual: float) -> tuple[float, float]:
        """The interval, around the architecture's `usual` rate when none is given."""
        return self.lr or (usual / 10**0.5, usual * 10**0.5)

    @property
    def of_rates(self) -> Self:
        """The search for a learning rate alone."""
        usual = {"space": {}, "search": SearchConfig(), "budget": SweepBudget()}
        return self.model_copy(update=usual)

    @field_validator("space")
    @classmethod
    def _has_conditions_that_can_be_met(cls, space: Space) -> Space:
        check_conditions(space)
        return space

    @model_validator(mode="after")
    def _varies_what_weights_do_not_depend_on(self) -> Self:
        if self.search.sampler != "population":
            return self
        for name in self.space:
            if name.rpartition(".")[2] not in OF_ANY_MOMENT:
                raise ValueError(
                    f"space {name}: sampler population goes on from trained weights; it can vary "
                    f"{', '.join(OF_ANY_MOMENT)}"
                )
        return self

    @field_validator("schedules")
    @classmethod
    def _of_one_kind(cls, schedules: tuple[ScheduleName, ...]) -> tuple[ScheduleName, ...]:
        if len(set(schedules)) < len(schedules):
            raise ValueError(f"{', '.join(schedules)}: each schedule once")
        return schedules

    @model_validator(mode="after")
    def _is_an_interval(self) -> "SweepConfig":
        if self.lr and self.lr[0] >= self.lr[1]:
            raise ValueError(f"lowest rate {self.lr[0]} must be below the highest {self.lr[1]}")
        return self
