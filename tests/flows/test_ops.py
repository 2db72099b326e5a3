"""NAME and NAME@VERSION, as all commands of ops take them."""

import pytest

from flows.cli import champions


@pytest.mark.parametrize(
    ("reference", "expected"),
    [("tweets", ("tweets", None)), ("tweets@", ("tweets", None)), ("tweets@12", ("tweets", 12))],
)
def test_a_version_may_be_named(
    reference: str, expected: tuple[str, int | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(champions, "open_ledger", lambda project: project)
    assert champions.opened(reference) == expected


@pytest.mark.parametrize("version", ["two", "-1", "1.5", "3@4", " 3"])
def test_a_version_that_is_no_number_is_refused(version: str) -> None:
    with pytest.raises(ValueError, match=r"of tweets must be a number, as in tweets@3"):
        champions.opened(f"tweets@{version}")
