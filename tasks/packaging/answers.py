"""A folder with a model's answers to the rows of one split, in row order."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from tasks.packaging.manifest import digest_of_files, write_manifest

ANSWERS = "answers.safetensors"


def save_answers(folder: Path, answers: NDArray[np.float32]) -> str:
    """Fill `folder` with answers [rows, ...]; its digest."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({"answers": np.ascontiguousarray(answers)}, folder / ANSWERS)
    digest = digest_of_files(folder, [ANSWERS])
    write_manifest(folder, digest)
    return digest


def load_answers(folder: Path) -> NDArray[np.float32]:
    """Answers [rows, ...], as they were saved."""
    answers: NDArray[np.float32] = load_file(folder / ANSWERS)["answers"]
    return answers
