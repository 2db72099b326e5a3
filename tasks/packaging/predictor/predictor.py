"""Encoder and graph together, loaded from a bundle folder."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from .encoder import Encoder, allowed, load_encoder
from .forms import FORMS
from .language import BytePairs, Sampling, continuation, row_sums, sampling_of, told_tokens

FORMAT = 1
PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "directml": "DmlExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
}
"""What computes a graph, by the short name; the CPU takes what another cannot."""


class Predictor:
    """Class probabilities, or of a regression numbers, for rows that are given as columns."""

    def __init__(self, session: Any, encoder: Encoder, facts: Mapping[str, Any]) -> None:
        self.classes: tuple[str, ...] = tuple(facts["classes"])
        self.inputs: tuple[str, ...] = tuple(facts["inputs"])
        self.target: str = facts["target"]
        # Bundles from before tasks were named: those of numbers have a scale.
        task = facts.get("task") or ("regression" if facts.get("scale") else "classification")
        self._form = FORMS[task](facts)
        self.suffixes: tuple[str, ...] = getattr(encoder, "suffixes", ())
        """How a cell ends that names a file; none where cells hold the values themselves."""
        self.layout: dict[str, str] = getattr(encoder, "layout", {})
        """Of a table with a row for each step: the columns `id` and `time`."""
        self.settings: dict[str, Any] = {}
        """What `answer` may be told for one call, and what holds when it is not."""
        self._session, self._encoder = session, encoder
        self._most_rows: int = facts["batch_rows"]

    @classmethod
    def load(cls, folder: Path, threads: int = 1, provider: str = "cpu") -> "Predictor":
        """From `model.onnx`, `predictor.json` and the encoder's files in `folder`.

        ValueError names a provider that this runtime does not offer.
        """
        folder = Path(folder)
        facts = json.loads((folder / "predictor.json").read_text(encoding="utf-8"))
        if facts.get("format") != FORMAT:
            path = folder / "predictor.json"
            raise ValueError(f"{path}: format {facts.get('format')!r} must be {FORMAT}")
        encoder = load_encoder(facts["encoder"], folder)
        opened = Writer if facts.get("task") == "generation" else cls
        session = _open_session(folder / "model.onnx", threads, provider)
        return opened(session, encoder, facts)

    def probabilities(
        self, columns: Mapping[str, Sequence[Any]], batch_rows: int | None = None
    ) -> np.ndarray:
        """float32 [rows, classes] in row order; ValueError names a bad column or row.

        Of a regression, the predicted numbers as one column.
        Left out, `batch_rows` is the encoder's; a bundle may hold it down: see `BundleFacts`.
        """
        rows = self._encoder.rows(columns)
        if len(rows) == 1:
            return self._answers(rows)
        batch_rows = min(batch_rows or self._encoder.batch_rows, self._most_rows)
        # Rows of like length share a batch, so that little of it is padding.
        order = sorted(range(len(rows)), key=lambda index: self._encoder.length(rows[index]))
        found = np.empty((len(rows), self._form.width), np.float32)
        for start in range(0, len(rows), batch_rows):
            chosen = order[start : start + batch_rows]
            found[chosen] = self._answers([rows[index] for index in chosen])
        return found

    def labels(self, probabilities: np.ndarray) -> list[str]:
        """The likeliest class of each row."""
        return [self.classes[index] for index in probabilities.argmax(axis=1)]

    def answer(
        self, columns: Mapping[str, Sequence[Any]], sampling: Mapping[str, Any] | None = None
    ) -> dict[str, list[Any]]:
        """What a person sees, by column: `label` and `probability_<class>`, or `prediction`.

        `sampling` is for models that write texts; ValueError when another is given some.
        """
        if sampling:
            raise ValueError(f"{next(iter(sampling))} is for models that write texts, not for this")
        return self._form.said(self.probabilities(columns))

    def _answers(self, rows: list[Any]) -> np.ndarray:
        logits = self._logits(self._encoder.batch(rows))
        return self._form.finished(allowed(self._encoder, rows, logits))

    def _logits(self, arrays: dict[str, np.ndarray]) -> np.ndarray:
        (logits,) = self._session.run(None, arrays)
        return np.asarray(logits)


class Writer(Predictor):
    """Of texts: how likely they are, and how they may go on."""

    _encoder: BytePairs

    def __init__(self, session: Any, encoder: Encoder, facts: Mapping[str, Any]) -> None:
        super().__init__(session, encoder, facts)
        self.settings = asdict(Sampling())

    def probabilities(
        self, columns: Mapping[str, Sequence[Any]], batch_rows: int | None = None
    ) -> np.ndarray:
        """float32 [rows, 3]: minus the log likelihood (nats), tokens and bytes of each text."""
        batch_rows = min(batch_rows or self._encoder.batch_rows, self._most_rows)
        rows = self._encoder.rows(columns)
        return row_sums(rows, self._logits, self._encoder, batch_rows)

    def answer(
        self, columns: Mapping[str, Sequence[Any]], sampling: Mapping[str, Any] | None = None
    ) -> dict[str, list[Any]]:
        """`continuation` of each text, and `bits_per_byte`, in which the text itself is told.

        A continuation depends on the text, the sampling (its seed too) and the row's place.
        """
        found = [self._encoder.text(tokens) for tokens in self.drawn(columns, sampling)]
        return {"continuation": found} | self._form.said(self.probabilities(columns))

    def told(self, columns: Mapping[str, Sequence[Any]]) -> list[list[tuple[str, int, float]]]:
        """Of each text its tokens, and last its end: the piece of text, its bytes, and minus the
        log likelihood (nats) of the token after those before it."""
        return [
            told_tokens(row, self._logits, self._encoder) for row in self._encoder.rows(columns)
        ]

    def drawn(
        self, columns: Mapping[str, Sequence[Any]], sampling: Mapping[str, Any] | None = None
    ) -> list[list[int]]:
        """The tokens that are written after each text."""
        asked = sampling_of(sampling or {})
        prompts = self._encoder.rows(columns)
        return [
            continuation(prompt, self._logits, self._encoder, asked, row)
            for row, prompt in enumerate(prompts)
        ]


def check_provider(provider: str) -> None:
    """Raise ValueError for one that the runtime here does not offer."""
    there = onnxruntime.get_available_providers()
    offered = [name for name, full in PROVIDERS.items() if full in there]
    if provider not in offered:
        raise ValueError(
            f"provider {provider}: ONNX Runtime offers {' and '.join(offered)} on this machine"
        )


def _open_session(path: Path, threads: int, provider: str = "cpu") -> Any:
    check_provider(provider)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The fused kernel is a scalar loop on CPU: 100 us where adding and LayerNormalization take 27
    # (35 tokens of width 384), a sixth of an int8 two-layer encoder.
    return onnxruntime.InferenceSession(
        str(path),
        options,
        providers=list(dict.fromkeys([PROVIDERS[provider], PROVIDERS["cpu"]])),
        disabled_optimizers=["SkipLayerNormFusion"],
    )
