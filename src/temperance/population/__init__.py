"""Room population: k members of one recipe trained in one step, each with strengths, memory and noise of its own."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from temperance.population.executor import Population, member, stack

__all__ = ["Population", "member", "stack"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module(f"{__name__}.executor"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
