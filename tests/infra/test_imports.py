"""Imports that nobody looks through for garbage."""

import gc
import sys

import pytest

from infra.imports import import_whole


def test_what_is_imported_stays_and_collecting_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    before = gc.get_freeze_count()
    try:
        import_whole("colorsys")
        assert "colorsys" in sys.modules
        assert gc.get_freeze_count() > before
        assert gc.isenabled()
    finally:
        gc.unfreeze()


def test_a_module_that_is_not_there_leaves_collecting_on() -> None:
    try:
        with pytest.raises(ModuleNotFoundError):
            import_whole("no_such_module")
        assert gc.isenabled()
    finally:
        gc.unfreeze()
