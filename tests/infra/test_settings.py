"""Settings come from the environment, and a missing one is named."""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from infra.environment import environment
from infra.home import record_home
from infra.settings import load_settings
from tasks.costs.cost import Prices


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


def test_prices_are_nothing_and_watts_are_usual_until_they_are_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_home(tmp_path, 20000)
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MODELWORKS_PRICE_GPU_HOUR", "2.5")
    settings = load_settings()
    assert (settings.price_cpu_hour, settings.price_gpu_hour) == (0, 2.5)
    assert (settings.watts_cpu_core, settings.watts_gpu) == (12, 200)
    assert Prices(**{each.name: getattr(settings, each.name) for each in fields(Prices)}) == Prices(
        price_gpu_hour=2.5
    )


@pytest.mark.parametrize("value", ["-1", "cheap", "nan", "inf"])
def test_a_price_that_is_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    record_home(tmp_path, 20000)
    for name, given in environment(tmp_path).items():
        monkeypatch.setenv(name, given)
    monkeypatch.setenv("MODELWORKS_PRICE_CPU_HOUR", value)
    with pytest.raises(
        ValueError,
        match=f"^MODELWORKS_PRICE_CPU_HOUR '{value}': a finite number of at least 0 was expected$",
    ):
        load_settings()
