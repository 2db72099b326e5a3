"""What is refused where a course is made."""

from dataclasses import replace
from pathlib import Path

import pytest

from tasks.artifacts import DatasetRef
from tasks.training.architectures import Transformer
from tasks.training.recipes import Site, student_job, teacher_job
from tests.in_process import site_of

SMALL = Transformer(
    name="small", layers=1, width=16, heads=2, feed_forward=32, epochs=1, vocab_size=256,
    batch_size=3,
)  # fmt: skip


def site_with(small_dataset: tuple[Path, DatasetRef], workers: int) -> Site:
    site = site_of(*small_dataset)
    return replace(site, compute=site.compute.model_copy(update={"workers": workers}))


def test_batches_smaller_than_the_workers_are_refused(
    small_dataset: tuple[Path, DatasetRef],
) -> None:
    with pytest.raises(ValueError, match=r"batch_size 3 must be .* compute\.workers 4 .* have 3$"):
        teacher_job(SMALL, 1e-3, site_with(small_dataset, 4))
    assert teacher_job(SMALL, 1e-3, site_with(small_dataset, 3)).course.batch_size == 3
    whole = SMALL.model_copy(update={"optimizer": "gradient_descent"})
    assert teacher_job(whole, 1e-3, site_with(small_dataset, 4)).course.batch_size == 90
    assert student_job(SMALL, None, site_with(small_dataset, 4)).compute.workers == 1
