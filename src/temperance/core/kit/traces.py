"""What techniques leave in a user's module while they are attached, so that a deepcopy comes out without it.

``copy.deepcopy`` asks each object for ``__deepcopy__``. A module that was touched answers with a copy of what it was
before: no hook, buffer, parameter or method of a technique. It can be attached like any other module.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

Undo = Callable[[], None]
_COPIER = "__deepcopy__"
_HOOKS = (
    "_forward_hooks", "_forward_hooks_with_kwargs", "_forward_hooks_always_called", "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
)  # fmt: skip


class Traces:
    """The entries of a module's dictionaries that are a technique's; called, it copies the module without them."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.entries: list[tuple[str, Any]] = []  # (attribute that holds a dict or a set, key in it); "" is the module
        self.before: dict[str, Any] = {}  # attributes that a technique changed, as they were

    def __call__(self, memo: dict[int, Any]) -> nn.Module:
        """Return a deepcopy of the module as it was."""
        module, kind = self.module, type(self.module)
        own = getattr(kind, _COPIER, None)
        if own is not None:  # a class that knows how it is copied, as stand-ins do
            return own(module, memo)  # type: ignore[no-any-return]
        fresh = kind.__new__(kind)
        memo[id(module)] = fresh
        state = {name: value for name, value in module.__dict__.items() if name != _COPIER} | self.before
        for owner, key in self.entries:
            if not owner:
                state.pop(key, None)
            elif isinstance(state[owner], set):
                state[owner] = state[owner] - {key}
            else:
                state[owner] = type(state[owner])((k, v) for k, v in state[owner].items() if k != key)
        fresh.__setstate__(copy.deepcopy(state, memo))  # type: ignore[no-untyped-call]
        return fresh


def trace(module: nn.Module, *entries: tuple[str, Any]) -> Undo:
    """Note that ``entries`` are a technique's; return what forgets them."""
    traces = _of(module)
    traces.entries += entries

    def forget() -> None:
        for entry in entries:
            traces.entries.remove(entry)
        _drop_if_empty(traces)

    return forget


def keep_attribute(module: nn.Module, name: str) -> Undo:
    """Note that a technique is about to change an attribute; return what sets it back."""
    traces = _of(module)
    before = traces.before[name] = module.__dict__[name]

    def undo() -> None:
        module.__dict__[name] = before
        del traces.before[name]
        _drop_if_empty(traces)

    return undo


def _of(module: nn.Module) -> Traces:
    traces = module.__dict__.get(_COPIER)
    if not isinstance(traces, Traces):
        traces = module.__dict__[_COPIER] = Traces(module)
    return traces


def _drop_if_empty(traces: Traces) -> None:
    if not traces.entries and not traces.before:
        traces.module.__dict__.pop(_COPIER, None)


def hook_after(module: nn.Module, hook: Callable[..., Any], *, always: bool = False) -> Undo:
    """Register a forward hook, ``hook(module, inputs, output)``; return what undoes it."""
    return _traced(module, module.register_forward_hook(hook, always_call=always))


def hook_before(module: nn.Module, hook: Callable[..., Any]) -> Undo:
    """Register a forward pre-hook, ``hook(module, inputs)``; return what undoes it."""
    return _traced(module, module.register_forward_pre_hook(hook))


def _traced(module: nn.Module, handle: Any) -> Undo:
    forget = trace(module, *((owner, handle.id) for owner in _HOOKS if handle.id in getattr(module, owner, ())))

    def undo() -> None:
        forget()
        handle.remove()

    return undo


def hold(module: nn.Module, name: str, tensor: Tensor) -> Undo:
    """Register ``tensor`` as a non-persistent buffer of ``module``; return what undoes it.

    Shapes: any; a strength is () or (k,).
    """
    module.register_buffer(name, tensor, persistent=False)
    forget = trace(module, ("_buffers", name), ("_non_persistent_buffers_set", name))

    def undo() -> None:
        forget()
        del module._buffers[name]
        module._non_persistent_buffers_set.discard(name)

    return undo


def add_parameter(module: nn.Module, name: str, parameter: nn.Parameter) -> Undo:
    """Register a parameter; return what undoes it.

    Shapes: any.
    """
    module.register_parameter(name, parameter)
    forget = trace(module, ("_parameters", name))

    def undo() -> None:
        forget()
        del module._parameters[name]

    return undo


def replace_forward(module: nn.Module, forward: Callable[..., Any]) -> Undo:
    """Let ``forward(*inputs)`` compute what the module gives; return what undoes it."""
    before = module.__dict__.get("forward")
    module.__dict__["forward"] = forward
    forget = trace(module, ("", "forward"))

    def undo() -> None:
        forget()
        if before is None:
            del module.__dict__["forward"]
        else:
            module.__dict__["forward"] = before

    return undo


def together(undos: list[Undo]) -> Undo:
    """Return one function that undoes all, last first."""

    def undo() -> None:
        for one in reversed(undos):
            one()

    return undo
