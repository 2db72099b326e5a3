"""Zeros that stay zeros while the rest learns."""

from dataclasses import replace
from types import ModuleType

import pytest
import torch

from tasks.training.course import Setting, TrainState, own_weights
from tasks.training.held_zeros import products_of
from tasks.training.loop import train
from tasks.training.resume import restore
from tests.in_process import Stop, StopAt


def test_a_killed_recovery_ends_as_an_undisturbed_one(toy: ModuleType) -> None:
    course = replace(toy.toy_course(), zeros_stay=True)

    def state() -> TrainState:
        plain = toy.toy_state(toy.toy_course())
        with torch.no_grad():
            for layer in products_of(plain.model):
                layer.weight[:, ::2] = 0
        return toy.new_state(plain.model, course, toy.CPU)

    material = toy.toy_material()
    whole, stopped, again, kill = state(), state(), state(), StopAt(6)
    train(whole, course, material, Setting(toy.CPU))
    with pytest.raises(Stop):
        train(stopped, course, material, Setting(toy.CPU, observer=kill))
    assert kill.checkpoint is not None
    restore(again, kill.checkpoint)
    train(again, course, material, Setting(toy.CPU))
    found, expected = own_weights(again.model.state_dict()), own_weights(whole.model.state_dict())
    assert all(torch.equal(weight, found[name]) for name, weight in expected.items())
    assert (found["head.weight"][:, ::2] == 0).all()
    assert (found["head.weight"][:, 1::2] != 0).all()
