"""Everything that changes while training, as one value: it is the checkpoint."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from temperance.core.leaves import Leaves


class TrainState(NamedTuple):
    """The state of a pure step; the population's tensors have a first axis k.

    Attributes:
        params: parameters by name.
        buffers: buffers by name.
        strengths: tensors by address of the regularizer and name; () or (k,).
        memory: what each regularizer remembers; nested dicts of tensors.
        optimizer: nested dicts of tensors.
        control: the controller's arrays.
        steps: optimizer steps done.
        seeds: one seed per member (one, for a single run).

    """

    params: dict[str, Tensor]
    buffers: dict[str, Tensor]
    strengths: dict[str, dict[str, Tensor]]
    memory: dict[str, dict[str, Any]]
    optimizer: dict[str, Any]
    control: dict[str, NDArray[Any]]
    steps: int
    seeds: tuple[int, ...]

    @property
    def values(self) -> dict[str, NDArray[np.float64]]:
        """Strengths as NumPy arrays by full address, as controllers take them."""
        return {
            f"{address}.{name}": tensor.detach().cpu().numpy().astype(np.float64)
            for address, part in self.strengths.items()
            for name, tensor in part.items()
        }


def plain(memory: dict[str, Any]) -> dict[str, Any]:
    """Turn ``Leaves`` into dicts, so that ``vmap`` and ``torch.save`` can walk the memory."""
    return {name: {"leaves": dict(v)} if isinstance(v, Leaves) else v for name, v in memory.items()}


def rich(memory: dict[str, Any]) -> dict[str, Any]:
    """Turn them back."""
    return {
        name: Leaves.of(v["leaves"]) if isinstance(v, dict) and set(v) == {"leaves"} else v
        for name, v in memory.items()
    }
