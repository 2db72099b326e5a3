"""A card says what the bundle is, from artifacts alone, and leaves the digest as it was."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tasks.artifacts import Candidate, Cost, DatasetRef, EvalReport, Latency
from tasks.data.snapshot import split_rows
from tasks.evaluation.quality import report_of
from tasks.packaging.bundle import bundle_bytes, bundle_with_temperature, note_export
from tasks.packaging.card import bundle_with_card, card_text
from tasks.packaging.manifest import verify_manifest


def report_on(bundle: Path, data: Path, dataset: DatasetRef) -> EvalReport:
    candidate = Candidate(
        name="encoder-int8",
        role="compressed",
        parent="encoder",
        uri="s3://modelworks/bundles/3/",
        sha256="3" * 64,
        size_bytes=bundle_bytes(bundle),
        params=1234,
        model_sha256="4" * 64,
    )
    cost = Cost(latency_ms=Latency(p50=0.5, p95=0.9), rows_per_second=1500, peak_memory_mb=80)
    rows = split_rows(data, dataset, "valid")
    answers = np.full((len(rows), 3), 1 / 3, np.float32), "s3://modelworks/predictions/1/"
    return report_of(candidate, cost, rows, dataset, answers, "valid")


def test_a_card_names_data_parent_figures_and_licence(
    make_bundle: Callable[[str], Path], small_dataset: tuple[Path, DatasetRef], tmp_path: Path
) -> None:
    bundle = make_bundle("text_encoder")
    note_export(bundle, {"parity": {"rows": 30, "differing": 0, "max_difference": 1e-6}})
    text = card_text(bundle, small_dataset[1], [report_on(bundle, *small_dataset)])
    for part in (
        "# moods: encoder-int8",
        "made from encoder.",
        "| macro F1 | 0.1667 |",
        "0.50 / 0.90 ms",
        f"Data `{'1' * 64}`",
        "on 30 rows: 0 answers differ",
        "cut after 16 tokens",
        "Apache-2.0",
    ):
        assert part in text
    assert "Logits are divided" not in text
    carded = bundle_with_card(bundle, tmp_path / "carded", text)
    verify_manifest(carded)
    bundle_with_temperature(bundle, tmp_path / "calibrated", 1.25)
    again = card_text(
        tmp_path / "calibrated", small_dataset[1], [report_on(bundle, *small_dataset)]
    )
    assert "Logits are divided by 1.250" in again
    digests = [json.loads((f / "manifest.json").read_text())["digest"] for f in (bundle, carded)]
    assert digests[0] == digests[1]


def test_a_card_says_what_zeros_are_worth(
    make_bundle: Callable[[str], Path], small_dataset: tuple[Path, DatasetRef]
) -> None:
    bundle = make_bundle("text_encoder")
    report = report_on(bundle, *small_dataset)
    about = {"zeros": 0.5, "zipped_bytes": 40_000, "size_bytes": 80_000}
    sparse = report.candidate.model_copy(update=about)
    text = card_text(bundle, small_dataset[1], [report.model_copy(update={"candidate": sparse})])
    assert "- 50% of the weights of its products are zeros" in text
    assert "no faster, and smaller in a zip archive alone (0.04 of 0.08 MB).\n" in text
    assert "zeros" not in card_text(bundle, small_dataset[1], [report])
