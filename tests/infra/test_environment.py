"""Where the home is found, and what points clients at it."""

from pathlib import Path

import pytest

from infra.environment import environment, find_home
from infra.home import record_home


@pytest.fixture(autouse=True)
def _no_named_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MODELWORKS_HOME", raising=False)


def test_the_nearest_home_upwards_is_found(tmp_path: Path) -> None:
    (tmp_path / ".modelworks").mkdir()
    (tmp_path / "a/.modelworks").mkdir(parents=True)
    (tmp_path / "a/b/c").mkdir(parents=True)
    assert find_home(tmp_path / "a/b/c") == tmp_path / "a/.modelworks"
    assert find_home(tmp_path) == tmp_path / ".modelworks"


def test_a_named_home_wins_and_need_not_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".modelworks").mkdir()
    monkeypatch.setenv("MODELWORKS_HOME", str(tmp_path / "elsewhere"))
    assert find_home(tmp_path) == tmp_path / "elsewhere"


def test_a_home_without_a_stack_points_nowhere(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no stack yet"):
        environment(tmp_path)


def test_every_address_is_loopback_and_in_the_block(tmp_path: Path) -> None:
    record_home(tmp_path, 20000)
    variables = environment(tmp_path)
    for name in ("AWS_ENDPOINT_URL_S3", "MLFLOW_TRACKING_URI", "PREFECT_API_URL", "RAY_ADDRESS"):
        assert "127.0.0.1:20" in variables[name]
    assert variables["MODELWORKS_HOME"] == str(tmp_path)


def test_nothing_reports_home_and_nothing_unpickles(tmp_path: Path) -> None:
    record_home(tmp_path, 20000)
    variables = environment(tmp_path)
    assert variables["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert variables["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert variables["RAY_USAGE_STATS_ENABLED"] == "0"
    assert variables["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"


def test_two_homes_share_no_secret(tmp_path: Path) -> None:
    secret_names = ("AWS_SECRET_ACCESS_KEY", "MLFLOW_TRACKING_PASSWORD", "PREFECT_API_AUTH_STRING")
    record_home(tmp_path / "a", 20000)
    record_home(tmp_path / "b", 20200)
    one, other = environment(tmp_path / "a"), environment(tmp_path / "b")
    assert all(one[name] != other[name] for name in secret_names)
