"""The loop: golden losses, resumed = uninterrupted, one worker = two."""

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from safetensors.torch import load_file

from tasks.training.course import Setting, TrainState
from tasks.training.loop import train
from tasks.training.resume import restore
from tests.in_process import Stop, StopAt


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def run(toy: ModuleType, is_distilled: bool = False, epochs: int = 2) -> TrainState:
    course = toy.toy_course(is_distilled, epochs)
    state = toy.toy_state(course)
    train(state, course, toy.toy_material(), Setting(toy.CPU))
    return state


def without_times(state: TrainState) -> list[dict[str, float]]:
    return [{k: v for k, v in point.items() if k != "time_ms"} for point in state.history]


@pytest.mark.parametrize(
    ("is_distilled", "golden"),
    [(False, [1.09527, 1.10753, 1.08149]), (True, [1.06988, 1.08288, 1.05524])],
    ids=["labels", "distilled"],
)
def test_golden_losses(toy: ModuleType, is_distilled: bool, golden: list[float]) -> None:
    losses = [point["train/loss"] for point in run(toy, is_distilled).history[:3]]
    assert losses == pytest.approx(golden, abs=2e-4)


def test_it_learns(toy: ModuleType) -> None:
    state = run(toy, epochs=30)
    assert state.history[-1]["train/loss"] < 0.5 * state.history[0]["train/loss"]
    assert state.best_score > 0.6


def test_same_seed_same_weights(toy: ModuleType) -> None:
    first, second = run(toy).trained_weights(), run(toy).trained_weights()
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("step", [1, 4, 5, 7, 9], ids="killed-after-{}".format)
def test_resumed_is_bit_identical_to_uninterrupted(toy: ModuleType, step: int) -> None:
    whole = run(toy)
    course, material, stop = toy.toy_course(), toy.toy_material(), StopAt(step)
    with pytest.raises(Stop):
        train(toy.toy_state(course), course, material, Setting(toy.CPU, observer=stop))
    resumed = toy.toy_state(course)
    restore(resumed, stop.checkpoint)
    train(resumed, course, material, Setting(toy.CPU))
    for name, weight in whole.trained_weights().items():
        assert torch.equal(weight, resumed.trained_weights()[name]), name
        assert torch.equal(whole.best_weights[name], resumed.best_weights[name]), name
    assert without_times(resumed) == without_times(whole)


def by_two(toy: ModuleType, folder: Path, *how: str) -> dict[str, torch.Tensor]:
    """What the first of two processes comes to."""
    script = Path(toy.__file__)
    environment = os.environ | {
        "GLOO_SOCKET_IFNAME": "lo",
        "PYTHONPATH": str(script.parents[3]),
        "OMP_NUM_THREADS": "1",
    }
    workers = [
        subprocess.Popen([sys.executable, str(script), str(rank), folder, *how], env=environment)
        for rank in (0, 1)
    ]
    assert [worker.wait(120) for worker in workers] == [0, 0]
    return load_file(folder / "result.safetensors")


@pytest.mark.parametrize(
    ("how", "parts"),
    [
        ((), 1),
        (("lacking-forward",), 4),
        (("lacking-backward",), 4),
        (("lacking-moments",), 4),
        (("lacking-best",), 4),
        (("resumed-lacking-forward",), 4),
    ],
    ids=[
        "plain", "memory ran out on the way there", "on the way back", "beside the moments",
        "beside the best weights", "after a restart",
    ],
)  # fmt: skip
def test_one_worker_and_two_learn_the_same(
    toy: ModuleType, tmp_path: Path, how: tuple[str, ...], parts: int
) -> None:
    two = by_two(toy, tmp_path, *how)
    course = toy.toy_course()
    one = toy.toy_state(course, dropout=0.0)
    train(one, course, toy.toy_material(), Setting(toy.CPU))
    losses = torch.tensor([point["train/loss"] for point in one.history])
    assert torch.allclose(losses, two.pop("losses"), atol=1e-5)
    assert int(two.pop("parts")) == parts, "all split alike, though the second alone lacks memory"
    for name, weight in one.trained_weights().items():
        assert torch.allclose(weight, two[name], atol=1e-4), name


def test_two_workers_learn_in_training_mode_and_resume_exactly(
    toy: ModuleType, tmp_path: Path
) -> None:
    folders = tmp_path / "whole", tmp_path / "resumed"
    for folder in folders:
        folder.mkdir()
    whole, resumed = (
        by_two(toy, folder, how)
        for folder, how in zip(folders, ("dropout", "resumed-dropout"), strict=True)
    )
    modes = whole.pop("modes"), resumed.pop("modes")
    assert [len(each) for each in modes] == [10, 3]
    assert all(map(torch.all, modes)), "validation leaves a model that answers, without dropout"
    assert all(torch.equal(resumed[name], found) for name, found in whole.items())


def test_the_best_epoch_is_kept(toy: ModuleType) -> None:
    state = run(toy, epochs=4)
    scored = [point for point in state.history if "valid/macro_f1" in point]
    assert len(scored) == 4
    assert state.best_score == max(point["valid/macro_f1"] for point in scored)
    steps = [point["step"] for point in state.history]
    assert steps == sorted(set(steps))


def test_frozen_parameters_do_not_move(toy: ModuleType) -> None:
    course = toy.toy_course()
    state = toy.new_state(toy.toy_state(course).model, course, toy.CPU, ("embeddings.words",))
    before = state.model.state_dict()["embeddings.words.weight"].clone()
    train(state, course, toy.toy_material(), Setting(toy.CPU))
    assert torch.equal(before, state.model.state_dict()["embeddings.words.weight"])
    assert "embeddings.words.weight" not in state.best_weights


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_it_learns_on_cuda_in_bfloat16(toy: ModuleType) -> None:
    device = toy.Device(torch.device("cuda", 0), bfloat16=True)
    course = toy.toy_course(epochs=10)
    state = toy.new_state(toy.toy_state(course).model, course, device)
    train(state, course, toy.toy_material(), Setting(device))
    assert state.history[-1]["train/loss"] < state.history[0]["train/loss"]
