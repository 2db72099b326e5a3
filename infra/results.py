"""Where Prefect keeps what a step returned: JSON objects under `steps/` in our bucket.

Steps name no storage themselves, so importing one asks nothing of any server. The block is the
Prefect server's own default: a run that `modelworks run` starts and one that the worker starts at
night find it alike, with no variable to forget. Each process that runs a flow imports this module,
which makes the block's type known to Prefect.
"""

import asyncio
import json
from typing import Any
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.filesystems import WritableFileSystem
from prefect.utilities.asyncutils import sync_compatible

from infra.storage import open_storage

BLOCK_NAME = "steps"


class StepResults(WritableFileSystem):
    """Step results in S3. Holds no address and no secret: each process has its own settings."""

    _block_type_name = "Modelworks Results"
    _block_type_slug = "modelworks-results"
    _description = "Results of modelworks steps, in its S3 bucket."

    prefix: str = "steps"

    # Prefect calls these from threads and from its event loop. Plain async methods would be
    # awaited by nobody when called from a thread: the step completes and nothing is stored.
    @sync_compatible
    async def read_path(self, path: str) -> bytes:
        """The stored result; ValueError when there is none, as Prefect's own storages do."""
        try:
            content = await asyncio.to_thread(open_storage().get, f"{self.prefix}/{path}")
        except KeyError as error:
            raise ValueError(f"no result is stored under {path}") from error
        _refuse_pickle(content, path)
        return content

    @sync_compatible
    async def write_path(self, path: str, content: bytes) -> None:
        """Store the result."""
        await asyncio.to_thread(open_storage().put, f"{self.prefix}/{path}", content)


def _refuse_pickle(content: bytes, path: str) -> None:
    """A record names its own serializer, so whoever may write the bucket could name pickle."""
    serializer = json.loads(content)["metadata"]["serializer"]["type"]
    if serializer != "json":
        raise ValueError(f"the result under {path} is kept as {serializer!r}; only json is read")


def ensure_result_block() -> UUID:
    """Make the block the Prefect server's default result storage, if it is not; its id."""
    block_id = _find_or_save_block()
    with get_client(sync_client=True) as client:
        default = client.read_server_default_result_storage()
        if default.default_result_storage_block_id != block_id:
            client.update_server_default_result_storage(block_id)
    return block_id


def _find_or_save_block() -> UUID:
    block: Any
    try:
        block = StepResults.load(BLOCK_NAME)
    except ValueError:
        block = StepResults()
        block.save(BLOCK_NAME, overwrite=True)
    block_id: UUID = block._block_document_id
    return block_id
