"""No secret of a home is anywhere that a reader of logs, records or process lists could see."""

import json
from pathlib import Path

import mlflow
import psutil
import pytest

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def secrets(stack: Path) -> list[str]:
    found = [path.read_text().strip() for path in (stack / "secrets").rglob("*") if path.is_file()]
    values = [value for value in found if len(value) >= 16 and "\n" not in value]
    assert len(values) >= 4, "the canaries are the stack's own generated secrets"
    return values


def test_secret_files_are_for_their_owner_only(stack: Path) -> None:
    for path in (stack / "secrets").rglob("*"):
        if path.is_file():
            assert path.stat().st_mode & 0o077 == 0, path


def test_no_log_holds_a_secret(stack: Path, secrets: list[str]) -> None:
    for log in (stack / "logs").rglob("*"):
        if log.is_file():
            text = log.read_text(errors="replace")
            assert not [log for secret in secrets if secret in text], log


def test_no_argument_list_holds_a_secret(secrets: list[str]) -> None:
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or [])
        assert not any(secret in line for secret in secrets), process


def test_no_record_in_mlflow_holds_a_secret(stack: Path, secrets: list[str]) -> None:
    client = mlflow.MlflowClient()
    ids = [experiment.experiment_id for experiment in client.search_experiments()]
    text = json.dumps([run.to_dictionary() for run in client.search_runs(ids)])
    assert not any(secret in text for secret in secrets)


def test_no_record_in_prefect_holds_a_secret(stack: Path, secrets: list[str]) -> None:
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        runs, blocks = client.read_flow_runs(limit=50), client.read_block_documents(limit=50)
        logs = client.read_logs(limit=200)
    text = " ".join(item.model_dump_json() for item in (*runs, *blocks, *logs))
    assert not any(secret in text for secret in secrets)
