"""Several teachers that read along: against numpy, twice is once, and a share of nothing."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.special import erf, rel_entr, softmax
from torch import Tensor

import tasks.fetched_lesson
from models.build import build_model
from models.text_encoder import TextEncoder
from tasks.artifacts import DatasetRef, TeacherOutputs
from tasks.compression.distil_config import DistilConfig
from tasks.fetched_lesson import fetched_teachers
from tasks.training.blueprint import Blueprint
from tasks.training.course import Setting, TrainState
from tasks.training.hints import TOKEN_PROJECTION, TokenHints
from tasks.training.job import TrainingJob, first_state, material_of
from tasks.training.loop import train
from tasks.training.model_folder import trained_blueprint
from tasks.training.recipes import Lesson, student_job, teacher_job
from tasks.training.text_architectures import Transformer
from tasks.training.token_hints import teach_tokens
from tasks.training.tutors import Tutor
from tests.in_process import CPU, site_of, taught
from tests.tasks.training.killed_training import undisturbed_and_resumed

Floats = NDArray[np.float64]
ALL = TokenHints(hidden=1.0, attention=0.5, relations=0.25)
IDS = torch.tensor([[3, 9, 4, 0], [5, 6, 7, 8], [2, 0, 0, 0]])
MASK = torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1], [1, 0, 0, 0]])
SHAPE: dict[str, Any] = {
    "num_classes": 3, "vocab_size": 40, "layers": 2, "width": 16, "heads": 2,
    "feed_forward": 32, "max_positions": 16, "dropout": 0.0,
}  # fmt: skip


def encoder(seed: int, **changes: Any) -> TextEncoder:
    torch.manual_seed(seed)
    model = build_model("text_encoder", SHAPE | changes)
    assert isinstance(model, TextEncoder)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(3)
    return model


def tutor_for(model: TextEncoder, share: float) -> Tutor:
    plain = Blueprint(family="text_encoder", config={}, inputs=("text",), encoder={}, files={})
    return Tutor(plain.started(asdict(model.config), model.state_dict()), tuple(range(40)), share)


def taught_by(*tutors: Tutor, hints: TokenHints = ALL) -> tuple[TextEncoder, Tensor]:
    """A student, and what it says of three rows."""
    student = encoder(5)
    teach_tokens(student, hints, tutors)
    said: Tensor = student.train()(input_ids=IDS, attention_mask=MASK)
    return student, said


def in_numpy(model: TextEncoder, ids: Sequence[int]) -> tuple[list[Floats], list[list[Floats]]]:
    """States and queries, keys, values of one row alone, from the weights."""
    of = {name: weight.detach().double().numpy() for name, weight in model.state_dict().items()}

    def normed(x: Floats, name: str) -> Floats:
        apart = x - x.mean(1, keepdims=True)
        scale = np.sqrt((apart**2).mean(1, keepdims=True) + model.config.norm_eps)
        return np.asarray(apart / scale * of[f"{name}.weight"] + of[f"{name}.bias"])

    def product(x: Floats, name: str) -> Floats:
        return np.asarray(x @ of[f"{name}.weight"].T + of[f"{name}.bias"])

    words, places = of["embeddings.words.weight"], of["embeddings.positions.weight"]
    states = [normed(words[list(ids)] + places[: len(ids)], "embeddings.norm")]
    triples = []
    for layer in (f"layers.{index}" for index in range(model.config.layers)):
        q, k, v = np.split(product(states[-1], f"{layer}.attention.query_key_value"), 3, axis=1)
        heads = zip(
            *(np.split(each, model.config.heads, axis=1) for each in (q, k, v)), strict=True
        )
        mixed = [softmax(a @ b.T / np.sqrt(a.shape[1]), axis=1) @ c for a, b, c in heads]
        out = product(np.concatenate(mixed, axis=1), f"{layer}.attention.output")
        middle = normed(states[-1] + out, f"{layer}.attention_norm")
        wide = product(middle, f"{layer}.expand")
        back = product(wide * (1 + erf(wide / np.sqrt(2))) / 2, f"{layer}.contract")
        triples.append([q, k, v])
        states.append(normed(middle + back, f"{layer}.feed_forward_norm"))
    return states, triples


def hint_in_numpy(
    student: TextEncoder, teacher: TextEncoder, projection: Floats, ids: Sequence[int]
) -> float:
    """What one teacher of four layers adds for one row to a student of two."""
    own, own_qkv = in_numpy(student, ids)
    seen, seen_qkv = in_numpy(teacher, ids)
    pairs = ((0, 0), (1, 2), (2, 4))
    hidden = sum(((own[a] @ projection.T - seen[b]) ** 2).mean() for a, b in pairs)

    def scores(qkv: list[Floats]) -> Floats:
        parts = zip(np.split(qkv[0], 2, axis=1), np.split(qkv[1], 2, axis=1), strict=True)
        return np.stack([q @ k.T / np.sqrt(q.shape[1]) for q, k in parts])

    def shares(vectors: Floats) -> list[Floats]:
        return [
            softmax(v @ v.T / np.sqrt(v.shape[1]), axis=1) for v in np.split(vectors, 8, axis=1)
        ]

    apart = [scores(own_qkv[a - 1]) - scores(seen_qkv[b - 1]) for a, b in pairs[1:]]
    attention = sum((each**2).mean() for each in apart)
    related = sum(
        rel_entr(theirs, ours).sum() / 8 / len(ids)
        for mine, other in zip(own_qkv[-1], seen_qkv[-1], strict=True)
        for ours, theirs in zip(shares(mine), shares(other), strict=True)
    )
    return float(hidden + 0.5 * attention + 0.25 * related)


def test_hints_are_the_mean_of_each_teachers_by_their_shares() -> None:
    """Each with a projection of its own."""
    teachers = [encoder(seed, width=24, layers=4) for seed in (9, 10)]
    student, _ = taught_by(*(tutor_for(t, s) for t, s in zip(teachers, (0.25, 0.75), strict=True)))
    drawn = torch.Generator().manual_seed(1)
    projections = [torch.randn(24, 16, generator=drawn) for _ in teachers]
    with torch.no_grad():
        for layer, weight in zip(getattr(student, TOKEN_PROJECTION), projections, strict=True):
            layer.weight.copy_(weight)
        found = student(input_ids=IDS, attention_mask=MASK)[:, 3]
    for row, length in enumerate(MASK.sum(1).tolist()):
        ids = IDS[row, :length].tolist()
        each = [
            hint_in_numpy(student, teacher, projection.double().numpy(), ids)
            for teacher, projection in zip(teachers, projections, strict=True)
        ]
        assert abs(each[0] - each[1]) > 0.1
        assert found[row].item() == pytest.approx(0.25 * each[0] + 0.75 * each[1], rel=1e-4)


def test_a_teacher_given_twice_says_what_it_says_once() -> None:
    teacher = encoder(9, width=24, layers=4)
    once, said = taught_by(tutor_for(teacher, 1.0))
    twice, said_twice = taught_by(tutor_for(teacher, 0.5), tutor_for(teacher, 0.5))
    assert torch.equal(said_twice, said)
    said[:, 3].sum().backward()
    said_twice[:, 3].sum().backward()
    for name, weight in once.named_parameters():
        if weight.grad is not None and not name.startswith(TOKEN_PROJECTION):
            grad = twice.get_parameter(name).grad
            torch.testing.assert_close(grad, weight.grad, rtol=1e-4, atol=1e-5)


STUDENT = Transformer(
    name="small", layers=1, width=16, heads=2, feed_forward=32, epochs=2, vocab_size=256,
    batch_size=16, dropout=0.1,
)  # fmt: skip
HINTS = {"weight": 0, "hidden": 1.0, "attention": 0.5, "token_relations": 0.5}
ONE, TWO = (DistilConfig.model_validate(HINTS | {"teachers": count}) for count in (1, 2))


@pytest.fixture(scope="module")
def teachers(
    small_dataset: tuple[Path, DatasetRef], tmp_path_factory: pytest.TempPathFactory
) -> list[Path]:
    """Two transformers of two layers, alike but for their seeds."""
    config = STUDENT.model_copy(update={"layers": 2, "width": 24, "name": "teacher"})
    folder, site = tmp_path_factory.mktemp("teachers"), site_of(*small_dataset)
    return [
        taught(teacher_job(config.model_copy(update={"seed": s}), 1e-3, site), folder / str(s))
        for s in (7, 8)
    ]


def job_by(
    data: tuple[Path, DatasetRef],
    distil: DistilConfig,
    folders: Sequence[Path],
    shares: tuple[float, ...] = (),
) -> TrainingJob:
    said = np.zeros((data[1].rows["train"], 3 * distil.teachers), np.float32)
    blueprints = tuple(trained_blueprint(folder) for folder in folders)
    lesson = Lesson(distil, said, teachers=blueprints, shares=shares)
    return student_job(STUDENT, lesson, site_of(*data))


def trained(job: TrainingJob) -> TrainState:
    state = first_state(job, CPU)
    train(state, job.course, material_of(job), Setting(CPU))
    return state


def own_weights_of(state: TrainState) -> dict[str, Tensor]:
    weights = state.model.state_dict()
    return {name: w for name, w in weights.items() if not name.startswith(TOKEN_PROJECTION)}


def test_a_training_by_one_teacher_twice_is_that_by_one(
    small_dataset: tuple[Path, DatasetRef], teachers: list[Path]
) -> None:
    once = trained(job_by(small_dataset, ONE, teachers[:1]))
    twice = trained(job_by(small_dataset, TWO, [teachers[0]] * 2))
    both = trained(job_by(small_dataset, TWO, teachers))
    own = own_weights_of(once)
    for name, weight in own_weights_of(twice).items():
        torch.testing.assert_close(weight, own[name], rtol=1e-3, atol=1e-4)
    apart = [float((own[n] - w).abs().max()) for n, w in own_weights_of(both).items()]
    assert max(apart) > 1e-3, "the second teacher is heard"


def test_a_teacher_without_a_share_stays_away(
    small_dataset: tuple[Path, DatasetRef], teachers: list[Path]
) -> None:
    job = job_by(small_dataset, TWO, teachers, (1.0, 0.0))
    assert [tutor.share for tutor in job.tutors] == [1.0]
    alone = trained(job_by(small_dataset, ONE, teachers[:1])).model.state_dict()
    for name, weight in trained(job).model.state_dict().items():
        assert torch.equal(weight, alone[name])


def test_equal_teachers_have_equal_shares(
    small_dataset: tuple[Path, DatasetRef], teachers: list[Path]
) -> None:
    tutors = job_by(small_dataset, TWO, teachers).tutors
    assert [tutor.share for tutor in tutors] == [0.5, 0.5]
    assert tutors[0].blueprint.start != tutors[1].blueprint.start


def test_a_killed_training_by_two_goes_on_bit_by_bit(
    small_dataset: tuple[Path, DatasetRef], teachers: list[Path]
) -> None:
    job = job_by(small_dataset, TWO, teachers, (0.3, 0.7))
    whole, resumed = undisturbed_and_resumed(job, step=7)
    for name, weight in whole.trained_weights().items():
        assert torch.equal(weight, resumed.trained_weights()[name])


def test_one_teacher_too_few_is_refused(
    small_dataset: tuple[Path, DatasetRef], teachers: list[Path]
) -> None:
    with pytest.raises(ValueError, match="need each teacher itself: 1 of 2 are here"):
        job_by(small_dataset, TWO, teachers[:1])


def test_all_teachers_are_fetched_where_they_read_along(
    teachers: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Folders:
        def fetch_folder(self, uri: str) -> Path:
            return Path(uri)

    monkeypatch.setattr(tasks.fetched_lesson, "open_storage", Folders)
    uris = tuple(map(str, teachers))
    outputs = TeacherOutputs(uri="", sha256="", teacher_sha256=("a", "b"), teacher_uris=uris)
    found = fetched_teachers(TWO, outputs)
    assert [each.start for each in found] == [trained_blueprint(f).start for f in teachers]
    assert fetched_teachers(DistilConfig(teachers=2), outputs) == ()
