"""A bucket that is a dictionary, and small artifacts."""

import hashlib
import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tasks.artifacts import Candidate, Cost, EvalReport, Latency
from tasks.promotion.ledger import Ledger


class DictConflict(Exception):
    pass


class DictStore:
    """Compare-and-swap as S3 has it; `before_put` lets a test crash or meddle."""

    conflict = DictConflict

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.before_put: Callable[[str], object] = len
        self.lock = threading.Lock()

    def get(self, key: str) -> bytes:
        return self.objects[key]

    def get_with_etag(self, key: str) -> tuple[bytes, str]:
        body = self.objects[key]
        return body, hashlib.sha256(body).hexdigest()

    def put_if_match(self, key: str, body: bytes, etag: str | None) -> str:
        self.before_put(key)
        with self.lock:
            stored = self.objects.get(key)
            found = None if stored is None else hashlib.sha256(stored).hexdigest()
            if found != etag:
                raise DictConflict(key)
            self.objects[key] = body
        return hashlib.sha256(body).hexdigest()

    def keys(self, prefix: str) -> list[str]:
        return sorted(key for key in list(self.objects) if key.startswith(prefix))


@pytest.fixture
def store() -> DictStore:
    return DictStore()


@pytest.fixture
def ledger(store: DictStore) -> Ledger:
    ticks: Iterator[int] = itertools.count()
    return Ledger(store, "tweets", now=lambda: f"2026-11-21T10:00:{next(ticks):02d}Z")


@pytest.fixture
def candidate() -> Callable[..., Candidate]:
    def make(name: str = "small", role: str = "student", size_bytes: int = 1_000_000) -> Candidate:
        sha256 = hashlib.sha256(name.encode()).hexdigest()
        return Candidate(
            name=name,
            role=role,  # type: ignore[arg-type]
            parent=None,
            uri=f"s3://modelworks/bundles/{sha256}/",
            sha256=sha256,
            size_bytes=size_bytes,
            params=10,
            model_sha256=sha256,
        )

    return make


@pytest.fixture
def report(candidate: Callable[..., Candidate]) -> Callable[..., EvalReport]:
    def make(name: str = "small", score: float = 0.7, **facts: Any) -> EvalReport:
        p50 = facts.get("p50", 1.0)
        latency = Latency(p50=p50, p95=facts.get("p95", 2 * p50), noise=facts.get("noise", 0.0))
        size = facts.get("size_bytes", 1_000_000)
        return EvalReport(
            candidate=candidate(name, facts.get("role", "student"), size),
            split=facts.get("split", "valid"),
            rows=100,
            metrics={"macro_f1": score, "accuracy": score},
            confusion=((1, 2), (3, 4)),
            predictions_uri=f"s3://modelworks/predictions/{name}/",
            cost=Cost(latency_ms=latency, rows_per_second=10, peak_memory_mb=100),
        )

    return make


@pytest.fixture
def truth() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 3, 2000)


@pytest.fixture
def predictions(truth: np.ndarray) -> Callable[[float, int], np.ndarray]:
    """Predictions that are right on a share of the rows, always the same rows first."""

    def make(accuracy: float, seed: int = 0) -> np.ndarray:
        order = np.random.default_rng(seed).permutation(len(truth))
        wrong = order[round(accuracy * len(truth)) :]
        made = truth.copy()
        made[wrong] = (made[wrong] + 1) % 3
        return made

    return make
