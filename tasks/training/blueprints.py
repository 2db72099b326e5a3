"""Which function makes the blueprint of which architecture."""

from collections.abc import Callable
from typing import Any

from tasks.artifacts import DatasetRef
from tasks.training.audio_models import audio_cnn
from tasks.training.blueprint import Blueprint
from tasks.training.config import TrainConfig
from tasks.training.image_models import (
    efficientnet_lite,
    lenet,
    resnet,
    shared_kernel_cnn,
    small_lenet,
)
from tasks.training.interaction_models import (
    matrix_factorisation,
    neural_collaborative_filtering,
    two_tower,
)
from tasks.training.job import Rows
from tasks.training.language_models import causal_transformer, lstm_language
from tasks.training.series_models import recurrent_series, series_cnn
from tasks.training.table_models import ft_transformer, mlp, table_resnet
from tasks.training.technique import Technique
from tasks.training.text_from_scratch import embedding_pool, recurrent, transformer
from tasks.training.text_models import encoder, minilm, ngram_bag

MAKERS: dict[str, Callable[[Any, DatasetRef, Rows], Blueprint]] = {
    "minilm": minilm,
    "encoder": encoder,
    "transformer": transformer,
    "rnn": recurrent,
    "lstm": recurrent,
    "gru": recurrent,
    "embedding_pool": embedding_pool,
    "ngram_bag": ngram_bag,
    "table_resnet": table_resnet,
    "ft_transformer": ft_transformer,
    "mlp": mlp,
    "lenet": lenet,
    "small_lenet": small_lenet,
    "shared_kernel_cnn": shared_kernel_cnn,
    "resnet": resnet,
    "audio_cnn": audio_cnn,
    "efficientnet_lite": efficientnet_lite,
    "series_rnn": recurrent_series,
    "series_lstm": recurrent_series,
    "series_gru": recurrent_series,
    "matrix_factorisation": matrix_factorisation,
    "neural_collaborative_filtering": neural_collaborative_filtering,
    "two_tower": two_tower,
    "series_cnn": series_cnn,
    "causal_transformer": causal_transformer,
    "lstm_language": lstm_language,
}
OF_THE_COURSE = {*Technique.model_fields, "name", "epochs", "batch_size", "lr", "seed", "augment"}
"""Settings that no blueprint depends on."""


def blueprint_of(config: TrainConfig, dataset: DatasetRef, train: Rows) -> Blueprint:
    """The blueprint of `config`; vocabulary, means and categories come from the rows in `train`.

    Raises ValueError when the architecture cannot read the dataset.
    """
    name = getattr(config, "model", "")
    if dataset.kind not in config.kinds:
        raise ValueError(f"model {name} reads {' or '.join(config.kinds)}, not {dataset.kind}")
    if dataset.task not in config.tasks:
        raise ValueError(f"model {name} learns {' or '.join(config.tasks)}, not {dataset.task}")
    return MAKERS[name](config, dataset, train)
