"""Device, precision and thread choice, and seeding."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4


@dataclass(frozen=True)
class Plan:
    """How tensors are computed: precision `32` or `bf16`, memory layout, compiled or not."""

    precision: str = "32"
    channels_last: bool = False
    compile: bool = False

    def __str__(self) -> str:
        layout = "channels_last" if self.channels_last else "contiguous"
        return f"{self.precision}, {layout}, {'compiled' if self.compile else 'eager'}"


def best_accelerator() -> str:
    """`cuda` where PyTorch finds a GPU, else `cpu`."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def device_name(accelerator: str) -> str:
    """The device in words, for cards and status lines."""
    if accelerator == "cuda":
        import torch

        return str(torch.cuda.get_device_name())
    return f"CPU, {os.cpu_count()} cores, {platform.machine()}"


def processor_name() -> str:
    """The processor in the words of its maker, or its architecture where the system does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names and names[0] else platform.processor() or platform.machine()


def usable_cores() -> int:
    """CPU cores that this process may use, which a container or `taskset` can make fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def keep_freed_memory() -> None:
    """Tells glibc to keep large freed blocks instead of unmapping them at every step; elsewhere it does nothing.

    Training allocates the same large activations at each step; mapping them anew costs page faults.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return
    # no block of its own mapping, so that all are freed to the heap; mallopt takes ints, hence at most 2 GB
    for parameter, value in ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, 2**31 - 1), (M_TOP_PAD, 2**28)):
        mallopt(parameter, value)


def seed_everything(*parts: int) -> None:
    """Seeds PyTorch's global generators from a tuple of integers, such as (seed, epoch, rank)."""
    import numpy as np
    import torch

    torch.manual_seed(int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> np.uint64(1)))
