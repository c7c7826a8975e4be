"""Activation checkpointing: a part of the model that runs again in the backward pass draws what it drew before.

``torch.utils.checkpoint`` calls a function twice: in the forward pass, and in the backward pass, when the step's key
is no longer at hand (a user's own ``loss.backward()``) or its sites have been counted on. So the function remembers
the pulse it first ran under.

The reentrant form runs its function outside of autograd. That leaves no slopes by inputs, which attacks and gradient
penalties take, and a pass without gradient warns. In a session's passes it is therefore run as the other form, which
gives the same gradients and keeps as little.

Both forms look their parts up in their module, whoever imported ``checkpoint`` by name, so that is where they are
told. Where a later torch has other parts nothing is told, and noise that is asked for in a backward pass raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

import torch
from torch.utils import checkpoint

from temperance.core.random import pulsing, running

_FORM = "_checkpoint_without_reentrant_generator"
_LOOKING: ContextVar[bool] = ContextVar("temperance_looking", default=False)


@contextmanager
def looking() -> Iterator[None]:
    """Make a pass without noise one of the session's: its reentrant parts run as the other form."""
    before = _LOOKING.set(True)
    try:
        yield
    finally:
        _LOOKING.reset(before)


def follow_checkpoints() -> None:
    """Tell ``torch.utils.checkpoint`` to run its functions again under the pulse of their first run; once is enough."""
    _turn_reentrant()
    _follow_other_form()


def _turn_reentrant() -> None:
    kind: Any = checkpoint.CheckpointFunction
    apply = kind.apply
    if hasattr(apply, "__wrapped__"):
        return

    @wraps(apply)
    def turned(function: Callable[..., Any], preserve: bool, *args: Any) -> Any:
        if running() is None and not _LOOKING.get():
            return apply(function, preserve, *args)
        if not torch.is_grad_enabled():  # nothing will run again
            return function(*args)
        return checkpoint.checkpoint(function, *args, use_reentrant=False, preserve_rng_state=preserve)

    kind.apply = turned


def _follow_other_form() -> None:
    form = getattr(checkpoint, _FORM, None)
    if form is None or hasattr(form, "__wrapped__"):
        return

    @wraps(form)
    def remembering(function: Callable[..., Any], *rest: Any, **named: Any) -> Any:
        return form(_again(function), *rest, **named)  # it is for later: ``checkpoint`` makes the first run itself

    setattr(checkpoint, _FORM, remembering)


def _again(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function under a copy of the pulse that runs now, whenever it is called."""
    now = running()
    if now is None:
        return function
    kept = now.copy()

    def again(*args: Any, **named: Any) -> Any:
        with pulsing(kept.copy()):
            return function(*args, **named)

    return again
