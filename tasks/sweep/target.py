"""The model that a sweep is about, as a value that travels; importing this loads no torch."""

from collections.abc import Collection
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter

from tasks.artifacts import DatasetRef, TeacherOutputs
from tasks.compression.config import CompressConfig, PruneConfig, QuantizeConfig
from tasks.compression.distil_config import DistilConfig
from tasks.evaluation.confusions import Metric
from tasks.packaging.deploy import DeployConfig
from tasks.sweep.space import Values, settings_with
from tasks.training.architectures import StudentConfig, TeacherConfig
from tasks.training.config import ComputeConfig, Precision, TrainConfig

DISTIL, PRECISION = "compress.distil", "compute.precision"
PRUNE, QUANTIZE = "compress.prune", "compress.quantize"
ELSEWHERE = {PRECISION: "precision", QUANTIZE: "form"}
"""Fields of the project that are no model's, and where a target has them."""


class Target(BaseModel):
    """Which model of the project a sweep is about, with the settings that it has now."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    root: str
    """`teacher`, `students.<place>`, or `compress.prune.<place>`."""
    student: str | None = None
    """`students.<place>` of what is pruned, where that is no teacher."""
    settings: dict[str, Any]
    """Of the model that is trained, or was and is pruned."""
    prune: PruneConfig | None = None
    """What goes of a trained model, and how it recovers; None: a model is trained from its
    beginning."""
    distil: DistilConfig | None = None
    """How the model is taught; None: a teacher, or a student that is not."""
    rows: int | None = None
    """Training rows of a trial, where the sweep says."""
    lr: float
    """Rate where the settings say `auto`."""
    precision: Precision | None = None
    """Of the numbers that a trial computes with; None: as the project says."""
    metric: Metric = "macro_f1"
    """What proves the model, once it is exported."""
    form: QuantizeConfig | None = None
    """In which it is deployed; None: in float."""
    deploy: DeployConfig = DeployConfig()
    """Where it answers, if trials are asked."""

    def with_values(self, values: Values) -> "Target":
        """These settings, with those of a trial in their place.

        Raises `ValueError` for what the fields of pruning and distillation refuse.
        """
        places = {self._place(name): value for name, value in values.items()}
        if QUANTIZE in values:
            places["form"] = form_of(values[QUANTIZE])
        return Target.model_validate(settings_with(self.model_dump(mode="json"), places))

    def model(self) -> TrainConfig:
        """The settings as the model's own type; `ValidationError` for what it refuses."""
        of: TypeAdapter[Any] = TypeAdapter(
            StudentConfig if (self.student or self.root).startswith("students.") else TeacherConfig
        )
        found = of.validate_python(self.settings)
        assert isinstance(found, TrainConfig), "a sweep is about what is trained by steps"
        return found if self.rows is None else found.model_copy(update={"max_rows": self.rows})

    def _place(self, name: str) -> str:
        if name in ELSEWHERE:
            return ELSEWHERE[name]
        own = "settings" if self.prune is None else "prune"
        for prefix, place in ((self.root, own), (self.student, "settings"), (DISTIL, "distil")):
            if prefix and name.startswith(f"{prefix}."):
                return f"{place}.{name.removeprefix(f'{prefix}.')}"
        raise ValueError(f"{name}: this sweep is about {self.root}")


def trains_ahead(prune: PruneConfig | None, varied: Collection[str]) -> bool:
    """Whether trials of that pruning which vary these train something ahead of their own passes: a
    student, or rounds before the last."""
    if prune is None:
        return False
    is_varied = any(name.startswith(f"{PRUNE}.") and name.endswith(".rounds") for name in varied)
    return prune.of != "teacher" or prune.rounds > 1 or is_varied


def form_of(quantize: Any) -> QuantizeConfig | None:
    """In which a student is deployed: the first that `compress.quantize` lists and that it is not
    trained for once more; None: in float."""
    forms = CompressConfig.model_validate({"quantize": quantize}).quantize
    return next((form for form in forms if not form.aware), None)


class Subject(BaseModel):
    """A model, and all that its trials are made from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: Target
    compute: ComputeConfig
    dataset: DatasetRef
    outputs: TeacherOutputs | None = None
    """Of the teacher, for a model that is taught; and where it is, for one that is pruned."""
    asked: dict[str, Any]
    """The settings of the model, and of who teaches it, as the project file has them."""
    lasts: bool = False
    """Whether what is found for these rows holds for others, too."""

    @property
    def learns_from(self) -> tuple[str, str | None]:
        """Digests of the rows, and of what the teachers said."""
        return self.dataset.meaning, self.outputs.identity if self.outputs else None

    @property
    def identity(self) -> str:
        """What decides which search, or confirmation, this is the subject of."""
        if not self.lasts:
            return self.model_dump_json(exclude={"asked"})
        # Settings as the file has them: what it leaves open is found anew for other rows.
        target = self.target.model_dump_json(exclude={"settings", "lr"})
        return f"{target} {self.model_dump_json(exclude={'dataset', 'outputs', 'target'})}"
