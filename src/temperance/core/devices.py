"""What devices can hold: where float64 is missing, and which device ``auto`` means."""

from __future__ import annotations

import torch
from torch import Tensor

NO_FLOAT64 = frozenset({"mps"})


def exact(device: torch.device) -> torch.dtype:
    """Return the dtype of strengths, counts and running figures on a device: float64, or float32 where it lacks it."""
    return torch.float32 if device.type in NO_FLOAT64 else torch.float64


def widened(tensor: Tensor) -> Tensor:
    """Return a tensor of any shape in the widest float that its device holds."""
    return tensor.to(exact(tensor.device))


def best() -> str:
    """Return the name of the device that ``auto`` means: what torch can compute on here, cuda before mps before cpu."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
