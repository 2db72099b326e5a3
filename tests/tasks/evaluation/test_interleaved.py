"""Blocks A B B A, each bundle twice: what is compared met the same machine."""

from functools import partial

import numpy as np
import pytest

from tasks.evaluation import interleaved
from tasks.evaluation.interleaved import figures_of, timed_blocks
from tasks.evaluation.measure import WARM_UP_ROWS, Columns

ROWS = [{"text": [str(index)]} for index in range(30)]


def test_who_is_asked_comes_in_turn_and_backwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interleaved, "BLOCK_SECONDS", 0.0)
    asked: list[str] = []

    def answer(name: str, row: Columns) -> None:
        asked.append(name)

    rounds = timed_blocks([partial(answer, name) for name in "abc"], ROWS)
    block = len(ROWS) + WARM_UP_ROWS
    assert "".join(asked[::block]) == "abccba"
    assert all(
        "".join(asked[i : i + block]) == asked[i] * block for i in range(0, len(asked), block)
    )
    assert np.array(rounds).shape == (2, 3, 2)


def test_rounds_are_even_however_much_time_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interleaved, "BLOCK_SECONDS", 1e9)
    assert len(timed_blocks([len], ROWS)) == interleaved.MOST_ROUNDS


def test_blocks_stand_with_those_that_they_are_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever way a round went: an answer is slow by being asked again and again."""
    monkeypatch.setattr(interleaved, "BLOCK_SECONDS", 0.0)
    clock = iter(np.cumsum(np.ones(100_000)))
    now = [0.0]

    def answer(milliseconds: float, row: Columns) -> None:
        now[0] += milliseconds / 1000

    monkeypatch.setattr("tasks.evaluation.measure.perf_counter", lambda: now[0])
    monkeypatch.setattr("tasks.evaluation.interleaved.perf_counter", lambda: next(clock))
    rounds = np.array(timed_blocks([partial(answer, ms) for ms in (1.0, 2.0, 7.0)], ROWS))
    np.testing.assert_allclose(rounds[:, :, 0], [[1, 2, 7], [1, 2, 7]])


def test_noise_is_what_lies_between_a_bundle_and_itself() -> None:
    first = np.array([[1.0, 2.0], [1.2, 2.2], [1.1, 2.1], [9.0, 9.0]])
    second = np.array([[1.3, 2.3], [1.25, 2.0], [1.2, 2.1], [1.3, 2.2]])
    found = figures_of(first, second)
    assert found["p50"] == np.median([*first[:, 0], *second[:, 0]])
    assert found["p95"] == np.median([*first[:, 1], *second[:, 1]])
    assert found["noise"] == pytest.approx(abs(1.15 - 1.275) / found["p50"])
    assert figures_of(first, first)["noise"] == 0
