"""What travels between steps: small frozen values, references and numbers, never tensors.

An artifact carries no clock, no host and no run id: the same work gives the same artifact, so that
a step that ran again with the same answer leaves the later steps cached.
"""

import hashlib
import json
from typing import Literal

from pydantic import BaseModel, ConfigDict

Split = Literal["train", "valid", "test"]
Task = Literal["classification", "regression", "ranking", "generation"]
Role = Literal["baseline", "teacher", "control", "student", "pruned", "compressed"]
Verdict = Literal["promoted", "held", "refused", "waiting"]


class Artifact(BaseModel):
    """A frozen value with a fixed set of fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DatasetRef(Artifact):
    """A snapshot of labelled rows: a Parquet file a split, report.json, manifest.json."""

    name: str
    uri: str
    """`s3://<bucket>/datasets/<name>/<sha256>/`"""
    sha256: str
    """Digest of the rows and their split: the identity of the data."""
    source_sha256: str
    """Digest of the file or files that the rows were read from."""
    kind: str
    inputs: tuple[str, ...]
    target: str
    """Of a generation empty: its rows are what is learned."""
    types: dict[str, str] = {}
    """Of a table's inputs: number, boolean, moment or category."""
    scaling: dict[str, str] = {}
    """Of a table's numbers that are not learned as standard scores."""
    task: Task = "classification"
    layout: dict[str, str] = {}
    """Of series that were read from a row for each step: the columns `id` and `time`. Of a
    ranking, `top`: how many items are answered."""
    audio: dict[str, int | float] = {}
    """Of sounds: how they are made into frames and bands, as `data.audio` says."""
    classes: tuple[str, ...]
    """Names of the classes, of a ranking of the items; of a regression none."""
    scale: tuple[float, float] | None = None
    """Of a regression: mean and deviation of the training rows' numbers."""
    weighted: bool = False
    """Whether the snapshot says how much each row counts in training."""
    class_weights: dict[str, float] = {}
    """How much a row of each class counts in training; empty when all count alike."""
    rows: dict[Split, int]

    @property
    def num_outputs(self) -> int:
        """Numbers that a model answers: one for each class, one in all for a regression."""
        return max(1, len(self.classes))

    @property
    def meaning(self) -> str:
        """Digest of the rows and of all that is said of them: what a training learns from. Not of
        what they are called, where they lie and which files they were read from."""
        said = self.model_dump(mode="json", exclude={"name", "uri", "source_sha256"})
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


class RateTrial(Artifact):
    """Short trainings at one learning rate, one for each seed."""

    lr: float
    schedule: str
    scores: tuple[float, ...]
    """Best validation score of each seed, higher is better."""

    @property
    def score(self) -> float:
        """Mean over the seeds."""
        return sum(self.scores) / len(self.scores)


class Tuned(Artifact):
    """The learning rate that the range test and the sweep settled on, and why."""

    lr: float
    """0 of a teacher that has none."""
    schedule: str | None = None
    """Found by the sweep where it was asked to; else the teacher's own holds."""
    reason: str
    interval: tuple[float, float] | None = None
    """Lowest and highest rate that the sweep cannot tell from the best."""
    is_trusted: bool | None = None
    """Whether the range test agrees with the sweep; None where one of them was not made.

    False, too, where its ramp broke off before anything could be read."""
    trials: tuple[RateTrial, ...]
    range_test: tuple[tuple[float, float], ...]
    """(learning rate, smoothed loss) of the exponential ramp; empty when the rate was given."""
    suggested: float | None
    """What the range test alone would have chosen; None where it says nothing."""


class BatchSize(Artifact):
    """The batch size that `auto` was found to be: decided once, for a student and its control."""

    batch_size: int
    """Over all workers."""
    reason: str
    probes: tuple[tuple[int, float], ...]
    """(rows at once on one worker, rows a second; 0 where memory ran out), in the order tried."""


class TrainedModel(Artifact):
    """Float weights: `<uri>` holds model.json, model.safetensors, encoder files, history.json.

    An estimator of scikit-learn has model.onnx and its own answers in the place of weights.
    """

    name: str
    role: Role
    parent: str | None
    uri: str
    """`s3://<bucket>/models/<sha256>/`"""
    sha256: str
    """Digest of what decides an answer: weights, architecture, encoder, labels; not the history."""
    params: int
    exports: bool = True
    """An estimator without an ONNX form teaches, and is no candidate."""
    parents: tuple[str, ...] = ()
    """Digests of the models that taught it, or of the one that it was made from."""
    batch_size: int | None = None
    """Rows of a step of its training, over all workers; None where nothing is trained by steps."""
    zeros: float = 0.0
    """Share of its products' weights that were made zero, and are kept like all others."""
    form: str = ""
    """With fewer bits, whose rounding it was trained with, and in which alone it is deployed."""


class Unlabelled(Artifact):
    """Rows without labels, which the teachers answer beside the training rows: a Parquet file."""

    uri: str
    """`s3://<bucket>/unlabelled/<sha256>/`"""
    sha256: str
    found: int
    """Rows of the project's own source of them."""
    made: int
    """Rows made of training rows, behind those."""

    @property
    def rows(self) -> int:
        """All of them."""
        return self.found + self.made


class TeacherOutputs(Artifact):
    """The teacher's logits for every training row, in row order, as `answers.safetensors`.

    Of a lesson with hints its features stand behind them, [N, C + D]. Those for rows without
    labels follow, in their order.
    """

    uri: str
    sha256: str
    teacher_sha256: tuple[str, ...]
    teacher_uris: tuple[str, ...] = ()
    """Of all of them, which may read along where a student learns."""
    shares: tuple[float, ...] = ()
    """How much each of several teachers has to say; none where all have the same."""
    unlabelled: Unlabelled | None = None

    @property
    def identity(self) -> str:
        """Of the answers, of who gave them and counts for how much, and of the rows that no dataset
        holds."""
        rows = self.unlabelled.sha256 if self.unlabelled else ""
        return " ".join((self.sha256, *self.teacher_sha256, *map(str, self.shares), rows))


class Candidate(Artifact):
    """One exported bundle, ready to be measured and deployed."""

    name: str
    role: Role
    parent: str | None
    uri: str
    """`s3://<bucket>/bundles/<sha256>/`"""
    sha256: str
    """Digest of what decides an answer: graph, encoder, labels, predictor."""
    size_bytes: int
    """All files of the bundle that are needed to answer."""
    params: int
    model_sha256: str
    """Digest of the float model that it was exported from."""
    parents: tuple[str, ...] = ()
    """Of that model; of a form with fewer bits, that model."""
    zeros: float = 0.0
    """Of the float model."""
    form: str = ""
    """For which that was trained, if for one."""
    zipped_bytes: int | None = None
    """Of those files in a zip archive, where there are zeros: all that they gain."""

    @property
    def said_of_zeros(self) -> str:
        """What they are worth, in a sentence; empty where there are none."""
        if self.zipped_bytes is None:
            return ""
        return (
            f"{self.zeros:.0%} of the weights of its products are zeros, which this runtime keeps "
            "and multiplies by like any others: no faster, and smaller in a zip archive alone "
            f"({self.zipped_bytes / 1e6:.2f} of {self.size_bytes / 1e6:.2f} MB)"
        )


class Latency(Artifact):
    """Whole predict call, preprocessing included, one row at a time, one thread."""

    p50: float
    p95: float
    noise: float = 0.0
    """Share of the p50 by which the same bundle, opened twice and asked in turn, differed."""


class Cost(Artifact):
    """What answering costs, measured on the exported artifact in a process of its own."""

    latency_ms: Latency
    rows_per_second: float
    peak_memory_mb: float
    tokens_per_second: float | None = None
    """Of a model that writes texts: tokens that it draws, for one text at a time."""
    eager_p50_ms: float | None = None
    """Float weights in eager torch, same rows and threads; for the teacher only."""
    eager_memory_mb: float | None = None
    """Peak memory of the process that answered so."""


class EvalReport(Artifact):
    """Figures of one candidate on one split."""

    candidate: Candidate
    split: Split
    rows: int
    metrics: dict[str, float]
    """Keyed `accuracy`, `macro_f1`, `precision/<class>`, ...; the split is the prefix in MLflow."""
    intervals: dict[str, tuple[float, float]] = {}
    """Of some metrics on the holdout: where they lie at 95 % confidence."""
    confusion: tuple[tuple[int, ...], ...]
    """Rows are true classes, columns predicted ones, in the dataset's class order; behind them
    classes that only the candidate knows, which were not made of these rows."""
    predictions_uri: str
    """Class probabilities of every row, in row order and in the dataset's class order, as
    `answers.safetensors`."""
    cost: Cost

    @property
    def figures(self) -> dict[str, float]:
        """Metrics by name, bounds of the intervals as `<name>_low` and `<name>_high`."""
        low = {f"{name}_low": interval[0] for name, interval in self.intervals.items()}
        high = {f"{name}_high": interval[1] for name, interval in self.intervals.items()}
        return self.metrics | low | high


class Check(Artifact):
    """One line of evidence behind a decision."""

    name: str
    passed: bool
    detail: str


class Decision(Artifact):
    """What the gate said, and why."""

    verdict: Verdict
    reason: str
    candidate: str
    candidate_sha256: str
    champion_sha256: str | None
    checks: tuple[Check, ...]


class RunRef(Artifact):
    """The parent run in MLflow that one `retrain` writes to."""

    run_id: str
    url: str
