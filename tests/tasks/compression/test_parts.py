"""What a project may ask to be removed is what the networks have."""

from dataclasses import asdict

import pytest

from models.build import build_model
from tasks.compression.config import CompressConfig, PruneConfig
from tasks.compression.parts import PARTS, check_prunings
from tasks.compression.pruning_families import unit_groups
from tasks.training.architectures import MiniLMTeacher, Mlp, Resnet, Transformer
from tasks.training.sklearn_architecture import SklearnTeacher

FAMILY = {"minilm": "text_encoder", "encoder": "text_encoder", "transformer": "text_encoder"}
SHAPES = {
    "text_encoder": {"num_classes": 2, "vocab_size": 8, "layers": 1},
    "causal_transformer": {"vocab_size": 8, "layers": 1},
    "embedding_pool": {"num_classes": 2, "vocab_size": 8},
    "ngram_bag": {"num_classes": 2, "buckets": 8},
    "lenet": {"num_classes": 2, "size": 8},
    "small_lenet": {"num_classes": 2, "size": 8},
    "resnet": {"num_classes": 2},
    "audio_cnn": {"num_classes": 2, "mels": 8},
    "series_cnn": {"num_classes": 2, "channels": 2},
}
UNITS = {"heads", "neurons", "channels", "width"}
TEACHER = Transformer(share_layers=True)


@pytest.mark.parametrize("model", PARTS)
def test_units_of_a_project_are_those_of_the_network(model: str) -> None:
    family = FAMILY.get(model, model)
    built = build_model(family, SHAPES.get(family, {"num_classes": 2, "numbers": 2}))
    groups = unit_groups(family, asdict(built.config))  # type: ignore[arg-type]
    assert {group.kind for group in groups} == set(PARTS[model]) & UNITS


@pytest.mark.parametrize(
    ("prune", "message"),
    [
        ({"of": "mpl", "neurons": 0.5}, "compress.prune.0.of mpl: allowed are teacher, mlp, res"),
        ({"of": "mlp", "heads": 0.5}, "compress.prune.0.heads of mlp: model mlp has neurons"),
        ({"layers": 0.5}, "prune.0.layers of teacher: model transformer has heads, neurons, wid"),
        ({"of": "mlp", "neurons": 0.5, "name": "res"}, "compress.prune.0.name res stands twice"),
    ],
    ids=["unknown", "no such part", "shared layers", "name"],
)
def test_what_is_not_there_is_refused(prune: dict[str, object], message: str) -> None:
    students = (Mlp(name="mlp"), Resnet(name="res"))
    with pytest.raises(ValueError, match=message):
        check_prunings([PruneConfig(**prune)], TEACHER, students)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rank", "message"),
    [
        (
            {"linear_rank": 64},
            "0.linear_rank 64 of teacher: must be below 64 to make",
        ),
        ({"embedding_rank": 200}, "0.embedding_rank 200 of teacher: must be below 128"),
    ],
)
def test_a_rank_that_is_no_smaller_is_refused_where_the_width_is_known(
    rank: dict[str, int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        check_prunings([PruneConfig(**rank)], Transformer(width=128), ())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="of width 384"):
        check_prunings([PruneConfig(linear_rank=192)], MiniLMTeacher(), ())
    check_prunings([PruneConfig(linear_rank=63, embedding_rank=127)], Transformer(width=128), ())


def test_two_prunings_of_one_model_need_names() -> None:
    config = CompressConfig(prune=({"heads": 0.5}, {"heads": 0.25}))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"compress\.prune\.1\.name teacher-pruned stands twice"):
        check_prunings(config.prune, TEACHER, ())


def test_what_torch_did_not_make_has_nothing_to_remove() -> None:
    teacher = SklearnTeacher(estimator="ensemble.RandomForestClassifier")
    with pytest.raises(ValueError, match="model sklearn has nothing that can be removed"):
        check_prunings([PruneConfig(neurons=0.5)], teacher, ())
