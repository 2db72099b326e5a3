"""Int8: a quarter of the bytes, nearly the same answers, and no gain is no candidate."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from tasks.artifacts import DatasetRef
from tasks.compression.quantize import quantize_bundle
from tasks.data.snapshot import split_rows
from tasks.packaging.bundle import GRAPH, bundle_bytes, read_facts
from tasks.packaging.manifest import verify_manifest
from tasks.packaging.predictor import Predictor


@pytest.fixture
def large_bundle(make_bundle: Callable[[str], Path]) -> Path:
    return make_bundle("ngram_bag")


def test_bytes_fall_and_answers_stay(
    large_bundle: Path, small_dataset: tuple[Path, DatasetRef], tmp_path: Path
) -> None:
    target = tmp_path / "int8"
    quantize_bundle(large_bundle, target, "bag-int8")
    verify_manifest(target)
    assert (target / GRAPH).stat().st_size < 0.4 * (large_bundle / GRAPH).stat().st_size
    assert bundle_bytes(target) < bundle_bytes(large_bundle)
    columns = split_rows(*small_dataset, "valid").columns
    before, after = (Predictor.load(f).probabilities(columns) for f in (large_bundle, target))
    np.testing.assert_allclose(after, before, atol=0.05)


def test_tables_and_products_are_int8(make_bundle: Callable[[str], Path], tmp_path: Path) -> None:
    quantize_bundle(make_bundle("text_encoder"), tmp_path, "encoder-int8")
    graph = onnx.load(tmp_path / GRAPH).graph
    kept = [i.name for i in graph.initializer if i.data_type == onnx.TensorProto.FLOAT]
    large = [i.name for i in graph.initializer if i.name in kept and np.prod(i.dims) > 500]
    assert large == []


def test_an_answer_does_not_depend_on_the_neighbours(
    make_bundle: Callable[[str], Path], tmp_path: Path
) -> None:
    """Dynamic scales come from the whole batch, so int8 rows are answered one by one."""
    quantize_bundle(make_bundle("text_encoder"), tmp_path, "encoder-int8")
    assert read_facts(tmp_path).batch_rows == 1
    predictor = Predictor.load(tmp_path)
    texts = ["late", "lovely quick kind flight", "plain crew"]
    together = predictor.probabilities({"text": texts}, 64)
    alone = [predictor.probabilities({"text": [text]})[0] for text in texts]
    np.testing.assert_array_equal(together, alone)


def test_what_does_not_become_smaller_is_refused(large_bundle: Path, tmp_path: Path) -> None:
    quantize_bundle(large_bundle, tmp_path / "once", "bag-int8")
    with pytest.raises(ValueError, match=r"bag-int8-int8: int8 has \d+ bytes, the float bundle"):
        quantize_bundle(tmp_path / "once", tmp_path / "twice", "bag-int8-int8")
