"""The shipped voices: what the file holds, what the split keeps apart, WAV files and answers."""

import base64
import csv
import json
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from flows.project_file import load_project
from tasks.data.dataset import reference_of, write_dataset
from tasks.data.prepare import Prepared, prepare_rows
from tasks.data.same_sound import same_sounds
from tasks.data.splitting import SPLITS
from tasks.evaluation.baseline import save_baseline
from tasks.evaluation.scoring import score_file
from tasks.packaging.export import export_bundle
from tasks.packaging.predictor import Predictor
from tasks.packaging.predictor.audio import stored_samples

PROJECTS = Path(__file__).resolve().parents[2] / "flows" / "projects"
CLIPS = PROJECTS / "voices" / "clips.parquet"
LANGUAGES = ("english", "french", "italian", "russian", "spanish")


@pytest.fixture(scope="module")
def voices() -> Prepared:
    return prepare_rows(load_project(PROJECTS / "voices.yaml").data, PROJECTS)


@pytest.fixture(scope="module")
def bundle(voices: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The floor of the project, exported."""
    folder = tmp_path_factory.mktemp("voices")
    (folder / "data").mkdir()
    dataset = reference_of(voices, "voices", write_dataset(voices, folder / "data"))
    save_baseline(folder / "data", dataset, folder / "model")
    columns = {"clip": voices.inputs["clip"][:8]}
    export_bundle(folder / "model", folder / "bundle", "language", columns)
    return folder / "bundle"


def test_every_prompt_is_there_once_in_each_language(voices: Prepared) -> None:
    assert voices.classes == LANGUAGES
    assert (len(voices.rows), sum(voices.rows.dropped.values())) == (405, 0)
    prompts = pq.read_table(CLIPS, columns=["prompt", "language"]).to_pydict()
    assert set(Counter(prompts["prompt"]).values()) == {len(LANGUAGES)}
    assert len(set(zip(*prompts.values(), strict=True))) == 405


def test_a_word_stands_on_one_side_in_all_languages(voices: Prepared) -> None:
    words = list(voices.rows.grouping)
    sides: dict[str, set[int]] = {word: set() for word in words}
    for word, side in zip(words, voices.sides.tolist(), strict=True):
        sides[word].add(side)
    assert set(map(len, sides.values())) == {1}
    for side, name in enumerate(SPLITS):
        labels = zip(voices.rows.labels, voices.sides.tolist(), strict=True)
        counts = Counter(label for label, at in labels if at == side)
        assert len(set(counts.values())) == 1, f"{name}: {counts}"
        assert set(counts) == set(LANGUAGES)


def test_no_clip_is_the_recording_of_another(voices: Prepared) -> None:
    sounds = [stored_samples(cell) for cell in voices.inputs["clip"]]
    assert len(set(same_sounds(sounds).tolist())) == len(sounds)
    seconds = [len(samples) / rate for samples, rate in sounds]
    assert 0.3 <= min(seconds) <= max(seconds) <= voices.config.audio.seconds


def test_the_licence_speaks_of_every_language() -> None:
    said = (CLIPS.parent / "LICENCE.md").read_text()
    assert all(f"| `{language}` |" in said for language in LANGUAGES)


def files_of(folder: Path, count: int) -> Path:
    """The first clips of the project as WAV files in a folder for each language."""
    rows = pq.read_table(CLIPS).slice(0, count).to_pylist()
    for row in rows:
        target = folder / "wav" / row["language"] / f"{row['prompt'].replace('/', '-')}.wav"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(row["clip"])
    return folder / "wav"


def test_files_are_answered_as_the_rows_that_were_made_of_them(
    voices: Prepared, bundle: Path, tmp_path: Path
) -> None:
    files = files_of(tmp_path, 40)
    target = tmp_path / "out.csv"
    assert score_file(bundle, files, target) == 40
    answers = {row["clip"]: row for row in csv.DictReader(target.open())}
    assert sum(row["label"] == name.split("/")[0] for name, row in answers.items()) >= 32
    one = files / "english" / "auth-thankyou.wav"
    assert score_file(bundle, one, target) == 1
    (row,) = csv.DictReader(target.open())
    assert row == answers["english/auth-thankyou.wav"] | {"clip": one.name}
    predictor = Predictor.load(bundle)
    assert predictor.answer({"clip": [one.read_bytes()]})["label"] == [row["label"]]
    at = next(i for i, label in enumerate(voices.rows.labels) if label == "english")
    assert predictor.answer({"clip": [voices.inputs["clip"][at]]})["label"] == [row["label"]]


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_files_in_a_column_are_written_so_that_they_can_be_read_again(
    bundle: Path, tmp_path: Path, suffix: str
) -> None:
    few = pq.read_table(CLIPS, columns=["clip"]).slice(0, 3)
    pq.write_table(few, tmp_path / "few.parquet")
    target = tmp_path / f"out.{suffix}"
    assert score_file(bundle, tmp_path / "few.parquet", target) == 3
    lines = csv.DictReader(target.open()) if suffix == "csv" else map(json.loads, target.open())
    cells = [row["clip"] for row in lines]
    assert [base64.b64decode(cell) for cell in cells] == few["clip"].to_pylist()
    assert score_file(bundle, target, tmp_path / "again.csv") == 3
