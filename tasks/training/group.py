"""The workers of one training, and the few things that they say to one another."""

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True, slots=True)
class Group:
    """This worker's place among the workers; alone, nothing is ever sent."""

    rank: int = 0
    world_size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this worker reports and saves for all."""
        return self.rank == 0

    def replica(self, model: nn.Module) -> nn.Module:
        """The model, its gradients averaged over the workers."""
        if self.world_size == 1:
            return model
        device_ids = [torch.cuda.current_device()] if next(model.parameters()).is_cuda else None
        return DistributedDataParallel(
            model,
            device_ids=device_ids,
            # Running statistics are the first worker's; most networks have none.
            broadcast_buffers=any(True for _ in model.buffers()),
            gradient_as_bucket_view=True,
        )

    def quiet(self, replica: nn.Module) -> AbstractContextManager[object]:
        """While gradients are only gathered here: nothing is sent."""
        return replica.no_sync() if isinstance(replica, DistributedDataParallel) else nullcontext()

    def total(self, value: Tensor) -> Tensor:
        """Sum over the workers, the same on each."""
        if self.world_size > 1:
            dist.all_reduce(value)
        return value

    def average(self, tensors: Iterable[Tensor]) -> None:
        """Make each the mean of the workers' own, in place, as the replica does."""
        for tensor in tensors if self.world_size > 1 else ():
            dist.all_reduce(tensor.mul_(1.0 / self.world_size))

    def count(self, *are_so: bool) -> list[int]:
        """Of how many workers each is true, the same on each."""
        if self.world_size == 1:
            return [int(each) for each in are_so]
        return [int(each) for each in self.total(self._sent(*are_so)).tolist()]

    def of_first(self, value: int) -> int:
        """The first worker's value, on every worker."""
        shared = self._sent(value)
        if self.world_size > 1:
            dist.broadcast(shared, src=0)
        return int(shared.item())

    def _sent(self, *values: int) -> Tensor:
        """Whole numbers where the workers can exchange them."""
        is_nccl = self.world_size > 1 and dist.get_backend() == "nccl"
        return torch.tensor(values, dtype=torch.int64, device="cuda" if is_nccl else "cpu")
