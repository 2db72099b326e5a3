"""What a step answered before, without running anything."""

import json
from typing import Any

from prefect._internal.result_records import ResultRecord

from infra.storage import open_storage


def kept_result(key: str) -> Any | None:
    """Return the answer that is kept under a step's key, or None."""
    try:
        blob = open_storage().get(f"steps/{key}")
    except KeyError:
        return None
    if json.loads(blob)["metadata"]["serializer"]["type"] != "json":
        return None  # not written by a step of ours; nothing else is ever decoded
    record: ResultRecord[Any] = ResultRecord.deserialize(blob)
    return record.result
