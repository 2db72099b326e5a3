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
    float16: bool = False
    """Products in float16; the loss is then scaled, so that small gradients do not vanish."""

    def autocast(self) -> AbstractContextManager[object]:
        """Mixed precision for a forward pass; weights and the optimizer stay in float32."""
        if not self.bfloat16 and not self.float16:
            return nullcontext()
        dtype = torch.float16 if self.float16 else torch.bfloat16
        return torch.autocast(self.torch_device.type, dtype=dtype)

    def scaler(self) -> torch.amp.GradScaler:
        """What scales the loss, and skips a step that overflowed (arXiv:1710.03740, section 3.2).

        Without float16 it passes everything on as it is.
        """
        return torch.amp.GradScaler(self.torch_device.type, enabled=self.float16)


def choose_device(compute: ComputeConfig) -> Device:
    """The device that the project asks for, as this worker has it.

    Raises ValueError when CUDA, or float16, which only CUDA multiplies, is asked for and absent.
    """
    has_cuda = torch.cuda.is_available()
    if compute.device == "cuda" and not has_cuda:
        raise ValueError("compute.device cuda: this worker has no CUDA device; allowed: cpu, auto")
    is_cuda = has_cuda and compute.device != "cpu"
    device = torch.device("cuda", torch.cuda.current_device()) if is_cuda else torch.device("cpu")
    if compute.precision == "auto":
        return Device(device, _multiplies_bfloat16(device))
    if compute.precision == "float16" and not is_cuda:
        raise ValueError(
            "compute.precision float16: this worker has no CUDA device; allowed: auto, float32, "
            "bfloat16"
        )
    return Device(device, compute.precision == "bfloat16", compute.precision == "float16")


def use_allotted_threads() -> None:
    """As many threads as Ray allotted cores: more made a shared machine 2-5x slower."""
    torch.set_num_threads(max(1, int(os.environ.get("OMP_NUM_THREADS", "1"))))


def _multiplies_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported())
