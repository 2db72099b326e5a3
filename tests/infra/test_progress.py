import logging

import pytest

from infra import progress


def test_a_report_is_a_record_with_its_figures(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger=progress.LOGGER_NAME):
        progress.report("train", 3, 10, "loss 0.5")
        progress.report("train", 4, 10)
    first, second = caplog.records
    assert first.getMessage() == "train: loss 0.5"
    assert second.getMessage() == "train: 4 of 10"
    assert (first.step, first.done, first.total, first.note) == ("train", 3, 10, "loss 0.5")  # type: ignore[attr-defined]
