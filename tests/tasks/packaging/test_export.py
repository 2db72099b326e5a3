"""The exported graph answers as the model does, and a graph that does not is refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from tasks.artifacts import DatasetRef
from tasks.data.snapshot import split_rows
from tasks.packaging import bundle as bundles
from tasks.packaging.export import (
    Parity,
    check_parity,
    export_bundle,
    prove_parity,
    score_parity,
)
from tasks.packaging.manifest import verify_manifest
from tasks.packaging.predictor import Predictor
from tasks.packaging.predictor.forms import Numbers
from tasks.training.model_folder import ModelCard


@pytest.mark.parametrize("family", ["text_encoder", "ngram_bag"])
def test_graph_and_model_agree_on_every_row(
    make_model: Callable[[str], Path],
    small_dataset: tuple[Path, DatasetRef],
    tmp_path: Path,
    family: str,
) -> None:
    columns = split_rows(*small_dataset, "valid").columns
    model, bundle = make_model(family), tmp_path / "bundle"
    digest = export_bundle(model, bundle, "mood", columns)
    found = Predictor.load(bundle).probabilities(columns)
    parity = prove_parity(model, bundle, columns, found)
    assert (parity.rows, parity.differing) == (30, 0)
    assert parity.max_difference < 1e-5
    verify_manifest(bundle)
    assert digest in (bundle / "manifest.json").read_text()


def test_rows_and_lengths_are_free(make_bundle: Callable[[str], Path]) -> None:
    graph = onnx.load(make_bundle("text_encoder") / "model.onnx").graph
    for tensor in graph.input:
        assert [dim.dim_param for dim in tensor.type.tensor_type.shape.dim] == ["rows", "length_1"]


def test_the_same_model_gives_the_same_bundle(
    make_model: Callable[[str], Path], tmp_path: Path
) -> None:
    model = make_model("text_encoder")
    columns = {"text": ["late crew", "plain"]}
    digests = [export_bundle(model, tmp_path / str(i), "mood", columns) for i in range(2)]
    assert digests[0] == digests[1]


def test_the_digest_leaves_out_what_only_describes(
    make_bundle: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_bundle("ngram_bag")
    before = bundles.digest_of_files(folder, bundles.deciding_files(folder))
    size = bundles.bundle_bytes(folder)
    bundles.note_export(folder, {"parity": {"rows": 1}})
    (folder / "card.md").write_text("# card")
    assert bundles.digest_of_files(folder, bundles.deciding_files(folder)) == before
    assert bundles.bundle_bytes(folder) == size


def test_the_digest_covers_the_predictors_code(
    make_bundle: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_bundle("ngram_bag")
    facts = bundles.read_facts(folder)
    first = bundles.write_bundle(folder, facts, {})
    monkeypatch.setattr(bundles, "predictor_digest", lambda: "other code")
    assert bundles.write_bundle(folder, facts, {}) != first


def test_a_difference_beyond_rounding_is_refused(
    make_model: Callable[[str], Path], make_bundle: Callable[[str], Path]
) -> None:
    columns = {"text": ["late crew", "plain"]}
    other = np.full((2, 3), 1 / 3, np.float32)
    with pytest.raises(ValueError, match="the exported graph differs from the model by"):
        prove_parity(make_model("ngram_bag"), make_bundle("ngram_bag"), columns, other)


def test_the_refusal_has_value_and_limit() -> None:
    with pytest.raises(ValueError, match=r"by 0.02 \(3 of 10 answers\), at most 0.0001 is allowed"):
        check_parity(Parity(rows=10, differing=3, max_difference=0.02), "student")


def numbers(mean: float, deviation: float, error: float) -> Parity:
    """Of a graph whose scores are off by `error`, of a target with this mean and deviation."""
    scale = (mean, deviation)
    card = ModelCard(
        family="mlp", config={}, encoder={}, task="regression", classes=(), scale=scale, inputs=()
    )
    scores = np.random.default_rng(0).normal(size=(2000, 1)).astype(np.float32)
    found = Numbers({"scale": scale}).finished(scores + np.float32(error))
    return score_parity(scores, found, card)


@pytest.mark.parametrize("deviations", [0, 1_700, -4_000, 1_000_000])
@pytest.mark.parametrize("deviation", [0.003, 1.0, 700.0])
def test_a_number_far_from_zero_is_as_exact_as_float32_has_it(
    deviations: float, deviation: float
) -> None:
    parity = numbers(deviations * deviation, deviation, 1e-6)
    check_parity(parity, "student")
    assert parity.differing == 0


@pytest.mark.parametrize(("deviations", "error"), [(0, 2e-4), (100, 2e-4), (1_000_000, 0.5)])
def test_a_number_that_is_further_off_is_refused(deviations: float, error: float) -> None:
    parity = numbers(deviations, 1.0, error)
    assert parity.differing > 1000
    with pytest.raises(ValueError, match="the exported graph differs from the model by"):
        check_parity(parity, "student")
