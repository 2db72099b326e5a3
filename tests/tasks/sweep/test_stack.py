"""Rows, masks and weights of many members, laid side by side."""

import numpy as np
import pytest
import torch
from torch import nn

from models.lenet import Lenet, LenetConfig
from tasks.sweep.member_batches import member_batches, padded
from tasks.sweep.stack import Draw, Layout, Network, drawn_masks
from tasks.training.batches import epoch_batches
from tasks.training.course import Course
from tasks.training.examples import Batch
from tasks.training.loop import seed_step
from tasks.training.losses import LabelLoss
from tasks.training.optimizers import make_optimizer


def test_a_row_holds_every_weight_and_those_that_decay_first() -> None:
    model = nn.Sequential(nn.Embedding(5, 3), nn.LayerNorm(3), nn.Linear(3, 2))
    layout = Layout.of(model)
    weights_MP = torch.stack([layout.row_of(model)] * 2)
    views = layout.views(weights_MP)
    for name, weight in model.named_parameters():
        assert torch.equal(views[name][1], weight)
    decaying, _ = make_optimizer("adamw", model, 0.1, 0.1).param_groups
    assert layout.decaying == sum(weight.numel() for weight in decaying["params"]) == 6
    assert layout.matrices == 6 + 15
    assert list(views) == ["2.weight", "0.weight", "1.weight", "1.bias", "2.bias"]


def test_masks_are_those_that_dropout_draws() -> None:
    model = Lenet(LenetConfig(num_classes=3, size=8, filters=(2, 2), hidden=(7, 5), dropout=0.5))
    seen: list[torch.Tensor] = []
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.register_forward_hook(lambda _, given, found: seen.append(found / given[0]))
    pixels = torch.rand(6, 1, 8, 8)
    tails = Network(model, {"pixels": pixels}, [True, True]).tails
    assert tails == [(7,), (5,)]
    draws = [Draw(3, (0.5, 0.5), (0, 2)), Draw(4, (0.5, 0.0), (1,))]
    masks = drawn_masks(tails, draws, [6, 5], step=9)
    seen.clear()
    seed_step(3, 9, 0)
    model(pixels)
    for mask, expected in zip(masks, seen, strict=True):
        assert torch.equal(mask[0], mask[2])
        known = ~expected.isnan()  # 0 / 0 behind a ReLU
        assert torch.equal(mask[0][known], expected[known])
    assert torch.equal(masks[1][1], torch.ones(6, 5))
    assert torch.equal(masks[0][1, 5], torch.ones(7))


def test_a_dropout_that_is_used_twice_is_refused() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.drop = nn.Dropout(0.5)

        def forward(self, values: torch.Tensor) -> torch.Tensor:
            return self.drop(self.drop(values))

    with pytest.raises(ValueError, match="a dropout is used twice"):
        Network(Twice(), {"values": torch.ones(2, 3)}, [True])


def rows(count: int) -> Batch:
    numbers = torch.arange(float(count))
    return Batch({"numbers": numbers[:, None]}, numbers.long(), None, numbers + 1)


@pytest.mark.parametrize("seeds", [(1, 1), (1, 2, 1)], ids=["one-seed", "two-seeds"])
def test_each_member_sees_the_batches_of_its_own_loop(seeds: tuple[int, ...]) -> None:
    lengths = np.ones(103, np.int64)
    courses = [Course(epochs=3, batch_size=10, lr=0.1, seed=s, loss=LabelLoss()) for s in seeds]
    batches = list(member_batches(rows(103), lengths, courses, epoch=2))
    assert batches[0].is_own == (len(set(seeds)) > 1)
    for member, seed in enumerate(seeds):
        place = member if batches[0].is_own else 0
        for found, ids in zip(batches, epoch_batches(lengths, 10, seed, 2), strict=True):
            assert found.sizes[seed] == len(ids)
            assert found.labels[place, : len(ids)].tolist() == ids.tolist()
            assert found.inputs["numbers"][place, : len(ids), 0].tolist() == ids.tolist()
            expected = (ids + 1) / (ids + 1).sum()
            assert found.shares[place, : len(ids)].tolist() == pytest.approx(expected.tolist())
            assert found.shares[place, len(ids) :].sum() == 0
            assert found.weights[place] == (ids + 1).sum()


def test_short_batches_are_filled_up() -> None:
    ids, sizes = padded([np.array([4, 2, 0]), np.array([3, 1])])
    assert sizes.tolist() == [3, 2]
    assert ids[0].tolist() == [4, 2, 0]
    assert ids[1, :2].tolist() == [3, 1]
