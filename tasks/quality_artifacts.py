"""What is said of the chosen candidate beside the figures that decide: slices, probes, tables."""

from math import floor, log10

from pydantic import Field

from tasks.artifacts import Artifact, Task


class Estimate(Artifact):
    """A figure and its interval at 95 %."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """`0.784 [0.775, 0.793]`, `41.25 [38.02, 44.61]`, `1,204 [1,180, 1,229]`"""
        digits = max(0, 3 - max(0, floor(log10(max(abs(self.value), 1e-9)))))
        value, low, high = (f"{x:,.{digits}f}" for x in (self.value, self.low, self.high))
        return f"{value} [{low}, {high}]"


class SeedGain(Artifact):
    """What a student has of its teacher: against its control, seed by seed."""

    name: str
    metric: str
    taught: tuple[float, ...]
    """The metric on validation rows, of the bundle that each seed led to."""
    alone: tuple[float, ...]
    """Of its controls, by the same seeds."""
    gain: Estimate

    def __str__(self) -> str:
        """A line with both means, the interval of the difference, and what follows."""
        taught, alone = (sum(each) / len(each) for each in (self.taught, self.alone))
        verdict = "no difference can be told"
        if self.gain.low > 0 or self.gain.high < 0:
            verdict = "the teacher helps" if self.gain.low > 0 else "the teacher harms"
        return (
            f"{self.name} against its control, {len(self.taught)} seeds on validation rows: "
            f"{self.metric} {taught:.4f} and {alone:.4f}, {self.gain.value:+.4f} "
            f"[{self.gain.low:+.4f}, {self.gain.high:+.4f}] at 95 %: {verdict}"
        )


class Slice(Artifact):
    """Some of the holdout's rows, and how each contender did on them."""

    slicing: str
    """What the holdout was divided by: length, say."""
    name: str
    rows: int
    estimates: dict[str, Estimate | None]
    """By bundle; None is NOT APPLICABLE: too few rows, or a metric that needs two classes."""


class Probed(Artifact):
    """The chosen candidate on rows to which something was done."""

    name: str
    rows: int
    estimate: Estimate | None
    changed: float
    """Share of the rows that got another answer; of numbers their mean difference."""


class Importance(Artifact):
    """How much worse the metric is when a column's values are shuffled among the rows."""

    column: str
    lost: float
    deviation: float
    """Over the repetitions."""


class Calibration(Artifact):
    """What a temperature fitted on validation rows did to confidence on the holdout."""

    temperature: float
    error_before: float
    """Expected calibration error of the same logits, undivided."""
    error_after: float
    log_loss_before: float
    log_loss_after: float

    def __str__(self) -> str:
        """`temperature 1.310 fitted on validation rows: calibration error 0.0503 without ...`"""
        return (
            f"temperature {self.temperature:.3f} fitted on validation rows: calibration error "
            f"{self.error_before:.4f} without it, {self.error_after:.4f} with it; log loss "
            f"{self.log_loss_before:.4f} and {self.log_loss_after:.4f}"
        )


class FactTable(Artifact):
    """Figures that one task alone has, ready to be read."""

    title: str
    about: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


LESS_IS_BETTER = {
    "mae": "mae (mean absolute error: less is better)",
    "bits_per_byte": "bits per byte of text (less is better)",
}
"""Metrics that are errors or costs, in words."""


class QualityReport(Artifact):
    """Where the chosen candidate is good and where it is not; measured on the exported bundle."""

    candidate: str
    sha256: str
    task: Task = "classification"
    metric: str
    contenders: dict[str, str]
    """What each bundle that saw the holdout is called here; the chosen one first."""
    slices: tuple[Slice, ...]
    robustness: tuple[Probed, ...]
    """The first is the rows as they are; empty where it is not known what harms them."""
    importance: tuple[Importance, ...]
    """Empty for rows of one column, or of columns that mean something together only."""
    calibration: Calibration | None = None
    """Of a bundle that divides its logits."""
    compressed: dict[str, str] = Field(default_factory=dict)
    """Names of the whole float bundle that the chosen one was shrunk from, of what became of it in
    between, and of the chosen one."""
    compression: tuple[Slice, ...] = ()
    """Of validation rows, with the estimates of these."""
    tables: tuple[FactTable, ...] = ()
    """Of a ranking and of a generation: recall and coverage, or where the bits go."""

    @property
    def metric_words(self) -> str:
        """The metric, and which way it is good."""
        return LESS_IS_BETTER.get(self.metric, self.metric)

    @property
    def changed_words(self) -> str:
        """What `changed` of a probe counts."""
        return "mean move of the answers" if self._are_numbers else "answers that changed"

    @property
    def lost_words(self) -> str:
        """What `lost` of a column counts."""
        return f"{self.metric} {'added' if self.metric in LESS_IS_BETTER else 'lost'}"

    @property
    def _are_numbers(self) -> bool:
        return self.task in ("regression", "generation")

    def changed(self, probed: Probed) -> str:
        """`4.3 %`, or how far numbers moved."""
        if self._are_numbers:
            return f"{probed.changed:.3g}"
        return f"{100 * probed.changed:.1f} %"
