"""Which function varies the training rows of which settings; one line a kind of data."""

from collections.abc import Callable
from typing import Any

from tasks.artifacts import DatasetRef
from tasks.training.audio_architectures import AudioAugmentConfig
from tasks.training.audio_augment import AudioAugment
from tasks.training.config import TrainConfig
from tasks.training.course import Augment
from tasks.training.image_architectures import ImageAugmentConfig
from tasks.training.image_augment import ImageAugment
from tasks.training.text_architectures import BagAugmentConfig, TextAugmentConfig
from tasks.training.text_augment import TextAugment

AUGMENTS: dict[type, Callable[[Any, int], Augment]] = {
    AudioAugmentConfig: AudioAugment,
    ImageAugmentConfig: ImageAugment,
    TextAugmentConfig: TextAugment,
    BagAugmentConfig: TextAugment,
}
"""By the type of a training's field `augment`."""


def augment_of(config: TrainConfig, dataset: DatasetRef) -> Augment | None:
    """What varies the training batches; None when nothing does."""
    settings = getattr(config, "augment", None)
    if settings is None or not any(settings.model_dump().values()):
        return None
    return AUGMENTS[type(settings)](settings, dataset.num_outputs)
