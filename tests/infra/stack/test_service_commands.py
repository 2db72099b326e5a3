"""How services are started: no secret in argv, no path that outlives a move, one clean launch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.home import SECRETS, Home, record_home
from infra.stack import launch
from infra.stack.processes import MARK
from infra.stack.services import SERVICES, command_of, environment_of, write_configurations
from infra.stack.sockets import make_socket_folder, remove_socket_folder, socket_folder


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return record_home(tmp_path / "a home", 20000)


@pytest.mark.parametrize("service", [each.name for each in SERVICES])
def test_no_argument_holds_a_secret(service: str, home: Home) -> None:
    line = " ".join(command_of(service, home))
    assert not [name for name in SECRETS if home.secret(name) in line]


@pytest.mark.parametrize("service", [each.name for each in SERVICES])
def test_nothing_of_the_callers_shell_reaches_a_service(
    service: str, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://elsewhere")
    variables = environment_of(service, home)
    assert "AWS_PROFILE" not in variables
    assert variables.get("MLFLOW_TRACKING_URI") != "http://elsewhere"
    assert variables[MARK] == str(home.path)


def test_postgres_needs_no_secret_at_all(home: Home) -> None:
    values = environment_of("postgres", home).values()
    assert not [name for name in SECRETS if home.secret(name) in values]


def test_configurations_are_for_their_owner_only(home: Home) -> None:
    write_configurations(home)
    assert {file.stat().st_mode & 0o777 for file in home.run.iterdir()} == {0o600}


def test_the_folder_for_sockets_is_short_private_and_gone_afterwards(home: Home) -> None:
    folder = make_socket_folder(home)
    try:
        assert folder == socket_folder(home)
        assert len(str(folder)) < 32
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "ray").resolve() == home.path / "ray"
    finally:
        remove_socket_folder(home)
    assert not folder.exists()
    assert (home.path / "ray").is_dir()


def test_a_launched_service_gets_its_own_environment_and_folder(home: Home) -> None:
    service = {
        "command": [sys.executable, "-c", "import os; print(os.getcwd(), dict(os.environ))"],
        "environment": {"A": "1 % \" ' #"},
        "folder": str(home.path),
    }
    (home.run / "services.json").write_text(json.dumps({"x": service}))
    said = subprocess.run(
        [sys.executable, launch.__file__, "x"],
        env={**os.environ, MARK: str(home.path), "B": "2"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said.startswith(f"{home.path} ")
    assert repr(service["environment"]["A"]) in said
    assert "'B'" not in said
