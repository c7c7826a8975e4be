"""Activation checkpointing: a part of the model that runs again in the backward pass draws what it drew before.

``torch.utils.checkpoint`` calls a function twice: in the forward pass, and in the backward pass, when the step's key
is no longer at hand (a user's own ``loss.backward()``) or its sites have been counted on. So the function remembers
the pulse it first ran under. Both forms of checkpointing look their parts up in their module, whoever imported
``checkpoint`` by name, so that is where they are told. Where a later torch has other parts nothing is told, and noise
that is asked for in a backward pass raises.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from torch.utils import checkpoint

from temperance.core.random import pulsing, running

_FORM = "_checkpoint_without_reentrant_generator"


class _Again:
    """A function that runs under a copy of the pulse of its first call whenever it is called again."""

    def __init__(self, function: Callable[..., Any], *, first: bool) -> None:
        self.function, self.first = function, first
        now = running()
        self.pulse = None if now is None else now.copy()

    def __call__(self, *args: Any, **named: Any) -> Any:
        if self.first or self.pulse is None:
            self.first = False
            return self.function(*args, **named)
        with pulsing(self.pulse.copy()):
            return self.function(*args, **named)


def follow_checkpoints() -> None:
    """Tell ``torch.utils.checkpoint`` to run its functions again under the pulse of their first run; once is enough."""
    _follow_reentrant()
    _follow_other_form()


def _follow_reentrant() -> None:
    kind: Any = checkpoint.CheckpointFunction
    forward = kind.forward
    if hasattr(forward, "__wrapped__"):
        return

    @wraps(forward)
    def remembering(ctx: Any, run_function: Callable[..., Any], *rest: Any) -> Any:
        return forward(ctx, _Again(run_function, first=True), *rest)  # it makes the first run itself

    kind.forward = staticmethod(remembering)


def _follow_other_form() -> None:
    form = getattr(checkpoint, _FORM, None)
    if form is None or hasattr(form, "__wrapped__"):
        return

    @wraps(form)
    def remembering(function: Callable[..., Any], *rest: Any, **named: Any) -> Any:
        return form(_Again(function, first=False), *rest, **named)  # ``checkpoint`` makes the first run itself

    setattr(checkpoint, _FORM, remembering)
