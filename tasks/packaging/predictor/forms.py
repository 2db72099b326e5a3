"""What a graph's numbers mean, by task: probabilities of classes, a number, a likelihood."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from .language import bits_per_byte


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
        return np.asarray(_softmax(logits_BC / self._temperature), dtype=np.float32)

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


class TopItems:
    """The likeliest items and how likely each is: positions in the catalogue, then shares.

    Positions are exact in float32 up to 2**24.
    """

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self._names: tuple[str, ...] = tuple(facts["classes"])
        self._top = min(int(facts["encoder"]["top"]), len(self._names))
        self.width = 2 * self._top

    def finished(self, logits_BC: np.ndarray) -> np.ndarray:
        """The largest shares of the softmax in their order; 0 for an item that is barred."""
        shares_BC = _softmax(logits_BC)
        # Sorted by place first, so that of equal shares the first item stands first.
        places_BK = np.sort(np.argpartition(-shares_BC, self._top - 1, axis=1)[:, : self._top])
        shares_BK = np.take_along_axis(shares_BC, places_BK, axis=1)
        order_BK = np.argsort(-shares_BK, axis=1, kind="stable")
        found = [np.take_along_axis(each, order_BK, axis=1) for each in (places_BK, shares_BK)]
        return np.concatenate(found, axis=1, dtype=np.float32)

    def said(self, found_BC: np.ndarray) -> dict[str, list[Any]]:
        """`item_1`, `item_2`, ..., then `score_1`, ...; no item where nothing is left."""
        shares_BK = found_BC[:, self._top :]
        items = {
            f"item_{place + 1}": [
                self._names[int(item)] if share > 0 else None
                for item, share in zip(found_BC[:, place], shares_BK[:, place], strict=True)
            ]
            for place in range(self._top)
        }
        return items | {f"score_{i + 1}": shares_BK[:, i].tolist() for i in range(self._top)}


class Texts:
    """How likely a text is: minus its log likelihood (nats), its tokens and its bytes."""

    width = 3

    def __init__(self, facts: Mapping[str, Any]) -> None:
        del facts

    def finished(self, logits_BC: np.ndarray) -> np.ndarray:
        """The sums as they are, which the predictor of texts makes of every token's logits."""
        return logits_BC

    def said(self, found_BC: np.ndarray) -> dict[str, list[Any]]:
        """`bits_per_byte`."""
        return {"bits_per_byte": bits_per_byte(found_BC).tolist()}


FORMS: dict[str, Callable[[Mapping[str, Any]], Form]] = {
    "classification": Classes,
    "regression": Numbers,
    "ranking": TopItems,
    "generation": Texts,
}
"""By task."""


def _softmax(logits_BC: np.ndarray) -> np.ndarray:
    """Shares of each row; minus infinity has none, and zeros stand where nothing else is."""
    most_B1 = logits_BC.max(axis=1, keepdims=True)
    shifted = np.exp(logits_BC - np.where(np.isfinite(most_B1), most_B1, 0))
    total_B1 = shifted.sum(axis=1, keepdims=True)
    return np.asarray(shifted / np.where(total_B1 > 0, total_B1, 1))
