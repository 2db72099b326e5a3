"""What a graph's numbers mean, by task: probabilities of classes, or a number in its own unit."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np


class Form(Protocol):
    """One task's answers."""

    width: int
    """Numbers of one row's answer."""

    def finished(self, logits_BC: np.ndarray) -> np.ndarray:
        """float32 [rows, width] from what the graph gave."""
        ...

    def said(self, found_BC: np.ndarray) -> dict[str, list[Any]]:
        """What a person sees, by column."""
        ...


class Classes:
    """Probabilities of named classes."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self._names: tuple[str, ...] = tuple(facts["classes"])
        self._temperature: float = facts.get("temperature", 1.0)
        self.width = len(self._names)

    def finished(self, logits_BC: np.ndarray) -> np.ndarray:
        """The softmax of the logits over the temperature."""
        divided_BC = logits_BC / self._temperature
        shifted = np.exp(divided_BC - divided_BC.max(axis=1, keepdims=True))
        return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float32)

    def said(self, found_BC: np.ndarray) -> dict[str, list[Any]]:
        """`label` and `probability_<class>`."""
        labels = [self._names[index] for index in found_BC.argmax(axis=1)]
        shares = {f"probability_{name}": found_BC[:, i] for i, name in enumerate(self._names)}
        return {"label": labels} | {name: share.tolist() for name, share in shares.items()}


class Numbers:
    """A number in its own unit, from a standard score."""

    width = 1

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self._mean, self._deviation = facts["scale"]

    def finished(self, logits_BC: np.ndarray) -> np.ndarray:
        """Scaled back."""
        return np.asarray(logits_BC * self._deviation + self._mean, dtype=np.float32)

    def said(self, found_BC: np.ndarray) -> dict[str, list[Any]]:
        """`prediction`."""
        return {"prediction": found_BC[:, 0].tolist()}


FORMS: dict[str, Callable[[Mapping[str, Any]], Form]] = {
    "classification": Classes,
    "regression": Numbers,
}
"""By task."""
