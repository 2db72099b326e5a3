"""From a family's name and a config to a module: the one place that knows every family."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from torch import nn

from models.audio_cnn import AudioCnn, AudioCnnConfig
from models.bias_model import BiasModel, BiasModelConfig
from models.causal_transformer import CausalTransformer, CausalTransformerConfig
from models.efficientnet_lite import EfficientNetLite, EfficientNetLiteConfig
from models.embedding_pool import EmbeddingPool, EmbeddingPoolConfig
from models.ft_transformer import FtTransformer, FtTransformerConfig
from models.hog_linear import HogLinear, HogLinearConfig
from models.lenet import Lenet, LenetConfig
from models.lstm_language import LstmLanguage, LstmLanguageConfig
from models.matrix_factorisation import MatrixFactorisation, MatrixFactorisationConfig
from models.mfcc_statistics import MfccStatistics, MfccStatisticsConfig
from models.mlp import Mlp, MlpConfig
from models.neural_collaborative_filtering import (
    NeuralCollaborativeFiltering,
    NeuralCollaborativeFilteringConfig,
)
from models.ngram_bag import NgramBag, NgramBagConfig
from models.ngram_language import NgramLanguage, NgramLanguageConfig
from models.popularity import Popularity, PopularityConfig
from models.recurrent import RecurrentText, RecurrentTextConfig
from models.recurrent_series import RecurrentSeries, RecurrentSeriesConfig
from models.resnet import Resnet, ResnetConfig
from models.series_cnn import SeriesCnn, SeriesCnnConfig
from models.series_statistics import SeriesStatistics, SeriesStatisticsConfig
from models.shared_kernel_cnn import SharedKernelCnn, SharedKernelCnnConfig
from models.small_lenet import SmallLenet, SmallLenetConfig
from models.table_resnet import TableResNet, TableResNetConfig
from models.text_encoder import TextEncoder, TextEncoderConfig
from models.tree_ensemble import TreeEnsemble, TreeEnsembleConfig
from models.two_tower import TwoTower, TwoTowerConfig
from models.weighted_bag import WeightedBag, WeightedBagConfig

FAMILIES: dict[str, tuple[type[Any], type[nn.Module]]] = {
    "text_encoder": (TextEncoderConfig, TextEncoder),
    "ngram_bag": (NgramBagConfig, NgramBag),
    "weighted_bag": (WeightedBagConfig, WeightedBag),
    "recurrent_text": (RecurrentTextConfig, RecurrentText),
    "embedding_pool": (EmbeddingPoolConfig, EmbeddingPool),
    "mlp": (MlpConfig, Mlp),
    "table_resnet": (TableResNetConfig, TableResNet),
    "ft_transformer": (FtTransformerConfig, FtTransformer),
    "recurrent_series": (RecurrentSeriesConfig, RecurrentSeries),
    "series_cnn": (SeriesCnnConfig, SeriesCnn),
    "series_statistics": (SeriesStatisticsConfig, SeriesStatistics),
    "tree_ensemble": (TreeEnsembleConfig, TreeEnsemble),
    "matrix_factorisation": (MatrixFactorisationConfig, MatrixFactorisation),
    "neural_collaborative_filtering": (
        NeuralCollaborativeFilteringConfig,
        NeuralCollaborativeFiltering,
    ),
    "two_tower": (TwoTowerConfig, TwoTower),
    "popularity": (PopularityConfig, Popularity),
    "bias_model": (BiasModelConfig, BiasModel),
    "lenet": (LenetConfig, Lenet),
    "small_lenet": (SmallLenetConfig, SmallLenet),
    "shared_kernel_cnn": (SharedKernelCnnConfig, SharedKernelCnn),
    "resnet": (ResnetConfig, Resnet),
    "efficientnet_lite": (EfficientNetLiteConfig, EfficientNetLite),
    "audio_cnn": (AudioCnnConfig, AudioCnn),
    "mfcc_statistics": (MfccStatisticsConfig, MfccStatistics),
    "hog_linear": (HogLinearConfig, HogLinear),
    "causal_transformer": (CausalTransformerConfig, CausalTransformer),
    "lstm_language": (LstmLanguageConfig, LstmLanguage),
    "ngram_language": (NgramLanguageConfig, NgramLanguage),
}


def build_model(family: str, config: Mapping[str, Any]) -> nn.Module:
    """A module with fresh weights, drawn from torch's generator.

    Raises ValueError for an unknown family or field.
    """
    if family not in FAMILIES:
        raise ValueError(f"family {family!r} is unknown; known are {', '.join(sorted(FAMILIES))}")
    config_type, model_type = FAMILIES[family]
    unknown = sorted(set(config) - {field.name for field in fields(config_type)})
    if unknown:
        raise ValueError(f"family {family} has no field {unknown[0]!r}")
    return model_type(config_type(**config))
