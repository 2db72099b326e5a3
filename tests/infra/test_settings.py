"""Settings come from the environment, and a missing one is named."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.environment import environment
from infra.home import record_home
from infra.settings import load_settings


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    load_settings.cache_clear()
    yield
    load_settings.cache_clear()


def test_the_environment_of_a_home_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_home(tmp_path, 20000)
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.home == tmp_path
    assert settings.s3_endpoint == "http://127.0.0.1:20001"
    assert settings.database_url.get_secret_value().endswith(":20000/modelworks")


def test_a_printed_setting_hides_its_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = record_home(tmp_path, 20000)
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    shown = repr(load_settings())
    assert not any(home.secret(name) in shown for name in ("postgres", "s3_secret_key", "mlflow"))


def test_a_missing_variable_is_named_with_the_command_that_sets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_home(tmp_path, 20000)
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    with pytest.raises(ValueError, match=r"^AWS_ENDPOINT_URL_S3 must be set.*modelworks up"):
        load_settings()
