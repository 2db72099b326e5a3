"""What a frozen backbone makes of the rows: computed once, whatever the number of passes.

Only the head is trained then, on the same features as without it: nothing is drawn in a frozen
backbone. They are kept beside the checkpoints under the digest of the weights and of the rows, so
that a resumed training, its control and another student on the same backbone find them.
Shapes: N rows, F features.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tasks.packaging.predictor import Encoder
from tasks.training.answers import logits_of
from tasks.training.checkpoint import Checkpoint, CheckpointStore
from tasks.training.course import Course, Material, Setting, TrainState
from tasks.training.examples import Examples

log = logging.getLogger(__name__)

HEAD = "head."
DIGEST_ROWS = 256


class FeatureRows:
    """The encoder of rows that are features already."""

    names: tuple[str, ...] = ("features",)
    batch_rows = 64
    ragged_axes: tuple[int, ...] = ()

    def rows(self, columns: Mapping[str, Sequence[Any]]) -> Any:
        """Never asked: rows become features by the backbone."""
        raise NotImplementedError("features are computed by the backbone")

    def length(self, row: Any) -> int:
        """All rows are equally long."""
        del row
        return 1

    def batch(self, rows: Any) -> dict[str, np.ndarray]:
        """float32 [rows, F]."""
        return {"features": np.asarray(rows)}


def with_fixed_features(
    state: TrainState,
    course: Course,
    material: Material,
    setting: Setting,
    store: CheckpointStore | None = None,
) -> Material:
    """The rows as features, for a model that from now on is its head; else `material` as it is.

    Without a store they are computed, and kept nowhere.
    """
    if not has_fixed_features(state.model, course):
        return material
    found = (
        _kept_or_computed(state.model, material, setting, store)
        if store
        else _computed(state.model, material, setting)
    )
    answer_features(state.model)
    return Material(
        encoder=FeatureRows(),
        train=replace(material.train, rows=found["train"].numpy()),
        valid=replace(material.valid, rows=found["valid"].numpy()),
    )


def are_features(material: Material) -> bool:
    """Whether the rows are features already."""
    return isinstance(material.encoder, FeatureRows)


def answer_features(model: nn.Module) -> None:
    """Let the model be its head from now on."""
    whole: Any = model
    whole.forward = whole.answer  # on the instance: the names of the weights stay as they are


def has_fixed_features(model: nn.Module, course: Course) -> bool:
    """Whether a row has the same features at every pass: all is frozen but the head, no row is
    varied."""
    if course.augment is not None or not hasattr(model, "features"):
        return False
    return not any(
        weight.requires_grad
        for name, weight in model.named_parameters()
        if not name.startswith(HEAD)
    )


def _kept_or_computed(
    model: nn.Module, material: Material, setting: Setting, store: CheckpointStore
) -> dict[str, Tensor]:
    """Features [N, F] of both splits; the first worker keeps them."""
    digest = features_digest(model, material, setting)
    shelf = CheckpointStore(store.filesystem, f"{store.folder}/features-{digest}")
    kept = shelf.latest()
    # One answer for all workers: computing them is the work of all.
    if setting.group.of_first(int(kept is not None)):
        return (kept or shelf.load(0)).tensors
    log.info("the frozen backbone's features of %d rows are computed once", len(material.train))
    found = _computed(model, material, setting)
    if setting.group.is_first:
        shelf.save(Checkpoint(0, found, {"rows": len(material.train)}))
    return found


def _computed(model: nn.Module, material: Material, setting: Setting) -> dict[str, Tensor]:
    splits = {"train": material.train, "valid": material.valid}
    return {n: features_of(model, material.encoder, e, setting) for n, e in splits.items()}


def features_of(model: nn.Module, encoder: Encoder, examples: Examples, setting: Setting) -> Tensor:
    """float32 [N, F] of every row, the same on every worker."""
    whole: Any = model
    answering: Callable[..., Tensor] = whole.forward
    whole.forward = whole.features
    try:
        return torch.from_numpy(logits_of(model, encoder, examples, setting))
    finally:
        whole.forward = answering


def features_digest(model: nn.Module, material: Material, setting: Setting) -> str:
    """sha256 of all that decides the features: weights, shape, rows as encoded, precision."""
    whole: Any = model
    digest = hashlib.sha256(f"{torch.__version__} {setting.device} {whole.config}".encode())
    for name, weight in sorted(model.state_dict().items()):
        if not name.startswith(HEAD):
            digest.update(name.encode() + weight.detach().cpu().numpy().tobytes())
    for examples in (material.train, material.valid):
        for start in range(0, len(examples), DIGEST_ROWS):
            arrays = material.encoder.batch(examples.rows[start : start + DIGEST_ROWS])
            for name, array in sorted(arrays.items()):
                digest.update(f"{name} {array.shape}".encode() + array.tobytes())
    return digest.hexdigest()
