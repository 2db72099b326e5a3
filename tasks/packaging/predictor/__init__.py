"""From raw columns to class probabilities: the one predictor of evaluation, batch and serving.

This folder ships with a model, so it imports numpy, tokenizers, onnxruntime and itself, no more.
"""

from .encoder import Encoder, allowed, load_encoder, ragged_names
from .predictor import Predictor, Writer, check_provider

__all__ = [
    "Encoder",
    "Predictor",
    "Writer",
    "allowed",
    "check_provider",
    "load_encoder",
    "ragged_names",
]
