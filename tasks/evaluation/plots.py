"""Pictures of candidates: confusion, learning curves, Pareto front, reliability.

Colours are Okabe and Ito's, which the colour-blind can tell apart; figures are drawn without
pyplot, so nothing global is touched and threads do not disturb each other.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from tasks.artifacts import EvalReport, RateTrial, Role, Tuned
from tasks.evaluation.metrics import BINS, Labels, Probabilities, reliability
from tasks.evaluation.pareto import draw_pareto

DPI = 130
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
ROLE_COLOURS: dict[Role, str] = {
    "baseline": "#000000",
    "teacher": "#0072B2",
    "control": "#999999",
    "student": "#E69F00",
    "pruned": "#CC79A7",
    "compressed": "#009E73",
}
MOST_COUNTED, MOST_NAMED = 12, 40
"""Classes whose counts, and whose names, are written into a confusion matrix."""
FELL_APART = -1e8
"""Below any score that a model can have."""
EXPLODED = 1.5
"""A loss this many times the highest before the lowest is beyond the picture of a range test."""
MOST_INCHES, MOST_LETTERS = 12.0, 24
"""Side of a confusion matrix, and of a class's name."""
Point = Mapping[str, Any]


class ConfusionSheet:
    """Confusion matrices over the same classes, drawn one after the other on one sheet.

    To lay out and name the classes is a third of what a picture takes: it is done once.
    """

    def __init__(self, classes: Sequence[str]) -> None:
        few = len(classes) <= MOST_COUNTED
        side = max(3.6, min(MOST_INCHES, 1.6 + (0.7 if few else 0.25) * len(classes)))
        figure = Figure(figsize=(side + 0.6, side), dpi=DPI, layout="constrained")
        axes = figure.add_subplot(xlabel="predicted class", ylabel="true class")
        axes.set_title(" ", fontsize=10)
        nothing_CC = np.zeros((len(classes), len(classes)))
        self._image = axes.imshow(nothing_CC, vmin=0, vmax=1, cmap="Blues")
        _name_classes(axes, classes, few)
        bar = figure.colorbar(self._image, ax=axes, shrink=0.8, format=PercentFormatter(1))
        bar.set_label("share of the true class", fontsize=8)
        self._figure, self._axes, self._is_counted = figure, axes, few

    def draw(self, report: EvalReport, path: Path) -> Path:
        """Share of each true class that was called what; of not too many classes with the counts.

        A cell in which nothing fell stays blank: most are, and a text takes a millisecond to draw.
        What was called by a name that is none of the classes is left out, and missing in its row.
        """
        counts = np.array(report.confusion)
        counts_CC = counts[:, : len(counts)]
        shares_CC = counts_CC / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        self._axes.title.set_text(f"{report.candidate.name}, {report.rows:,} {report.split} rows")
        self._image.set_data(shares_CC)
        for before in list(self._axes.texts):
            before.remove()
        for row, column in np.argwhere(counts_CC) if self._is_counted else ():
            share = shares_CC[row, column]
            text = f"{share:.0%}\n{counts_CC[row, column]:,}"
            colour = "white" if share > 0.5 else "black"
            self._axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=9)
        return save_figure(self._figure, path)


def _name_classes(axes: Any, classes: Sequence[str], few: bool) -> None:
    """Names at both sides, cut when long; of very many classes every so many."""
    step = -(-len(classes) // MOST_NAMED)
    places = range(0, len(classes), step)
    names = [classes[place] for place in places]
    short = [
        name if len(name) <= MOST_LETTERS else name[: MOST_LETTERS - 3] + "..." for name in names
    ]
    size = 10 if few else 7
    axes.set_xticks(places, short, rotation=30 if few else 90, ha="right" if few else "center")
    axes.set_yticks(places, short)
    axes.tick_params(labelsize=size)


def plot_predicted(
    report: EvalReport, truth_N: NDArray[Any], found_N: NDArray[Any], path: Path
) -> Path:
    """Predicted numbers over true ones; on the line they are equal."""
    figure = Figure(figsize=(5.2, 5), dpi=DPI, layout="constrained")
    axes = figure.add_subplot(xlabel="true", ylabel="predicted")
    axes.set_title(f"{report.candidate.name}, {report.rows:,} {report.split} rows", fontsize=10)
    ends = float(min(truth_N.min(), found_N.min())), float(max(truth_N.max(), found_N.max()))
    axes.plot(ends, ends, "--", color="0.5", linewidth=1)
    shade = min(1.0, 0.05 + 200 / len(truth_N))
    axes.scatter(truth_N, found_N, s=8, color=COLOURS[0], alpha=shade, linewidths=0)
    axes.grid(alpha=0.3)
    return save_figure(figure, path)


def plot_bits(report: EvalReport, bits_N: NDArray[Any], path: Path) -> Path:
    """Rows by the bits in which a byte of theirs is told; the line is all texts together."""
    figure = Figure(figsize=(5.6, 3.6), dpi=DPI, layout="constrained")
    axes = figure.add_subplot(xlabel="bits per byte", ylabel="rows")
    axes.set_title(f"{report.candidate.name}, {report.rows:,} {report.split} rows", fontsize=10)
    axes.hist(bits_N, bins=40, range=(0, float(np.quantile(bits_N, 0.99))), color=COLOURS[0])
    whole = report.metrics["bits_per_byte"]
    axes.axvline(whole, color=COLOURS[1], label=f"all together {whole:.3f}")
    axes.legend(fontsize=8, frameon=False)
    axes.grid(alpha=0.3)
    return save_figure(figure, path)


def plot_pareto(
    reports: Sequence[EvalReport], metric: str, selected: str | None, path: Path
) -> Path:
    """Quality against latency, area by bytes; what no other beats in both is joined by a line."""
    figure = Figure(figsize=(8.2, 5.2), dpi=DPI, layout="constrained")
    draw_pareto(figure.add_subplot(), reports, metric, selected, ROLE_COLOURS)
    return save_figure(figure, path)


def plot_learning_curves(histories: Mapping[str, Sequence[Point]], metric: str, path: Path) -> Path:
    """One validation metric over the optimizer's steps, one line a model that recorded it."""
    figure = Figure(figsize=(7, 4.2), dpi=DPI, layout="constrained")
    axes = figure.add_subplot(xlabel="optimizer step", ylabel=metric)
    for index, (name, history) in enumerate(histories.items()):
        points = [(point["step"], point[metric]) for point in history if metric in point]
        if points:
            line = "-o" if index < len(COLOURS) else "--s"
            colour = COLOURS[index % len(COLOURS)]
            axes.plot(*zip(*points, strict=True), line, color=colour, markersize=3, label=name)
    axes.grid(alpha=0.3)
    if axes.lines:
        axes.legend(fontsize=8, frameon=False)
    return save_figure(figure, path)


def plot_learning_rates(tuned: Tuned, path: Path) -> Path:
    """Loss over the ramp of rates, scores of the sweep's trials, and the rate that was chosen."""
    figure = Figure(figsize=(7.6, 4.2), dpi=DPI, layout="constrained")
    axes = figure.add_subplot(xlabel="learning rate", ylabel="smoothed loss", xscale="log")
    if tuned.range_test:
        _draw_range_test(axes, tuned.range_test)
    if tuned.suggested:
        axes.axvline(tuned.suggested, color=COLOURS[0], linestyle=":", label="its steepest place")
    if tuned.trials:
        _draw_trials(axes.twinx(), tuned.trials)
    if tuned.interval and tuned.interval[0] < tuned.interval[1]:
        axes.axvspan(*tuned.interval, color=COLOURS[1], alpha=0.12, label="as good as the best")
    if tuned.lr:
        if not (tuned.range_test or tuned.trials):
            axes.set_xlim(tuned.lr / 10, tuned.lr * 10)
        axes.axvline(tuned.lr, color=COLOURS[1], label=f"chosen {tuned.lr:.2g}")
        figure.legend(loc="outside upper center", ncols=5, fontsize=8, frameon=False)
    return save_figure(figure, path)


def _draw_range_test(axes: Any, curve: Sequence[tuple[float, float]]) -> None:
    """The curve; what explodes beyond its lowest place leaves the picture at the top."""
    rates, losses = zip(*curve, strict=True)
    axes.plot(rates, losses, color=COLOURS[0], label="range test")
    lowest = min(losses)
    highest = EXPLODED * max(losses[: losses.index(lowest) + 1])
    if max(losses) > highest:
        axes.set_ylim(lowest - 0.05 * (highest - lowest), highest)


def _draw_trials(axes: Any, trials: Sequence[RateTrial]) -> None:
    """Mean score of each rate, from the worst to the best seed; a mark for each schedule.

    Those that fell apart are left out.
    """
    axes.set_ylabel("validation score of the sweep")
    for index, schedule in enumerate(dict.fromkeys(trial.schedule for trial in trials)):
        kept = [t for t in trials if t.schedule == schedule and min(t.scores) > FELL_APART]
        ends = [[t.score - min(t.scores), max(t.scores) - t.score] for t in kept]
        axes.errorbar(
            [t.lr for t in kept],
            [t.score for t in kept],
            yerr=np.array(ends).T if kept else None,
            fmt="os^vDP*Xh"[index],
            color=COLOURS[2 + index % 5],
            capsize=3,
            label=f"sweep, {schedule}",
        )


def plot_hits(report: EvalReport, hits_K: NDArray[np.int64], path: Path) -> Path:
    """Events whose item stands at each place of the answer."""
    figure = Figure(figsize=(4.6, 3.4), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    axes.bar(np.arange(len(hits_K)) + 1, hits_K, color=COLOURS[0])
    share = f"{hits_K.sum():,} of {report.rows:,} events"
    axes.set(xlabel="place in the answer", ylabel="events", title=share)
    return save_figure(figure, path)


def plot_reliability(
    probabilities: Mapping[str, Probabilities], labels_N: Labels, path: Path
) -> Path:
    """How often the likeliest class is right, against how sure the model was; rows a bin below.

    One line for each name, the first on top.
    """
    figure = Figure(figsize=(4.6, 5.4), dpi=DPI, layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    upper.plot((0, 1), (0, 1), "--", color="0.5", linewidth=1, label="perfectly calibrated")
    for index, (name, found_NC) in enumerate(probabilities.items()):
        confidence_N, right_N, bin_N = reliability(found_NC, labels_N)
        rows_K = np.bincount(bin_N, minlength=BINS)
        used = rows_K > 0
        sure_K = np.bincount(bin_N, confidence_N, BINS)[used] / rows_K[used]
        right_K = np.bincount(bin_N, right_N, BINS)[used] / rows_K[used]
        look: dict[str, Any] = {"color": COLOURS[index], "zorder": 3 - index}
        upper.plot(sure_K, right_K, "-o", markersize=4, label=name, **look)
        lower.stairs(rows_K, np.arange(BINS + 1) / BINS, fill=not index, **look)
    upper.set(ylabel="share that is right", xlim=(0, 1), ylim=(0, 1))
    upper.legend(fontsize=8, frameon=False, loc="upper left")
    upper.grid(alpha=0.3)
    lower.set(xlabel="confidence of the likeliest class", ylabel="rows")
    return save_figure(figure, path)


def save_figure(figure: Figure, path: Path) -> Path:
    """Write the picture; its path. The same figure gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if (layout := figure.get_layout_engine()) is not None:
        # Once, by itself: saving would draw everything unseen to lay it out, and then draw it.
        layout.execute(figure)
        figure.set_layout_engine(None)
    figure.savefig(path, metadata={"Software": None})
    return path
