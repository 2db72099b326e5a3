"""What an estimator reads of the rows, by kind of data: the features of the kind's baseline."""

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from torch import nn

from models.features import (
    HogFeatures,
    MfccFeatures,
    StatisticsFeatures,
    TableFeatures,
    TermFeatures,
)
from tasks.artifacts import DatasetRef
from tasks.packaging.export import export_graph
from tasks.packaging.predictor import Encoder, load_encoder
from tasks.packaging.predictor.text import texts_of
from tasks.training.audio_models import audio_encoder
from tasks.training.examples import Columns
from tasks.training.image_models import image_encoder, pictures
from tasks.training.series_models import series_encoder
from tasks.training.table_models import table_encoder

MOST_TERMS = 5_000
"""Of an estimator of fixed width; the graph keeps a number for each, for every row of a batch."""
CELLS = 8
"""Of a picture's side, at most; a cell is two pixels wide at least."""
COEFFICIENTS = 20
"""Of a sound, at most; no more than it has bands."""
PART_ROWS = 256
"""Encoded at once, but of sounds, whose frames take room: keeps memory flat."""
Matrix = Any
"""float32 [rows, F], an array or a sparse one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Features:
    """From columns to a row of numbers: the encoder, then a plain function of its tensors."""

    module: nn.Module
    encoder: dict[str, Any]
    files: dict[str, bytes] = field(default_factory=dict)
    """That the encoder is loaded from, by name."""

    def open(self) -> Encoder:
        """The encoder."""
        with tempfile.TemporaryDirectory(prefix="encoder-") as folder:
            for name, content in self.files.items():
                Path(folder, name).write_bytes(content)
            return load_encoder(self.encoder, Path(folder))


def features_graph(features: Features, columns: Columns) -> onnx.ModelProto:
    """The plain function as a graph; `columns` hold example rows."""
    encoder = features.open()
    rows = encoder.rows(columns)
    longest = max(range(len(rows)), key=lambda index: encoder.length(rows[index]))
    with tempfile.TemporaryDirectory(prefix="features-") as folder:
        path = Path(folder, "features.onnx")
        export_graph(features.module, encoder, [rows[longest], rows[0]], path)
        return onnx.load(path)


def features_of(dataset: DatasetRef, columns: Columns, most_terms: int | None) -> Features:
    """What is read of the dataset's rows; scales, terms and categories come from `columns`."""
    return _MAKERS[dataset.kind](dataset, columns, most_terms or MOST_TERMS)


@torch.inference_mode()
def matrix_of(features: Features, columns: Columns) -> Matrix:
    """float32 [rows, F]; of text a sparse one."""
    encoder = features.open()
    rows = encoder.rows(columns)
    is_sparse = isinstance(features.module, TermFeatures)
    parts = []
    size = encoder.batch_rows if isinstance(features.module, MfccFeatures) else PART_ROWS
    for start in range(0, len(rows), size):
        batch = encoder.batch(rows[start : start + size])
        part = features.module(**{name: torch.from_numpy(batch[name]) for name in batch}).numpy()
        parts.append(sparse.csr_matrix(part) if is_sparse else part)
    return sparse.vstack(parts, format="csr") if is_sparse else np.concatenate(parts)


def fitted_terms(texts: Sequence[str], most: int) -> TfidfVectorizer:
    """Words and pairs of words by TF-IDF.

    Terms of one row alone are three in four and gain nothing: validation macro-F1 0.729 either way
    on tweets. In a handful of rows they are all there is.
    """
    vectorizer = TfidfVectorizer(
        ngram_range=(1, 2),
        sublinear_tf=True,
        min_df=2 if len(texts) > 1000 else 1,
        max_features=most,
    )
    return vectorizer.fit(texts)


def tfidf_encoder(
    columns: Sequence[str], vectorizer: TfidfVectorizer
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Configuration and files of the encoder that does the arithmetic of `vectorizer`."""
    terms = vectorizer.get_feature_names_out().tolist()
    vocabulary = {"terms": terms, "idf": vectorizer.idf_.tolist()}
    content = json.dumps(vocabulary, ensure_ascii=False).encode()
    return {"kind": "tfidf", "columns": list(columns)}, {"vocabulary.json": content}


def hog_encoder(dataset: DatasetRef, columns: Columns) -> tuple[dict[str, Any], int]:
    """Configuration of an encoder of pictures to 0..1, and the pixels of a cell's side."""
    (column,) = dataset.inputs
    encoder = image_encoder(column, pictures(columns[column], most=1))
    channels, cell = encoder["channels"], max(2, encoder["size"] // CELLS)
    return encoder | {"mean": [0.0] * channels, "deviation": [255.0] * channels}, cell


def _table(dataset: DatasetRef, columns: Columns, most_terms: int) -> Features:
    """Numbers as standard scores; a category is its rank by frequency. Free text is left out."""
    del most_terms
    return Features(module=TableFeatures(), encoder=table_encoder(dataset, columns))


def _text(dataset: DatasetRef, columns: Columns, most_terms: int) -> Features:
    vectorizer = fitted_terms(texts_of(columns, dataset.inputs), most_terms)
    encoder, files = tfidf_encoder(dataset.inputs, vectorizer)
    module = TermFeatures(len(vectorizer.vocabulary_))
    return Features(module=module, encoder=encoder, files=files)


def _image(dataset: DatasetRef, columns: Columns, most_terms: int) -> Features:
    del most_terms
    encoder, cell = hog_encoder(dataset, columns)
    return Features(module=HogFeatures(cell), encoder=encoder)


def _series(dataset: DatasetRef, columns: Columns, most_terms: int) -> Features:
    del most_terms
    return Features(module=StatisticsFeatures(), encoder=series_encoder(dataset, columns))


def _audio(dataset: DatasetRef, columns: Columns, most_terms: int) -> Features:
    del most_terms
    encoder = audio_encoder(dataset, columns)
    return Features(module=MfccFeatures(min(COEFFICIENTS, encoder["mels"])), encoder=encoder)


_MAKERS: dict[str, Callable[[DatasetRef, Columns, int], Features]] = {
    "table": _table,
    "text": _text,
    "image": _image,
    "series": _series,
    "audio": _audio,
}
