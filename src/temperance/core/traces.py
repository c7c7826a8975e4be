"""What techniques leave in a user's module while they are attached, so that copies and pickles come out without it.

``copy.deepcopy`` asks each object for ``__deepcopy__``, ``pickle`` for ``__reduce_ex__``. A module that was touched
answers for what it was before: no hook, buffer, parameter or method of a technique. So a copy of a model, or of any
part of it, can be attached like any other. What the user did to the module since is copied.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

Undo = Callable[[], None]
_MARK = "_temperance_session"
_TRACES, _COPIER, _PICKLER = "_temperance_traces", "__deepcopy__", "__reduce_ex__"
_HOOKS = (
    "_forward_hooks", "_forward_hooks_with_kwargs", "_forward_hooks_always_called", "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
)  # fmt: skip


class Traces:
    """The entries of a module's dictionaries that are a technique's, and who answers for a copy without them."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.entries: list[tuple[str, Any]] = []  # (attribute that holds a dict or a set, key in it); "" is the module
        self.before: dict[str, Any] = {}  # attributes that a technique changed, as they were
        # of the instance: ``copy`` and ``pickle`` look there before they look at the class
        module.__dict__.update({_TRACES: self, _COPIER: self.copied, _PICKLER: self.reduced})

    def copied(self, memo: dict[int, Any]) -> nn.Module:
        """Return a deepcopy of the module as it was."""
        with self._hidden():
            return copy.deepcopy(self.module, memo)

    def reduced(self, protocol: Any) -> Any:
        """Return what ``pickle`` writes: the module as it was."""
        with self._hidden():
            return self.module.__reduce_ex__(protocol)

    @contextmanager
    def _hidden(self) -> Iterator[None]:
        """Let another dict stand in the place of the module's own, so that the class's way of copying is followed."""
        own = self.module.__dict__
        object.__setattr__(self.module, "__dict__", self._plain())
        try:
            yield
        finally:
            object.__setattr__(self.module, "__dict__", own)

    def _plain(self) -> dict[str, Any]:
        state = {n: v for n, v in self.module.__dict__.items() if n not in (_TRACES, _COPIER, _PICKLER)} | self.before
        for owner, key in self.entries:
            if not owner:
                state.pop(key, None)
            elif isinstance(state[owner], set):
                state[owner] = state[owner] - {key}
            else:
                state[owner] = type(state[owner])((k, v) for k, v in state[owner].items() if k != key)
        return state

    def forget_if_empty(self) -> None:
        """Leave the module where nothing of a technique is in it any more."""
        if not self.entries and not self.before:
            for name in (_TRACES, _COPIER, _PICKLER):
                self.module.__dict__.pop(name, None)


def trace(module: nn.Module, *entries: tuple[str, Any]) -> Undo:
    """Note that ``entries`` are a technique's; return what forgets them."""
    traces = _of(module)
    traces.entries += entries

    def forget() -> None:
        for entry in entries:
            traces.entries.remove(entry)
        traces.forget_if_empty()

    return forget


def mark(module: nn.Module) -> Undo:
    """Note that a recipe is attached to this model; return what takes the mark off."""
    module.__dict__[_MARK] = True
    forget = trace(module, ("", _MARK))

    def undo() -> None:
        if module.__dict__.pop(_MARK, False):  # a session may be taken off twice
            forget()

    return undo


def is_attached(module: nn.Module) -> bool:
    """Return whether a recipe is attached to this very model; a copied or pickled one has none."""
    return _MARK in module.__dict__


def keep_attribute(module: nn.Module, name: str) -> Undo:
    """Note that a technique is about to change an attribute; return what sets it back."""
    traces = _of(module)
    before = traces.before[name] = module.__dict__[name]

    def undo() -> None:
        module.__dict__[name] = before
        del traces.before[name]
        traces.forget_if_empty()

    return undo


def _of(module: nn.Module) -> Traces:
    return module.__dict__.get(_TRACES) or Traces(module)


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

    ``name`` begins with ``_temperance_``, which no attribute of a user's module does; with ``temperance_`` where it is
    state, which checkpoints keep.

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
