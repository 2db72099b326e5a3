"""What the doctor finds without a stack, and whom a listener is open to."""

from pathlib import Path

import pytest

from infra.home import record_home
from infra.stack import explain
from infra.stack.doctor import examine
from infra.stack.ports import free_block
from infra.stack.processes import Listener


def test_a_home_without_a_stack_is_mended_by_up(tmp_path: Path) -> None:
    (finding,) = examine(tmp_path)
    assert finding.mend == "modelworks up"


def test_a_stack_that_is_down_is_mended_by_up(tmp_path: Path) -> None:
    record_home(tmp_path, free_block(tmp_path))
    assert [found.mend for found in examine(tmp_path) if "down" in found.problem] == [
        "modelworks up"
    ]
    assert "modelworks up" in (explain(tmp_path) or "")


def test_a_secret_that_others_may_read_is_found(tmp_path: Path) -> None:
    home = record_home(tmp_path, free_block(tmp_path))
    home.secret_file("mlflow").chmod(0o644)
    assert f"chmod 600 {home.secret_file('mlflow')}" in [found.mend for found in examine(tmp_path)]


@pytest.mark.parametrize(
    ("address", "is_loopback"),
    [
        ("127.0.0.1", True),
        ("127.0.1.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("::", False),
        ("0.0.0.0", False),  # noqa: S104
        ("192.168.0.7", False),
    ],
)
def test_loopback_is_told_from_the_rest(address: str, is_loopback: bool) -> None:
    assert Listener(address, 1, 1, "x").is_loopback is is_loopback
