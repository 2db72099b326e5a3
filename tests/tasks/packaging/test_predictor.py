"""The one predictor: order, batches, refusals, and that it stands alone."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tasks.packaging.bundle import PREDICTOR_FOLDER
from tasks.packaging.predictor import Predictor

TEXTS = ["late crew", "lovely quick kind flight the crew the crew", "", "plain", "rude late"]


@pytest.mark.parametrize("family", ["text_encoder", "ngram_bag"])
def test_answers_stand_in_row_order_whatever_the_batch(
    make_bundle: Callable[[str], Path], family: str
) -> None:
    predictor = Predictor.load(make_bundle(family))
    texts = [text for text in TEXTS if text]
    one_by_one = [predictor.probabilities({"text": [text]})[0] for text in texts]
    for batch_rows in (1, 2, 64):
        found = predictor.probabilities({"text": texts}, batch_rows)
        np.testing.assert_allclose(found, one_by_one, atol=1e-6)
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    assert predictor.labels(found) == [predictor.classes[i] for i in found.argmax(axis=1)]


def test_no_rows_give_no_answers(make_bundle: Callable[[str], Path]) -> None:
    assert Predictor.load(make_bundle("ngram_bag")).probabilities({"text": []}).shape == (0, 3)


def test_an_empty_text_has_an_answer(make_bundle: Callable[[str], Path]) -> None:
    for family in ("text_encoder", "ngram_bag"):
        found = Predictor.load(make_bundle(family)).probabilities({"text": ["", "late"]})
        assert np.isfinite(found).all()


def test_a_newer_format_is_refused(make_bundle: Callable[[str], Path], tmp_path: Path) -> None:
    folder = shutil.copytree(make_bundle("ngram_bag"), tmp_path / "bundle")
    facts = json.loads((folder / "predictor.json").read_text()) | {"format": 2}
    (folder / "predictor.json").write_text(json.dumps(facts))
    with pytest.raises(ValueError, match=r"predictor.json: format 2 must be 1"):
        Predictor.load(folder)


def test_the_folder_answers_on_its_own(make_bundle: Callable[[str], Path], tmp_path: Path) -> None:
    """As MLflow ships it: the package `predictor`, and nothing of ours on the path."""
    shutil.copytree(PREDICTOR_FOLDER, tmp_path / "predictor")
    code = (
        "import sys; from predictor import Predictor\n"
        "p = Predictor.load(sys.argv[1])\n"
        "print(p.labels(p.probabilities({'text': ['late crew']}))[0])\n"
        "heavy = {'torch', 'pandas', 'sklearn', 'mlflow', 'tasks'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    bundle = make_bundle("text_encoder")
    done = subprocess.run(
        [sys.executable, "-c", code, str(bundle)],
        cwd=tmp_path,
        env={"PATH": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    here = Predictor.load(bundle)
    assert done.stdout.strip() == here.labels(here.probabilities({"text": ["late crew"]}))[0]
