"""Hints of tokens against loops, a student that comes to read as its teacher does, and refusals."""

import json
import pickle
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import rel_entr, softmax
from torch import Tensor, nn

from models.build import build_model
from models.minilm import minilm_folder
from models.text_encoder import SelfAttention, TextEncoder
from tasks.artifacts import DatasetRef
from tasks.compression.distil_config import DistilConfig
from tasks.training.answers import logits_of
from tasks.training.architectures import MiniLM, NgramBag
from tasks.training.blueprint import Blueprint
from tasks.training.blueprints import blueprint_of
from tasks.training.course import Course, Material, Setting, new_state
from tasks.training.hints import TOKEN_PROJECTION, HintLoss, TokenHints, without_projection
from tasks.training.job import first_state, material_of
from tasks.training.loop import train
from tasks.training.losses import DistilLoss, LabelLoss
from tasks.training.model_folder import trained_blueprint
from tasks.training.recipes import Lesson, student_job, teacher_job
from tasks.training.text_architectures import Transformer
from tasks.training.token_hints import (
    attention_loss,
    hidden_loss,
    in_heads,
    layers_learned_from,
    read_by,
    relation_heads,
    teach_tokens,
    token_relation_loss,
)
from tasks.training.tutors import Tutor, tutor_of
from tests.in_process import CPU, site_of, taught
from tests.tasks.training.killed_training import undisturbed_and_resumed

ALL = TokenHints(hidden=1.0, attention=0.5, relations=0.25)
MASK = torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1], [1, 0, 0, 0]])


def numbers(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_states_are_compared_token_by_token() -> None:
    own, seen = numbers(3, 4, 5, seed=1), numbers(3, 4, 5, seed=2)
    found = hidden_loss(own, seen, MASK.float())
    for row, length in enumerate(MASK.sum(1).tolist()):
        each = [((own[row, t] - seen[row, t]) ** 2).mean().item() for t in range(length)]
        assert found[row].item() == pytest.approx(np.mean(each), rel=1e-5)


def test_attention_is_compared_between_real_tokens() -> None:
    own, seen = numbers(3, 2, 4, 4, seed=3), numbers(3, 2, 4, 4, seed=4)
    found = attention_loss(own, seen, MASK.float())
    for row, length in enumerate(MASK.sum(1).tolist()):
        inside = (own - seen)[row, :, :length, :length]
        assert found[row].item() == pytest.approx((inside**2).mean().item(), rel=1e-5)


def test_relations_are_divergences_of_the_shares_that_tokens_give() -> None:
    """MiniLMv2, head by head and token by token; widths of 6 and 12 in three heads."""
    own, seen = numbers(3, 3, 4, 6, seed=5), numbers(3, 3, 4, 12, seed=6)
    found = token_relation_loss(own, seen, MASK.float(), 3)

    def shares(vectors: Tensor, row: int, length: int, head: int) -> np.ndarray:
        size = vectors.shape[-1] // 3
        part = vectors[row, :length, head * size : (head + 1) * size].double().numpy()
        return np.asarray(softmax(part @ part.T / np.sqrt(size), axis=1))

    for row, length in enumerate(MASK.sum(1).tolist()):
        expected = 0.0
        for kind in range(3):
            for head in range(3):
                theirs = shares(seen[kind], row, length, head)
                apart = rel_entr(theirs, shares(own[kind], row, length, head)).sum()
                expected += apart / 3 / length
        assert found[row].item() == pytest.approx(expected, rel=1e-4, abs=1e-7)


def test_gradients_are_those_of_finite_differences() -> None:
    own, seen = numbers(3, 3, 4, 6, seed=7).double().requires_grad_(), numbers(3, 3, 4, 6, seed=8)
    token_relation_loss(own, seen, MASK.float(), 3).sum().backward()
    assert own.grad is not None
    assert own.grad[:, 0, 3].abs().max() == 0  # padding
    step = 1e-2
    for place in ((0, 0, 1, 2), (1, 1, 3, 5), (2, 0, 2, 0)):
        moved = torch.zeros_like(own)
        moved[place] = step
        with torch.no_grad():
            up = token_relation_loss(own + moved, seen, MASK.float(), 3).sum()
            down = token_relation_loss(own - moved, seen, MASK.float(), 3).sum()
        slope = float(up - down) / 2 / step
        assert float(own.grad[place]) == pytest.approx(slope, rel=2e-2, abs=1e-4)


@pytest.mark.parametrize(
    ("own", "theirs", "layer_map", "expected"),
    [
        (4, 12, "uniform", [3, 6, 9, 12]),
        (2, 6, "uniform", [3, 6]),
        (4, 6, "uniform", [2, 3, 4, 6]),
        (6, 6, "uniform", [1, 2, 3, 4, 5, 6]),
        (2, 6, "top", [5, 6]),
        (2, 6, "bottom", [1, 2]),
        (3, 2, "top", [1, 1, 2]),
        (3, 2, "bottom", [1, 2, 2]),
    ],
)
def test_layers_learn_from_layers(
    own: int, theirs: int, layer_map: str, expected: list[int]
) -> None:
    assert layers_learned_from(own, theirs, layer_map) == expected


def test_relations_are_in_parts_that_divide_both_widths() -> None:
    assert (relation_heads(384, 384), relation_heads(128, 384), relation_heads(60, 64)) == (
        12,
        8,
        4,
    )


def encoder(**changes: Any) -> TextEncoder:
    shape: dict[str, Any] = {
        "num_classes": 3, "vocab_size": 40, "layers": 2, "width": 16, "heads": 2,
        "feed_forward": 32, "max_positions": 16, "dropout": 0.0,
    }  # fmt: skip
    torch.manual_seed(changes.pop("seed", 5))
    model = build_model("text_encoder", shape | changes)
    assert isinstance(model, TextEncoder)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(3)
    return model


def blueprint_for(model: TextEncoder, **files: bytes) -> Blueprint:
    plain = Blueprint(family="text_encoder", config={}, inputs=("text",), encoder={}, files=files)
    return plain.started(asdict(model.config), model.state_dict())


def tutor_for(model: TextEncoder, ids: range = range(40)) -> Tutor:
    return Tutor(blueprint_for(model), tuple(ids))


IDS = torch.tensor([[3, 9, 4, 0], [5, 6, 7, 8], [2, 0, 0, 0]])


@pytest.mark.parametrize("share_layers", [False, True])
def test_what_is_read_is_what_attention_computes(share_layers: bool) -> None:
    model = encoder(share_layers=share_layers).eval()
    reading = read_by(model)
    reading.is_open = True
    outputs: list[Tensor] = []

    def keep(module: nn.Module, inputs: Any, output: Tensor) -> None:
        del module, inputs
        outputs.append(output)

    for module in model.modules():
        if isinstance(module, SelfAttention):
            module.register_forward_hook(keep)
    last = model.encode(IDS, MASK)
    assert len(reading.states) == 3
    assert torch.equal(reading.states[-1], last)
    attention = next(m for m in model.modules() if isinstance(m, SelfAttention))
    for layer in (1, 2):
        hidden = MASK[:, None, None, :] == 0
        shares = reading.scores(layer, 2, attention.scale).masked_fill(hidden, -torch.inf)
        values = in_heads(reading.qkv[layer - 1].chunk(3, dim=-1)[2], 2)
        mixed = (shares.softmax(-1) @ values).transpose(1, 2).flatten(2)
        own = attention if share_layers else model.layers[layer - 1].attention
        assert isinstance(own, SelfAttention)
        torch.testing.assert_close(own.output(mixed), outputs[layer - 1])


def said_by(model: nn.Module, ids: Tensor = IDS, mask: Tensor = MASK) -> Tensor:
    found: Tensor = model(input_ids=ids, attention_mask=mask)
    return found


def test_a_student_that_is_its_teacher_has_nothing_to_learn() -> None:
    model, twin = encoder(), encoder()
    teach_tokens(twin, ALL, [tutor_for(model)])
    plain = said_by(model)
    with torch.no_grad():
        getattr(twin, TOKEN_PROJECTION)[0].weight.copy_(torch.eye(16))
        said = said_by(twin.train())
        np.testing.assert_allclose(said[:, 3], 0, atol=1e-6)
        torch.testing.assert_close(said[:, :3], plain)
        assert torch.equal(said_by(twin.eval()), plain)


def test_padding_and_the_numbers_of_pieces_do_not_matter() -> None:
    """The student calls piece p what its teacher calls 39 - p; a row alone is a row in a batch."""
    teacher, student = encoder(width=24, seed=9, layers=4), encoder()
    renamed = encoder(width=24, seed=9, layers=4)
    with torch.no_grad():
        words = renamed.embeddings.words.weight
        words.copy_(words.flip(0))
    other = encoder()
    for each, tutor in (
        (student, tutor_for(teacher)),
        (other, tutor_for(renamed, range(39, -1, -1))),
    ):
        torch.manual_seed(1)
        teach_tokens(each, ALL, [tutor])
    whole = said_by(student.train())
    torch.testing.assert_close(said_by(other.train()), whole)
    alone = said_by(student, IDS[:1, :3], MASK[:1, :3])
    torch.testing.assert_close(alone[0], whole[0], rtol=1e-4, atol=1e-5)
    assert whole[:, 3].min() > 0


def test_the_added_number_is_added_to_a_rows_loss() -> None:
    logits, added, labels = (
        numbers(4, 3, seed=10),
        numbers(4, 1, seed=11),
        torch.tensor([0, 1, 2, 0]),
    )
    teacher = numbers(4, 5, seed=12)
    distil = DistilLoss(temperature=2.0, weight=0.8)
    loss = HintLoss(answers=distil, num_answers=3, width=0, tokens=ALL)
    expected = distil(logits, labels, teacher[:, :3]) + added[:, 0]
    torch.testing.assert_close(
        loss(torch.cat([logits, added], 1), labels, teacher[:, :3]), expected
    )
    both = replace(loss, width=2, features=0.5, relations=0.5)
    rest = numbers(4, 4, seed=13)
    said = torch.cat([logits, rest], 1)
    without = replace(both, tokens=None)(said, labels, teacher)
    torch.testing.assert_close(
        both(torch.cat([said, added], 1), labels, teacher), without + added[:, 0]
    )


@pytest.fixture(scope="module")
def lesson(toy: ModuleType) -> tuple[Material, Tutor]:
    """Rows with the answers of a trained teacher of four layers, and that teacher."""
    material = toy.toy_material()
    course = Course(epochs=20, batch_size=16, lr=5e-3, seed=3, loss=LabelLoss())
    torch.manual_seed(3)
    model = build_model("text_encoder", toy.SHAPE | {"width": 24, "dropout": 0.0, "layers": 4})
    assert isinstance(model, TextEncoder)
    state = toy.new_state(model, course, toy.CPU)
    train(state, course, material, Setting(toy.CPU))
    said = logits_of(model, material.encoder, material.train, Setting(toy.CPU))
    return replace(material, train=replace(material.train, teacher=said)), tutor_for(model)


def trained_by(toy: ModuleType, lesson: tuple[Material, Tutor], hints: TokenHints) -> nn.Module:
    answers = DistilLoss(temperature=2.0, weight=0.8)
    loss = HintLoss(answers=answers, num_answers=3, width=0, tokens=hints)
    course = Course(epochs=30, batch_size=16, lr=5e-3, seed=7, loss=loss)
    torch.manual_seed(7)
    model = build_model("text_encoder", toy.SHAPE | {"layers": 2, "dropout": 0.0})
    state = new_state(model, course, toy.CPU, tutors=lesson[1:])
    train(state, course, lesson[0], Setting(toy.CPU))
    assert logits_of(model, lesson[0].encoder, lesson[0].valid, Setting(toy.CPU)).shape == (30, 3)
    return model


def distances_of(lesson: tuple[Material, Tutor], model: nn.Module) -> tuple[float, float, float]:
    """What no linear map finds of the teacher's last states in the student's; how far attention
    and relations are."""
    assert isinstance(model, TextEncoder)
    batch = lesson[0].encoder.batch(lesson[0].train.rows)
    ids, mask = torch.tensor(batch["input_ids"]), torch.tensor(batch["attention_mask"])
    teacher = build_model("text_encoder", lesson[1].blueprint.config)
    teacher.load_state_dict(lesson[1].blueprint.weights)
    assert isinstance(teacher, TextEncoder)
    readings = []
    for each in (model.eval(), teacher.eval()):
        reading = read_by(each)
        reading.is_open = True
        with torch.no_grad():
            each.encode(ids, mask)
        readings.append(reading)
    own, seen = readings
    real = mask.bool()
    states, theirs = own.states[-1][real].numpy(), seen.states[-1][real].numpy()
    left = theirs - states @ np.linalg.lstsq(states, theirs, rcond=None)[0]
    scale = 8**-0.5, 12**-0.5
    apart = attention_loss(own.scores(2, 2, scale[0]), seen.scores(4, 2, scale[1]), mask.float())
    related = token_relation_loss(own.last(), seen.last(), mask.float(), 8)
    return float((left**2).mean()), float(apart.mean()), float(related.mean())


def test_a_student_with_hints_reads_more_like_its_teacher(
    toy: ModuleType, lesson: tuple[Material, Tutor]
) -> None:
    plain = distances_of(lesson, trained_by(toy, lesson, TokenHints(relations=1e-9)))
    hidden = distances_of(lesson, trained_by(toy, lesson, TokenHints(hidden=2.0)))
    attention = distances_of(lesson, trained_by(toy, lesson, TokenHints(attention=1.0)))
    related = distances_of(lesson, trained_by(toy, lesson, TokenHints(relations=2.0)))
    assert hidden[0] < 0.6 * plain[0]
    assert attention[1] < 0.6 * plain[1]
    assert related[2] < 0.6 * plain[2]


def test_what_is_kept_has_no_projection_and_no_teacher(
    toy: ModuleType, lesson: tuple[Material, Tutor]
) -> None:
    model = trained_by(toy, lesson, TokenHints(hidden=1.0))
    plain = build_model("text_encoder", toy.SHAPE | {"layers": 2})
    assert set(model.state_dict()) - set(plain.state_dict()) == {f"{TOKEN_PROJECTION}.0.weight"}
    assert set(without_projection(model.state_dict())) == set(plain.state_dict())


STUDENT = Transformer(
    name="small", layers=1, width=16, heads=2, feed_forward=32, epochs=2, vocab_size=256,
    batch_size=16, dropout=0.1,
)  # fmt: skip
DISTIL = DistilConfig(hidden=1.0, attention=0.5, token_relations=0.5, features=0.5)


@pytest.fixture(scope="module")
def teacher(
    small_dataset: tuple[Path, DatasetRef], tmp_path_factory: pytest.TempPathFactory
) -> Blueprint:
    """A transformer of two layers that was trained on the same rows."""
    config = STUDENT.model_copy(update={"layers": 2, "width": 24, "name": "teacher"})
    job = teacher_job(config, 1e-3, site_of(*small_dataset))
    return trained_blueprint(taught(job, tmp_path_factory.mktemp("teacher") / "t"))


def lesson_by(teacher: Blueprint | None, dataset: DatasetRef, distil: DistilConfig) -> Lesson:
    random = np.random.default_rng(3)
    width = 3 + (5 if distil.has_hints else 0)
    said = random.normal(size=(dataset.rows["train"], width)).astype(np.float32)
    return Lesson(distil, said, teachers=(teacher,) if teacher else ())


@pytest.mark.parametrize("recomputed", [False, True])
def test_a_killed_training_goes_on_bit_by_bit(
    small_dataset: tuple[Path, DatasetRef], teacher: Blueprint, recomputed: bool
) -> None:
    changes = {"augment": {"token_dropout": 0.2}, "gradient_checkpointing": recomputed}
    config = Transformer.model_validate(STUDENT.model_dump() | changes)
    lesson = lesson_by(teacher, small_dataset[1], DISTIL)
    job = pickle.loads(pickle.dumps(student_job(config, lesson, site_of(*small_dataset))))  # noqa: S301
    whole, resumed = undisturbed_and_resumed(job, step=7)
    for name, weight in whole.trained_weights().items():
        assert torch.equal(weight, resumed.trained_weights()[name])


def test_a_student_that_is_trained_for_int8_has_them_too(
    small_dataset: tuple[Path, DatasetRef], teacher: Blueprint
) -> None:
    job = student_job(
        STUDENT, lesson_by(teacher, small_dataset[1], DISTIL), site_of(*small_dataset)
    )
    job = replace(job, course=replace(job.course, fake_quantized=True))
    state = first_state(job, CPU)
    added = [name for name in state.model.state_dict() if name.startswith(TOKEN_PROJECTION)]
    assert added == [f"{TOKEN_PROJECTION}.0.weight"], "what is never deployed is not rounded"
    train(state, job.course, material_of(job), Setting(CPU))
    assert all(np.isfinite(point["train/loss"]) for point in state.history)


def test_without_the_teacher_there_are_no_hints_of_tokens(
    small_dataset: tuple[Path, DatasetRef],
) -> None:
    lesson = lesson_by(None, small_dataset[1], DISTIL)
    with pytest.raises(ValueError, match="need each teacher itself: 0 of 1 are here"):
        student_job(STUDENT, lesson, site_of(*small_dataset))


def test_a_vocabulary_that_was_trimmed_is_found_again(
    small_dataset: tuple[Path, DatasetRef],
) -> None:
    """MiniLM reads what its first layer reads, whose pieces have other numbers."""
    dataset, rows = small_dataset[1], site_of(*small_dataset).rows("train")
    small = blueprint_of(MiniLM(name="minilm-1", layers=1, min_count=1), dataset, rows)
    whole = blueprint_of(MiniLM(name="teacher", layers=6, min_count=None), dataset, rows)
    tutor = tutor_of(small, whole, ALL, "minilm-1")
    assert small.kept_ids is not None
    assert tutor.ids == small.kept_ids
    backwards = "the teacher does not know .* of the 30522 pieces that teacher reads, such as"
    with pytest.raises(ValueError, match=backwards):
        tutor_of(whole, small, ALL, "teacher")


def test_models_that_cannot_be_compared_are_refused(
    small_dataset: tuple[Path, DatasetRef], teacher: Blueprint
) -> None:
    dataset, rows = small_dataset[1], site_of(*small_dataset).rows("train")

    def refusal(config: Any, other: Blueprint = teacher) -> str:
        with pytest.raises(ValueError, match=r".") as raised:
            tutor_of(blueprint_of(config, dataset, rows), other, ALL, config.name)
        return str(raised.value)

    more_heads = STUDENT.model_copy(update={"heads": 4})
    assert "attention: small has 4 heads, the teacher 2; they must be as many" in refusal(
        more_heads
    )
    bag = NgramBag(name="bag", buckets=1024, width=8)
    assert "bag and the teacher must both be transformers of text" in refusal(bag)
    words = STUDENT.model_copy(update={"tokens": "words"})
    assert "small and the teacher hash words into other buckets" in refusal(words)
    short = replace(teacher, config=teacher.config | {"max_positions": 16})
    assert "small reads 128 tokens, the teacher only 16" in refusal(STUDENT, short)
    minilm = blueprint_of(MiniLM(name="m", layers=1), dataset, rows)
    content = json.loads((minilm_folder() / "tokenizer.json").read_text())
    assert content["model"]["type"] == "WordPiece"
    assert "such as" in refusal(STUDENT.model_copy(update={"heads": 12, "width": 24}), minilm)
