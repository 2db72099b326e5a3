import getpass

import pytest

from tasks.promotion.actor import actor


def test_the_variable_names_the_actor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELWORKS_ACTOR", " ann ")
    assert actor() == "ann"


def test_else_the_user_of_the_system_acts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MODELWORKS_ACTOR", raising=False)
    assert actor() == getpass.getuser()
