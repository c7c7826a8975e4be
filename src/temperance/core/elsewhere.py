"""A module that stands at other numbers for a while: those of a teacher, an average, a perturbed step."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.utils import parametrize

from temperance.core.leaves import Leaves
from temperance.core.statistics import Kept


class elsewhere:  # noqa: N801 (a context manager, used as a verb; a generator would cost each step twice as much)
    """Point a module's parameters at other numbers and back: exact, no copy, hooks fire.

    Args:
        home: the module's own parameters.
        params: where to stand, names of ``home``; ``home`` itself changes nothing.
        statistics: layers whose running statistics are put back afterwards, since they are those of the first pass of
            a step.

    """

    __slots__ = ("_home", "_kept", "_own", "_params", "_statistics")

    def __init__(self, home: Leaves, params: Leaves, statistics: Sequence[nn.Module] = ()) -> None:
        self._home, self._params, self._statistics = home, params, statistics

    def __enter__(self) -> None:
        home, params = self._home, self._params
        if params is home:
            return
        self._own = [(p, p.data) for p in home.tensors]
        self._kept = Kept(self._statistics) if self._statistics else None
        _forget()
        try:
            if params.names == home.names:
                pairs = zip(home.tensors, params.tensors, strict=True)
            else:
                both = tuple(name for name in home.names if name in params)
                pairs = zip(home.part(both).tensors, params.part(both).tensors, strict=True)
            for p, new in pairs:
                p.data = new.detach() if new.requires_grad else new
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *fault: object) -> None:
        if self._params is self._home:
            return
        for p, data in self._own:
            p.data = data
        if self._kept is not None:
            self._kept.put_back()
        _forget()


def _forget() -> None:
    """Empty what torch computed of the weights and keeps: casts, and parametrized weights under ``cached()``."""
    torch.clear_autocast_cache()
    if parametrize._cache_enabled:
        parametrize._cache.clear()
