"""What stands around a user's module: ``torch.compile`` and data-parallel wrappers.

Names are those of the module inside, so patterns (``at="layers.*"``), checkpoints and noise are the
same with a wrapper and without.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.parallel import DataParallel, DistributedDataParallel

_COMPILED = "_orig_mod"
# what each ``torch.compile`` loads, whatever its backend; dynamo itself is loaded by the first step of an optimizer too
_FIRST_COMPILED = "torch._dynamo.repro.after_dynamo"


class Around(nn.Module):
    """A module that runs another in its own way (a framework's training step); names are those of the one inside.

    Args:
        module: the one inside.

    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module


def bare(model: nn.Module) -> nn.Module:
    """Return the module inside ``torch.compile(model)``, ``DistributedDataParallel(model)`` and ``Around``."""
    while True:
        if _COMPILED in model._modules:
            model = model._modules[_COMPILED]  # type: ignore[assignment]
        elif isinstance(model, (DataParallel, DistributedDataParallel, Around)):
            model = model.module
        else:
            return model


def replicated(model: nn.Module) -> DistributedDataParallel | None:
    """Return the ``DistributedDataParallel`` among the wrappers of a model; None where there is none."""
    while not isinstance(model, DistributedDataParallel):
        inside = model._modules.get(_COMPILED) or (model.module if isinstance(model, (DataParallel, Around)) else None)
        if inside is None:
            return None
        model = inside
    return model


def is_compiled(model: nn.Module) -> bool:
    """Return whether the module or a part of it runs through ``torch.compile``, as a wrapper or in place."""
    return any(_COMPILED in m._modules or m._compiled_call_impl is not None for m in model.modules())


def forget_compiled(model: nn.Module) -> None:
    """Drop what was compiled, where ``model`` is: compiled code does not look whether hooks came or went since."""
    if is_compiled(model):
        torch.compiler.reset()


@contextmanager
def uncompiled() -> Iterator[None]:
    """Run compiled modules as plain ones: what ``torch.compile`` makes cannot be differentiated twice."""
    if _FIRST_COMPILED not in sys.modules:  # nothing was compiled; to say so costs a step 40 µs
        yield
        return
    with torch.compiler.set_stance("force_eager"):
        yield
