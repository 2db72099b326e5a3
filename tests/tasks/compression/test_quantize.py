"""Fewer bits: fewer bytes, nearly the same answers, and no gain is no candidate."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import get_args

import numpy as np
import onnx
import pytest
from onnxruntime import InferenceSession
from pydantic import ValidationError

from tasks.artifacts import DatasetRef
from tasks.compression.config import CompressConfig, Precision, QuantizeConfig
from tasks.compression.gain import is_smaller
from tasks.compression.precisions import WRITERS, prepared
from tasks.compression.quantize import feeds_of
from tasks.compression.sample import sample_of
from tasks.data.snapshot import split_rows
from tasks.packaging.bundle import EXPORT, GRAPH, bundle_bytes, read_facts
from tasks.packaging.manifest import verify_manifest
from tasks.packaging.predictor import Predictor
from tests.in_process import quantized

Data = tuple[Path, DatasetRef]
MIXED = QuantizeConfig(precision="int8", keep="auto", most_noise=1e-9)


@pytest.fixture(scope="module")
def large_bundle(make_bundle: Callable[[str], Path]) -> Path:
    return make_bundle("ngram_bag")


@pytest.fixture(scope="module")
def encoder_bundle(make_bundle: Callable[[str], Path]) -> Path:
    return make_bundle("text_encoder")


def answer_of(model: onnx.ModelProto, feed: Mapping[str, np.ndarray]) -> np.ndarray:
    found: np.ndarray = InferenceSession(model.SerializeToString()).run(None, dict(feed))[0]
    return found


def named(precision: Precision) -> QuantizeConfig:
    return QuantizeConfig(precision=precision)


def test_bytes_fall_and_answers_stay(
    large_bundle: Path, small_dataset: Data, tmp_path: Path
) -> None:
    target = tmp_path / "int8"
    quantized(small_dataset, large_bundle, target)
    verify_manifest(target)
    assert (target / GRAPH).stat().st_size < 0.4 * (large_bundle / GRAPH).stat().st_size
    assert bundle_bytes(target) < bundle_bytes(large_bundle)
    columns = split_rows(*small_dataset, "valid").columns
    before, after = (Predictor.load(f).probabilities(columns) for f in (large_bundle, target))
    np.testing.assert_allclose(after, before, atol=0.05)


@pytest.mark.parametrize("precision", get_args(Precision))
def test_every_form_is_smaller_and_answers_nearly_the_same(
    precision: Precision, encoder_bundle: Path, small_dataset: Data, tmp_path: Path
) -> None:
    quantized(small_dataset, encoder_bundle, tmp_path, named(precision))
    verify_manifest(tmp_path)
    before, after = ((f / GRAPH).stat().st_size for f in (encoder_bundle, tmp_path))
    assert after < 0.75 * before  # half of this small graph is not weights
    columns = split_rows(*small_dataset, "valid").columns
    found, expected = (Predictor.load(f).probabilities(columns) for f in (tmp_path, encoder_bundle))
    assert np.abs(found - expected).max() < 0.1
    noted = json.loads((tmp_path / EXPORT).read_text())["quantized"]
    assert noted["precision"] == precision
    assert noted["kept"] == []
    assert 0 < noted["noise"] < 0.1


def test_weights_of_four_bits_are_those_of_blocks_by_numpy(
    encoder_bundle: Path, small_dataset: Data, tmp_path: Path
) -> None:
    """Symmetric blocks of 32: w ~ scale * q, q in -8..7, the scale set by the largest weight."""
    quantized(small_dataset, encoder_bundle, tmp_path, named("int4-weights"))
    floats = {
        w.name: onnx.numpy_helper.to_array(w)
        for w in prepared(encoder_bundle / GRAPH, "int4-weights").graph.initializer
    }
    graph = onnx.load(tmp_path / GRAPH).graph
    packed = {w.name: onnx.numpy_helper.to_array(w) for w in graph.initializer}
    nodes = [node for node in graph.node if node.op_type == "MatMulNBits"]
    assert len(nodes) == 9  # four products in each of two layers, and the head
    for node in nodes:
        weight_KN = floats[node.input[1].removesuffix("_Q4")]
        blob_NBb, scale_NB = packed[node.input[1]], packed[node.input[2]]
        scale_NB = scale_NB.reshape(blob_NBb.shape[:2])
        low, high = blob_NBb & 15, blob_NBb >> 4
        whole_NBk = np.stack([low, high], axis=-1).reshape(*blob_NBb.shape[:2], -1)
        found_NK = ((whole_NBk.astype(np.float32) - 8) * scale_NB[..., None]).reshape(
            len(blob_NBb), -1
        )[:, : len(weight_KN)]
        half_a_step = np.abs(scale_NB).repeat(32, axis=1)[:, : len(weight_KN)] / 2
        # A weight that is the largest, of the other sign, is cut off at 7 steps.
        assert (np.abs(found_NK - weight_KN.T) <= 2.01 * half_a_step).all()
        assert (np.abs(found_NK - weight_KN.T) <= 1.01 * half_a_step).mean() > 0.95


def test_weights_of_sixteen_bits_are_rounded_and_no_more(
    encoder_bundle: Path, small_dataset: Data, tmp_path: Path
) -> None:
    """By a session: the graph of rounded weights."""
    quantized(small_dataset, encoder_bundle, tmp_path, named("float16-weights"))
    rounded = onnx.load(encoder_bundle / GRAPH)
    for weight in rounded.graph.initializer:
        values = onnx.numpy_helper.to_array(weight)
        if values.dtype == np.float32 and values.size >= 1024:
            halved = values.astype(np.float16).astype(np.float32)
            weight.CopyFrom(onnx.numpy_helper.from_array(halved, weight.name))
    feeds, _ = feeds_of(encoder_bundle, sample_of(*small_dataset))
    for feed in feeds[:3]:
        expected = answer_of(rounded, feed)
        found = answer_of(onnx.load(tmp_path / GRAPH), feed)
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_what_is_computed_in_float16_is_asked_and_answers_in_float32(
    encoder_bundle: Path, small_dataset: Data, tmp_path: Path
) -> None:
    quantized(small_dataset, encoder_bundle, tmp_path, named("float16"))
    graph, before = onnx.load(tmp_path / GRAPH).graph, onnx.load(encoder_bundle / GRAPH).graph
    assert [*graph.input] == [*before.input]
    assert [i.type.tensor_type.elem_type for i in graph.output] == [onnx.TensorProto.FLOAT]
    products = {n.input[1] for n in graph.node if n.op_type == "MatMul"}
    halves = {w.name for w in graph.initializer if w.data_type == onnx.TensorProto.FLOAT16}
    assert products & {w.name for w in graph.initializer} <= halves


def test_tables_and_products_are_int8(
    encoder_bundle: Path, small_dataset: Data, tmp_path: Path
) -> None:
    quantized(small_dataset, encoder_bundle, tmp_path)
    graph = onnx.load(tmp_path / GRAPH).graph
    kept = [i.name for i in graph.initializer if i.data_type == onnx.TensorProto.FLOAT]
    large = [i.name for i in graph.initializer if i.name in kept and np.prod(i.dims) > 500]
    assert large == []


@pytest.mark.parametrize(("precision", "most"), [("int8", 1), ("int8-int4", 1), ("int8-static", 9)])
def test_an_answer_does_not_depend_on_the_neighbours(
    precision: Precision, most: int, encoder_bundle: Path, small_dataset: Data, tmp_path: Path
) -> None:
    """Dynamic scales come from the whole batch, so such rows are answered one by one."""
    quantized(small_dataset, encoder_bundle, tmp_path, named(precision))
    assert min(9, read_facts(tmp_path).batch_rows) == most
    predictor = Predictor.load(tmp_path)
    texts = ["late", "lovely quick kind flight", "plain crew"]
    together = predictor.probabilities({"text": texts}, 64)
    alone = [predictor.probabilities({"text": [text]})[0] for text in texts]
    np.testing.assert_allclose(together, alone, atol=0 if most == 1 else 1e-6)


def test_the_same_form_of_the_same_bundle_is_the_same_bundle(
    encoder_bundle: Path, small_dataset: Data, tmp_path: Path
) -> None:
    for precision in WRITERS:
        folders = [tmp_path / precision / again for again in "12"]
        digests = {
            quantized(small_dataset, encoder_bundle, folder, named(precision)) for folder in folders
        }
        assert len(digests) == 1


def test_what_is_small_already_or_keeps_its_layers_is_no_smaller(
    large_bundle: Path, small_dataset: Data, tmp_path: Path
) -> None:
    quantized(small_dataset, large_bundle, tmp_path / "once")
    quantized(small_dataset, tmp_path / "once", tmp_path / "twice")
    # So little noise is allowed that every layer stays in float.
    quantized(small_dataset, large_bundle, tmp_path / "mixed", MIXED)
    for form, source in (("twice", tmp_path / "once"), ("mixed", large_bundle)):
        assert not is_smaller(bundle_bytes(tmp_path / form), bundle_bytes(source))


def test_a_form_that_had_to_keep_nothing_is_the_plain_form(
    large_bundle: Path, small_dataset: Data, tmp_path: Path
) -> None:
    free = QuantizeConfig(precision="int8", keep="auto", most_noise=0.99)
    plain = quantized(small_dataset, large_bundle, tmp_path / "plain")
    assert quantized(small_dataset, large_bundle, tmp_path / "free", free) == plain


def test_a_project_names_a_form_or_several() -> None:
    def forms(value: object) -> list[str]:
        return [form.name for form in CompressConfig(quantize=value).quantize]  # type: ignore[arg-type]

    assert forms("int8") == ["int8"]
    assert forms("none") == []
    assert forms({"precision": "int8-static", "keep": "auto"}) == ["int8-static-mixed"]
    assert forms(["int8", {"keep": "auto"}, "int4-weights"]) == [
        "int8",
        "int8-mixed",
        "int4-weights",
    ]


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("bfloat16", "bfloat16: ONNX Runtime has no matrix product in it on a CPU, and nothing"),
        ({"precision": "float16", "keep": "auto"}, "float16 has no layers that it could keep"),
        (["int8", "int8"], "quantize int8 stands twice; each form makes one candidate"),
        ({"most_noise": 0.1}, "most_noise 0.1 is of keep auto, keep is none"),
        ({"precision": "float16-weights", "keep": "auto"}, "has no layers that it could keep"),
        ("int7", "Input should be 'int8', 'int8-static'"),
    ],
)
def test_what_makes_no_sense_is_refused(value: object, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        CompressConfig(quantize=value)  # type: ignore[arg-type]
