"""Which device trains, and in which precision."""

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch

from tasks.training.config import ComputeConfig


@dataclass(frozen=True, slots=True)
class Device:
    """Where tensors live and whether products are taken in bfloat16."""

    torch_device: torch.device
    bfloat16: bool

    def autocast(self) -> AbstractContextManager[object]:
        """Mixed precision for a forward pass; weights and the optimizer stay in float32."""
        if not self.bfloat16:
            return nullcontext()
        return torch.autocast(self.torch_device.type, dtype=torch.bfloat16)


def choose_device(compute: ComputeConfig) -> Device:
    """The device that the project asks for, as this worker has it.

    Raises ValueError when CUDA is asked for and absent.
    """
    has_cuda = torch.cuda.is_available()
    if compute.device == "cuda" and not has_cuda:
        raise ValueError("compute.device cuda: this worker has no CUDA device; allowed: cpu, auto")
    is_cuda = has_cuda and compute.device != "cpu"
    device = torch.device("cuda", torch.cuda.current_device()) if is_cuda else torch.device("cpu")
    if compute.precision == "auto":
        return Device(device, _multiplies_bfloat16(device))
    return Device(device, compute.precision == "bfloat16")


def use_allotted_threads() -> None:
    """As many threads as Ray allotted cores: more made a shared machine 2-5x slower."""
    torch.set_num_threads(max(1, int(os.environ.get("OMP_NUM_THREADS", "1"))))


def _multiplies_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported())
