"""The model that a sweep is about, as a value that travels; importing this loads no torch."""

from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter

from tasks.artifacts import DatasetRef, TeacherOutputs
from tasks.compression.config import CompressConfig, QuantizeConfig
from tasks.compression.distil_config import DistilConfig
from tasks.evaluation.confusions import Metric
from tasks.packaging.deploy import DeployConfig
from tasks.sweep.space import Values, settings_with
from tasks.training.architectures import StudentConfig, TeacherConfig
from tasks.training.config import ComputeConfig, Precision, TrainConfig

DISTIL, PRECISION = "compress.distil", "compute.precision"
QUANTIZE = "compress.quantize"


class Target(BaseModel):
    """Which model of the project a sweep is about, with the settings that it has now."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    root: str
    """`teacher`, or `students.<place>`."""
    settings: dict[str, Any]
    distil: DistilConfig | None = None
    """How the student is taught; None: a teacher, or a student that is not."""
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

        Raises `ValueError` for what the model's own fields refuse.
        """
        distil = self.distil.model_dump(mode="json") if self.distil else None
        whole = {"distil": distil, "model": self.settings, "precision": self.precision}
        others = {name: value for name, value in values.items() if name != QUANTIZE}
        changed = settings_with(whole, {self._place(name): v for name, v in others.items()})
        taught = DistilConfig.model_validate(changed["distil"]) if changed["distil"] else None
        own = {"distil": taught, "precision": changed["precision"]}
        if QUANTIZE in values:
            own["form"] = form_of(values[QUANTIZE])
        return self.model_copy(update={"settings": changed["model"], **own})

    def model(self) -> TrainConfig:
        """The settings as the model's own type; `ValidationError` for what it refuses."""
        of: TypeAdapter[Any] = TypeAdapter(
            TeacherConfig if self.root == "teacher" else StudentConfig
        )
        found = of.validate_python(self.settings)
        assert isinstance(found, TrainConfig), "a sweep is about what is trained by steps"
        return found if self.rows is None else found.model_copy(update={"max_rows": self.rows})

    def _place(self, name: str) -> str:
        if name == PRECISION:
            return "precision"
        for prefix, place in ((self.root, "model"), (DISTIL, "distil")):
            if name.startswith(f"{prefix}."):
                return f"{place}.{name.removeprefix(f'{prefix}.')}"
        raise ValueError(f"{name}: this sweep is about {self.root}")


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
    """Of the teacher, for a student that is taught."""
    asked: dict[str, Any]
    """The model's settings as the project file has them."""
    lasts: bool = False
    """Whether what is found for these rows holds for others, too."""

    @property
    def identity(self) -> str:
        """What decides which search, or confirmation, this is the subject of."""
        of_rows = {"dataset", "outputs", "target"} if self.lasts else {"asked"}
        distil = self.target.distil.model_dump(mode="json") if self.target.distil else None
        about = [self.target.root, self.target.rows, distil, self.lasts]
        return f"{about} {self.model_dump_json(exclude=of_rows)}"
