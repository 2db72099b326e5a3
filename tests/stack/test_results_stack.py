"""What a step returned lies in S3 as JSON, and is met again."""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from infra.storage import open_storage
from tasks.artifacts import Check

pytestmark = pytest.mark.stack


@pytest.fixture
def key(stack: Path) -> Iterator[str]:
    made = f"test-results-{uuid4().hex}"
    yield made
    for name in open_storage().keys(f"steps/{made}"):
        open_storage().delete(name)


def test_a_result_is_kept_as_json_and_met_again(key: str) -> None:
    # Prefect reads its settings when it is imported, so not before the stack has set them.
    from prefect import flow, task

    from infra.results import ensure_result_block

    assert ensure_result_block() == ensure_result_block()

    @task(cache_key_fn=lambda *_: key, persist_result=True, result_serializer="json")
    def work() -> Check:
        return Check(name="a", passed=True, detail="done")

    @flow(persist_result=False)
    def twice() -> tuple[str, str, Check]:
        first, second = work(return_state=True), work.submit()
        second.wait()
        return first.name, second.state.name, second.result()

    assert twice() == ("Completed", "Cached", Check(name="a", passed=True, detail="done"))
    record = json.loads(open_storage().get(f"steps/{key}"))
    assert record["metadata"]["serializer"]["type"] == "json"
    assert "tasks.artifacts.Check" in record["result"]


def test_a_pickled_result_is_not_read(key: str) -> None:
    from infra.results import StepResults

    record = {"metadata": {"serializer": {"type": "pickle"}}, "result": "gASVAA=="}
    open_storage().put(f"steps/{key}", json.dumps(record).encode())
    with pytest.raises(ValueError, match="is kept as 'pickle'; only json is read"):
        StepResults().read_path(key, _sync=True)  # type: ignore[call-arg]


def test_what_was_never_kept_is_a_value_error(key: str) -> None:
    from infra.results import StepResults

    with pytest.raises(ValueError, match="no result is stored under"):
        StepResults().read_path(key, _sync=True)  # type: ignore[call-arg]
