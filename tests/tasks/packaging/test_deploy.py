"""The target that a project names, refused where this machine has no such thing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.packaging.deploy import DeployConfig
from tasks.packaging.predictor import Predictor


def test_a_session_is_told_threads_and_provider() -> None:
    assert DeployConfig(threads=4, batch=8).session == {"threads": 4, "provider": "cpu"}


def test_a_provider_that_is_not_offered_here_is_refused() -> None:
    with pytest.raises(ValueError, match=r"provider coreml: ONNX Runtime offers cpu .*machine"):
        DeployConfig(provider="coreml")


def test_a_predictor_refuses_it_too(make_bundle: Callable[[str], Path]) -> None:
    bundle = make_bundle("ngram_bag")
    with pytest.raises(ValueError, match="provider cuda"):
        Predictor.load(bundle, provider="cuda")
    assert Predictor.load(bundle, threads=2).probabilities({"text": ["late"]}).shape == (1, 3)
