"""Calls that a run makes outside of its model: the cross-entropy and the clipping of gradients."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules import module as torch_module
from torch.nn.utils import clip_grad


class Hears(Protocol):
    """What is told of the calls."""

    def heard_entropy(self, smoothing: float, *, learns: bool, soft: bool) -> None:
        """Take note of a cross-entropy, its label smoothing, and whether a gradient can come back through it.

        ``soft``: whether its targets are shares of classes.
        """

    def heard_module(self, module: nn.Module) -> None:
        """Take note of a module that begins to run."""

    def heard_clip(self, parameters: list[Tensor]) -> None:
        """Take note of a clipping of these parameters' gradients.

        Shapes: any.
        """

    def heard_norm(self, parameters: list[Tensor], share: Tensor) -> None:
        """Take note of the norm of these parameters' gradients, as a share of the largest that is let through.

        Shapes: share ().
        """


_listeners: weakref.WeakSet[Any] = weakref.WeakSet()
_before: dict[tuple[Any, str], Any] = {}
_modules: list[Any] = []  # the one hook on all modules; never taken off while a forward pass may be walking over hooks


def listen(one: Hears) -> None:
    """Tell ``one`` of calls from now on. The functions are wrapped, and do and return what they did."""
    if not _before:
        _modules.append(torch_module.register_module_forward_pre_hook(_module))
        _wrap(functional, "cross_entropy", _entropy)
        for room in (torch.nn.utils, clip_grad):
            _wrap(room, "clip_grad_norm_", _clip, _clipped)
            _wrap(room, "clip_grad_value_", _clip)
    _listeners.add(one)


def forget(one: Hears) -> None:
    """Tell ``one`` no more; the last one gone, the functions are the plain ones again."""
    _listeners.discard(one)
    if not _listeners:
        _modules.pop().remove()
        for (room, name), (plain, wrapper) in _before.items():
            if getattr(room, name) is wrapper:  # else somebody wrapped it after us
                setattr(room, name, plain)
        _before.clear()


def _wrap(room: Any, name: str, note: Callable[..., None], after: Callable[..., None] | None = None) -> None:
    plain = getattr(room, name)

    @functools.wraps(plain)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], Iterator):  # ``model.parameters()`` can be walked once
            args = (list(args[0]) or args[0], *args[1:])
        if not torch.compiler.is_compiling():
            note(*args, **kwargs)
        answer = plain(*args, **kwargs)
        if after is not None and not torch.compiler.is_compiling():
            after(answer, *args, **kwargs)
        return answer

    wrapper.temperance_plain = plain  # type: ignore[attr-defined]  # sessions know torch's losses by identity
    setattr(room, name, wrapper)
    _before[room, name] = (plain, wrapper)


def _module(module: nn.Module, inputs: Any) -> None:
    for one in list(_listeners):
        one.heard_module(module)


def _entropy(*args: Any, **kwargs: Any) -> None:
    smoothing = kwargs.get("label_smoothing", args[7] if len(args) > 7 else 0.0)
    outputs = kwargs.get("input", args[0] if args else None)
    target = kwargs.get("target", args[1] if len(args) > 1 else None)
    learns = torch.is_grad_enabled() and bool(getattr(outputs, "requires_grad", False))
    soft = isinstance(target, Tensor) and target.is_floating_point()
    for one in list(_listeners):
        one.heard_entropy(float(smoothing), learns=learns, soft=soft)


def _clip(parameters: Tensor | Iterable[Tensor], *args: Any, **kwargs: Any) -> None:
    leaves = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    for one in list(_listeners):
        one.heard_clip(leaves)


def _clipped(norm: Tensor, parameters: Any, max_norm: Any = None, *args: Any, **kwargs: Any) -> None:
    leaves = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    for one in list(_listeners):
        one.heard_norm(leaves, norm.detach() / max_norm)
