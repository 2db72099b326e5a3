"""Blocks of ports: free when chosen, and the holder of a taken one is named."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.home import BLOCK_SIZE, record_home
from infra.stack.errors import StackError
from infra.stack.ports import all_ports, check_ports, free_block, holder, listening


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_a_block_with_a_taken_port_is_passed_over(tmp_path: Path) -> None:
    first = free_block(tmp_path)
    with socket.create_server(("127.0.0.1", first + BLOCK_SIZE - 1)):
        assert free_block(tmp_path) != first


def test_two_homes_begin_their_search_apart(tmp_path: Path) -> None:
    blocks = {free_block(tmp_path / str(number)) for number in range(6)}
    assert len(blocks) > 1


def test_the_holder_of_a_port_is_named(listener: socket.socket) -> None:
    assert f"(pid {os.getpid()})" in holder(listener.getsockname()[1])


ALL = "0.0.0.0"  # noqa: S104


@pytest.mark.parametrize("address", ["127.0.0.1", ALL], ids=["loopback", "all"])
def test_a_taken_port_stops_the_start_with_its_holder(tmp_path: Path, address: str) -> None:
    home = record_home(tmp_path, free_block(tmp_path))
    check_ports(home)
    with socket.create_server((address, home.port("mlflow"))):
        with pytest.raises(StackError, match=rf"\(mlflow\) is held by .*{os.getpid()}"):
            check_ports(home)
        assert listening(all_ports(home)) == [home.port("mlflow")]
