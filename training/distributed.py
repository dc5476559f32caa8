"""Several processes that train one model together, started by `torchrun` or by `training.together`.

Each computes a part of every batch, `DistributedDataParallel` averages the gradients. The first process,
which leads, averages the weights, validates and writes.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from training.together import Meeting


@dataclass(frozen=True)
class Group:
    """The processes of a run, seen from one of them: where it computes, its number, how many there are."""

    device: torch.device
    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this is the process that validates and writes."""
        return self.rank == 0

    def wrap(self, module: nn.Module) -> nn.Module:
        """Return `module`, whose gradients are averaged over the group and whose weights are the leader's."""
        if self.size == 1:
            return module
        devices = [self.device] if self.device.type == "cuda" else None
        # The published image stream has an output layer that is never called.
        return DistributedDataParallel(module, device_ids=devices, find_unused_parameters=True)

    def mean(self, values: Sequence[float]) -> list[float]:
        """Return the mean of each value over the group."""
        if self.size == 1:
            return list(values)
        total = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(total)
        means: list[float] = (total / self.size).tolist()
        return means

    def lead(self, value: int) -> int:
        """Return the leader's `value`, after all have come here."""
        if self.size == 1:
            return value
        shared = torch.tensor(int(value), device=self.device)
        dist.broadcast(shared, src=0)
        return int(shared)

    def gather(self, tensor: Tensor) -> list[Tensor]:
        """Return the tensor of each process, in order, on the CPU; all have one shape and type."""
        if self.size == 1:
            return [tensor]
        own = tensor.to(self.device)
        parts = [torch.empty_like(own) for _ in range(self.size)]
        dist.all_gather(parts, own)
        return [part.cpu() for part in parts]


def leads() -> bool:
    """Say whether this process leads, where there is no group yet or no longer."""
    return os.environ.get("RANK", "0") == "0" or not dist.is_torchelastic_launched()


@contextmanager
def join(device: torch.device, meeting: Meeting | None = None) -> Iterator[Group]:
    """Give the group of this process inside the block: who meets, what `torchrun` started, or it alone.

    In a group "cuda" is the GPU of the process's own number, and only the leader logs what goes well.
    """
    if meeting is None and not dist.is_torchelastic_launched():
        yield Group(device)
        return
    if device.type == "cuda":
        device = torch.device("cuda", meeting.rank if meeting else int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    backend = "nccl" if device.type == "cuda" else "gloo"
    if meeting is None:
        dist.init_process_group(backend)
    else:
        dist.init_process_group(
            backend, init_method=meeting.file.as_uri(), rank=meeting.rank, world_size=meeting.size
        )
    try:
        group = Group(device, dist.get_rank(), dist.get_world_size())
        if not group.leads:
            logging.getLogger().setLevel(logging.WARNING)
        yield group
    finally:
        dist.destroy_process_group()
