"""The record, the secrets and the ports of a home."""

from pathlib import Path

import pytest

from infra.home import BLOCK_SIZE, SECRETS, SERVICE_PORTS, open_home, record_home, write_private


def test_a_folder_without_a_stack_is_refused_with_the_command_that_makes_one(
    tmp_path: Path,
) -> None:
    with pytest.raises(ValueError, match="modelworks up"):
        open_home(tmp_path)


@pytest.mark.parametrize("text", ["{", '{"format": 2, "first_port": 1}'], ids=["cut", "newer"])
def test_a_record_that_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "stack.json").write_text(text)
    with pytest.raises(ValueError, match=r"stack\.json"):
        open_home(tmp_path)


def test_secrets_are_long_different_and_only_for_their_owner(tmp_path: Path) -> None:
    home = record_home(tmp_path / "home", 20000)
    values = {home.secret(name) for name in SECRETS}
    assert len(values) == len(SECRETS)
    assert min(map(len, values)) >= 32
    assert {home.secret_file(name).stat().st_mode & 0o777 for name in SECRETS} == {0o600}
    assert home.path.stat().st_mode & 0o777 == 0o700


def test_recording_again_keeps_every_secret(tmp_path: Path) -> None:
    first = record_home(tmp_path / "home", 20000)
    before = {name: first.secret(name) for name in SECRETS}
    again = record_home(tmp_path / "home", 20200)
    assert {name: again.secret(name) for name in SECRETS} == before
    assert open_home(tmp_path / "home").first_port == 20200


def test_no_two_listeners_share_a_port_and_all_stay_in_the_block(tmp_path: Path) -> None:
    home = record_home(tmp_path, 20000)
    ports = [*(home.port(name) for name in SERVICE_PORTS), *home.ray_worker_ports]
    assert len(ports) == len(set(ports))
    assert min(ports) == 20000
    assert max(ports) == 20000 + BLOCK_SIZE - 1


def test_a_failed_write_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    write_private(file, "old")
    with pytest.raises(UnicodeEncodeError):
        write_private(file, "\ud800")
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]
