"""What storage does when the way to the server is bad: a client that fails on purpose."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from infra.storage import Conflict, Storage, StorageUnreachable


class FailingClient:
    """Fails `failures` times with `error`, then answers."""

    meta = SimpleNamespace(endpoint_url="http://127.0.0.1:1")

    def __init__(self, error: Exception, failures: int, stored: bytes = b"x") -> None:
        self.error, self.failures, self.stored = error, failures, stored
        self.calls = 0

    def put_object(self, **_: Any) -> dict[str, str]:
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error
        return {"ETag": "e"}

    def get_object(self, **_: Any) -> dict[str, Any]:
        return {"Body": SimpleNamespace(read=lambda: self.stored), "ETag": "e"}


def storage(client: FailingClient, patience_seconds: float = 5) -> Storage:
    return Storage(client, "b", Path("unused"), patience_seconds)  # type: ignore[arg-type]


def refusal(code: str, status: int) -> ClientError:
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "PutObject")


DOWN = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")


@pytest.mark.parametrize(
    "error", [DOWN, refusal("InternalError", 500), refusal("SlowDown", 503)], ids=str
)
def test_a_passing_failure_is_waited_out(error: Exception) -> None:
    client = FailingClient(error, failures=2)
    assert storage(client).put("k", b"x") == "e"
    assert client.calls == 3


def test_a_server_that_stays_away_is_one_sentence() -> None:
    with pytest.raises(StorageUnreachable) as caught:
        storage(FailingClient(DOWN, failures=99), patience_seconds=0.1).put("k", b"x")
    assert str(caught.value) == (
        "S3 at http://127.0.0.1:1 does not answer: "
        "see `modelworks doctor`, or start it with `modelworks up`"
    )


def test_a_refusal_is_not_repeated() -> None:
    client = FailingClient(refusal("AccessDenied", 403), failures=99)
    with pytest.raises(ClientError):
        storage(client).put("k", b"x")
    assert client.calls == 1


def test_a_lost_answer_to_our_own_write_is_no_conflict() -> None:
    lost = FailingClient(refusal("PreconditionFailed", 412), failures=99, stored=b"mine")
    assert storage(lost).put_if_match("k", b"mine", None) == "e"
    with pytest.raises(Conflict, match="k has changed: another writer was faster"):
        storage(lost).put_if_match("k", b"other", None)
