"""How much each layer minds fewer bits, and which are better left as they are.

A layer's noise is measured with that layer alone in fewer bits; the noise of several is about their
sum, so that the loudest are kept first (HAWQ, arXiv:1905.03696, orders layers likewise, by
curvature). Noise is the squared difference of the answers as a share of their variance.
"""

import logging
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from tasks.compression.config import QuantizeConfig
from tasks.compression.precisions import WRITERS, Feeds

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """What stays in float, and what the rest costs."""

    layers: tuple[str, ...]
    noise: float
    """Of the whole graph, those layers kept."""
    alone: dict[str, float]
    """Noise of each layer, the loudest first; empty when nobody asked."""


class Bench:
    """One graph, whose forms are compared with it on the same rows."""

    def __init__(
        self, model: onnx.ModelProto, form: QuantizeConfig, calibration: Feeds, choosing: Feeds
    ) -> None:
        self._model, self._form = model, form
        self._calibration, self._choosing = calibration, choosing
        self._expected = self._answers(model)

    def write(self, kept: Collection[str], target: Path) -> None:
        """Write the form in which these layers stay as they are."""
        WRITERS[self._form.precision](self._model, kept, self._calibration, target)

    def noise(self, kept: Collection[str]) -> float:
        """Of the form in which these layers stay as they are."""
        with tempfile.TemporaryDirectory(prefix="noise-") as folder:
            path = Path(folder, "form.onnx")
            self.write(kept, path)
            return noise_of(self._answers(path), self._expected)

    def _answers(self, graph: onnx.ModelProto | Path) -> NDArray[np.float32]:
        """Numbers that the graph answers, a line for each row, or for each token."""
        content = str(graph) if isinstance(graph, Path) else graph.SerializeToString()
        session = onnxruntime.InferenceSession(
            content, _one_thread(), providers=["CPUExecutionProvider"]
        )
        found = [session.run(None, dict(feed))[0] for feed in self._choosing]
        return np.concatenate([answer.reshape(-1, answer.shape[-1]) for answer in found])


def kept_layers(bench: Bench, layers: list[str], form: QuantizeConfig) -> Kept:
    """The fewest of the loudest layers that leave no more noise than the form allows."""
    if form.keep == "none":
        return Kept((), bench.noise(()), {})
    alone = {layer: bench.noise([x for x in layers if x != layer]) for layer in layers}
    alone = dict(sorted(alone.items(), key=lambda item: -item[1]))
    kept: list[str] = []
    noise = bench.noise(kept)
    for layer in alone:
        if noise <= form.most_noise:
            break
        kept.append(layer)
        noise = bench.noise(kept)
        log.info("%s kept (alone %.2g): noise %.2g", layer, alone[layer], noise)
    return Kept(tuple(kept), noise, alone)


def noise_of(found: NDArray[Any], expected: NDArray[Any]) -> float:
    """Squared difference as a share of the variance of what was expected."""
    spread = float(((expected - expected.mean(axis=0)) ** 2).sum())
    return float(((found - expected) ** 2).sum()) / spread if spread else 0.0


def _one_thread() -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return options
