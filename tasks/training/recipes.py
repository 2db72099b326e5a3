"""From a project's words to a finished model folder: teacher and student."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from tasks.artifacts import DatasetRef, Split
from tasks.compression.config import QuantizeConfig
from tasks.compression.distil_config import DistilConfig
from tasks.data.scale import scaled
from tasks.data.snapshot import Rows as SplitRows
from tasks.data.snapshot import split_rows
from tasks.training.augments import augment_of
from tasks.training.batches import check_shares
from tasks.training.blueprint import Blueprint, first_model
from tasks.training.blueprints import blueprint_of
from tasks.training.checkpoint import CheckpointStore
from tasks.training.config import ComputeConfig, TrainConfig
from tasks.training.course import Course, Point, own_weights
from tasks.training.distributed import fit
from tasks.training.examples import Columns, drawn_rows
from tasks.training.hints import HintLoss, TokenHints, mean_lesson, standard_features
from tasks.training.job import OnProgress, Rows, TrainingJob
from tasks.training.losses import Loss
from tasks.training.model_folder import card_of, num_params, save_model
from tasks.training.objectives import OBJECTIVES, score_of
from tasks.training.technique import Technique
from tasks.training.tutors import tutors_of

AWARE_SHARE = 0.2
"""Of the usual rate, where a trained model learns to live with rounding."""
MOST_ANSWERS = 25_000_000
"""Numbers that a model answers to the validation rows after an epoch: 100 MB."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """Where a training happens: on what data and what hardware."""

    dataset: DatasetRef
    dataset_folder: Path
    compute: ComputeConfig

    def read(self, split: Split) -> SplitRows:
        """One split as it was prepared."""
        return split_rows(self.dataset_folder, self.dataset, split)

    def rows(self, split: Split) -> Rows:
        """One split."""
        read = self.read(split)
        return Rows(read.columns, scaled(read.labels, self.dataset.scale), None, read.weights)

    def training_rows(
        self, config: TrainConfig, lesson: "Lesson | None" = None, hints: int = 0
    ) -> Rows:
        """The training split, or the share of each class that `max_rows` allows.

        With a lesson what was said of them, and as large a share of its rows without labels;
        `hints` is how many features of the teacher stand behind its answers.
        """
        rows = self.rows("train")
        if lesson is not None:
            rows = replace(rows.with_unlabelled(lesson.unlabelled), teacher=lesson.logits)
            check_lesson(lesson.logits, len(rows), self.dataset, hints)
        chosen = drawn_rows(rows.labels, config.max_rows, config.seed)
        return rows if len(chosen) == len(rows) else rows.take(chosen)

    def blueprint(self, config: TrainConfig, train: Rows) -> Blueprint:
        """The model of `config` before it is trained, over what stands in the rows in `train`."""
        return blueprint_of(config, self.dataset, train)


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a student is taught by: what the teacher said, and how much it counts."""

    config: DistilConfig
    logits: NDArray[np.float32]
    """[N, C], in row order of the training split; with hints [N, C + D], its features behind; of
    several teachers a block of each. Those for rows without labels follow."""
    unlabelled: Columns = field(default_factory=dict)
    """Rows that have no label, for the teacher alone to answer."""
    teachers: tuple[Blueprint, ...] = ()
    """The teachers themselves, where they read along."""
    shares: tuple[float, ...] = ()
    """Of each of several teachers; none where all have the same."""

    @property
    def token_hints(self) -> TokenHints | None:
        """What is learned of how the teachers read tokens, if anything is."""
        config = self.config
        if not config.has_token_hints:
            return None
        return TokenHints(
            hidden=config.hidden,
            attention=config.attention,
            relations=config.token_relations,
            layer_map=config.layer_map,
        )

    def hints(self, num_answers: int) -> int:
        """How many features a row has; ValueError where hints are asked for and there are none."""
        answers = self.config.teachers * num_answers
        width = self.logits.shape[1] - answers if self.config.has_hints else 0
        if self.config.has_hints and width < 1:
            raise ValueError("distil.features and distil.relations need the teacher's features")
        return width


@dataclass(frozen=True, slots=True)
class SavedModel:
    """A model folder that was just written."""

    digest: str
    params: int
    exports: bool = True
    """Whether it has a form that can be deployed."""


def train_into(
    folder: Path, job: TrainingJob, store: CheckpointStore, on_progress: OnProgress
) -> SavedModel:
    """Train on the cluster, or take up what the store holds of it, and write the model folder."""
    fitted = fit(job, store, on_progress)
    return save_trained(folder, job, fitted.trained, fitted.history)


def save_trained(
    folder: Path, job: TrainingJob, trained: Mapping[str, Tensor], history: Sequence[Point]
) -> SavedModel:
    """Write the model folder; what training does not move is as it was at the start."""
    model = first_model(job.blueprint, job.course.seed)
    weights = model.state_dict() | own_weights(trained)
    card = card_of(model, job.blueprint, job.classes, job.scale, job.task)
    digest = save_model(folder, weights, card, job.blueprint.files, history)
    return SavedModel(digest, num_params(weights))


def teacher_job(config: TrainConfig, lr: float, site: Site) -> TrainingJob:
    """The teacher's training, not yet started; a rate in `config` goes before `lr`."""
    train = site.training_rows(config)
    blueprint = site.blueprint(config, train)
    return _job(config, lr, _loss_of(config, None, site), site, train, blueprint)


def student_job(config: TrainConfig, lesson: Lesson | None, site: Site) -> TrainingJob:
    """A student's training, not yet started: one worker, so that two can run side by side."""
    train = taught_rows(config, lesson, site)
    # Its vocabulary, means and categories are its control's.
    return _alone(config, lesson, site, train, site.blueprint(config, train.labelled))


def recovery_job(
    config: TrainConfig, lesson: Lesson | None, site: Site, blueprint: Blueprint
) -> TrainingJob:
    """The training of a model that goes on from the weights of its blueprint."""
    return _alone(config, lesson, site, taught_rows(config, lesson, site), blueprint)


def aware_job(
    config: TrainConfig,
    form: QuantizeConfig,
    lesson: Lesson | None,
    site: Site,
    blueprint: Blueprint,
) -> TrainingJob:
    """The training of a model that goes on, computing as its form will; `config` are the settings
    that it was trained with."""
    aware = form.aware
    assert aware is not None, "a form that is trained for says how"
    lr = AWARE_SHARE * config.first_lr if aware.lr == "auto" else aware.lr
    changes: dict[str, object] = {**aware.model_dump(), "lr": lr}
    job = recovery_job(config.going_on(changes), lesson, site, blueprint)
    return replace(job, course=replace(job.course, fake_quantized=form.precision))


def taught_rows(config: TrainConfig, lesson: Lesson | None, site: Site) -> Rows:
    """The rows of a student's training, with what the teacher said of them."""
    if lesson is None:
        return site.training_rows(config)
    num_answers = site.dataset.num_outputs
    hints = lesson.hints(num_answers)
    said, distil = lesson.logits, lesson.config
    if distil.teachers > 1:
        about = distil.teachers, num_answers, distil.temperature, lesson.shares
        said = mean_lesson(said, *about)
    said = standard_features(said, num_answers) if hints else said
    return site.training_rows(config, replace(lesson, logits=said), hints)


def _alone(
    config: TrainConfig, lesson: Lesson | None, site: Site, train: Rows, blueprint: Blueprint
) -> TrainingJob:
    alone = replace(site, compute=site.compute.model_copy(update={"workers": 1}))
    job = _job(config, config.first_lr, _loss_of(config, lesson, site), alone, train, blueprint)
    hints = lesson.token_hints if lesson else None
    if lesson is None or hints is None:
        return job
    if len(lesson.teachers) != lesson.config.teachers:
        raise ValueError(
            "distil.hidden, attention and token_relations need each teacher itself: "
            f"{len(lesson.teachers)} of {lesson.config.teachers} are here"
        )
    tutors = tutors_of(blueprint, lesson.teachers, lesson.shares, hints, config.name)
    return replace(job, tutors=tutors)


def _job(
    config: TrainConfig,
    lr: float,
    loss: Loss | HintLoss,
    site: Site,
    train: Rows,
    blueprint: Blueprint,
) -> TrainingJob:
    return TrainingJob(
        blueprint=blueprint,
        course=_course(config, lr if config.lr == "auto" else config.lr, loss, site, len(train)),
        compute=site.compute,
        task=site.dataset.task,
        classes=site.dataset.classes,
        scale=site.dataset.scale,
        train=train,
        valid=in_memory(site.rows("valid"), site.dataset.num_outputs),
    )


def check_lesson(
    teacher: NDArray[np.float32], rows: int, dataset: DatasetRef, hints: int = 0
) -> None:
    """Raise ValueError for logits, and so many features behind them, that are not those of so many
    rows."""
    any_width = OBJECTIVES[dataset.task].taught is not None
    width = teacher.shape[1] if any_width else dataset.num_outputs + hints
    if teacher.shape != (rows, width):
        raise ValueError(
            f"teacher outputs are {teacher.shape}, {rows} rows are taught, with {width} "
            "answers each"
        )


def in_memory(valid: Rows, num_outputs: int) -> Rows:
    """The rows, spread evenly when answers to all of them would be too many numbers."""
    most = max(1, MOST_ANSWERS // num_outputs)
    if len(valid) <= most:
        return valid
    return valid.take(np.linspace(0, len(valid) - 1, most).round().astype(np.int64))


def _course(config: TrainConfig, lr: float, loss: Loss | HintLoss, site: Site, rows: int) -> Course:
    technique = Technique(**{name: getattr(config, name) for name in Technique.model_fields})
    batch_size = config.batch_size
    assert batch_size != "auto", "size_batch finds it before a training begins"
    if config.optimizer == "gradient_descent":  # one step a pass, in parts of the batch size
        parts = -(-rows // batch_size) * technique.accumulate
        technique, batch_size = technique.model_copy(update={"accumulate": parts}), rows
    check_shares(rows, batch_size, site.compute.workers, "compute.workers")
    return Course(
        epochs=config.epochs,
        batch_size=batch_size,
        lr=lr,
        seed=config.seed,
        loss=loss,
        technique=technique,
        task=site.dataset.task,
        choose_by=score_of(config, site.dataset.task),
        augment=augment_of(config, site.dataset),
        gradient_checkpointing=getattr(config, "gradient_checkpointing", False),
    )


def _loss_of(config: TrainConfig, lesson: Lesson | None, site: Site) -> Loss | HintLoss:
    answers = OBJECTIVES[site.dataset.task].loss(config, lesson.config if lesson else None)
    num_answers = site.dataset.num_outputs
    tokens = lesson.token_hints if lesson else None
    if lesson is None or not (lesson.config.has_hints or tokens):
        return answers
    return HintLoss(
        answers=answers,
        num_answers=num_answers,
        width=lesson.hints(num_answers),
        features=lesson.config.features,
        relations=lesson.config.relations,
        tokens=tokens,
    )
