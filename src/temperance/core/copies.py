"""A copy of a model that a recipe is attached to, deep or pickled: the plain model, without what techniques put in."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import nn

MARK = "_temperance_session"
_COPIER = "__deepcopy__"
_PICKLER = "__reduce_ex__"
_ABSENT: Any = object()


class PlainCopier:
    """The mark on a model that has a recipe; it knows what attaching changed in each of its modules.

    ``copy.deepcopy(model)``, ``AveragedModel(model)`` and the like ask the model's ``__deepcopy__``, which is this
    object: what attaching changed is taken back, the model is copied, and the changes are put in again. Hooks,
    stand-ins and buffers of techniques would otherwise be copied too, and make noise that no session steers. A pickle
    (``torch.save(model)``) and ``copy.copy`` give such a copy too.

    Args:
        module: the user's, before anything is changed.

    """

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self._before = {m: _image(m) for m in module.modules()}
        self._changed: dict[nn.Module, dict[str, Any]] = {}

    def seal(self) -> None:
        """Note what was changed since, and mark the model."""
        for m, before in self._before.items():
            self._changed[m] = {name: (before.get(name, _ABSENT), now) for name, now in _image(m).items()}
        self._before = {}
        self.module.__dict__[MARK] = self
        self.module.__dict__[_COPIER] = self
        self.module.__dict__[_PICKLER] = self._pickled

    def remove(self) -> None:
        """Take the mark off; nothing happens where it is not there."""
        self.module.__dict__.pop(MARK, None)
        self.module.__dict__.pop(_COPIER, None)
        self.module.__dict__.pop(_PICKLER, None)

    def __call__(self, memo: dict[int, Any]) -> nn.Module:
        """Return the plain copy."""
        with self._plain():
            return copy.deepcopy(self.module, memo)

    def _pickled(self, protocol: int) -> Any:
        return self({}).__reduce_ex__(protocol)

    @contextmanager
    def _plain(self) -> Iterator[None]:
        saved = {m: dict(m.__dict__) for m in self._changed}
        try:
            for m, changes in self._changed.items():
                _take_back(m, changes)
            self.remove()
            yield
        finally:
            for m, now in saved.items():
                m.__dict__.clear()
                m.__dict__.update(now)


def is_attached(module: nn.Module) -> bool:
    """Return whether a recipe is attached to this very model rather than to one that it was copied from."""
    mark = module.__dict__.get(MARK)
    return isinstance(mark, PlainCopier) and mark.module is module


def _image(module: nn.Module) -> dict[str, Any]:
    """Return a module's attributes, with copies of the dicts and sets in which torch keeps children, hooks …"""
    return {name: copy.copy(v) if isinstance(v, (dict, set)) else v for name, v in module.__dict__.items()}


def _take_back(module: nn.Module, changes: Mapping[str, tuple[Any, Any]]) -> None:
    """Make each attribute what it would be had attaching not changed it; what the user did since stays."""
    for name, (before, after) in changes.items():
        now = module.__dict__.get(name, _ABSENT)
        if isinstance(after, dict) and isinstance(now, dict):
            module.__dict__[name] = _merged(before if isinstance(before, dict) else {}, after, now)
        elif isinstance(after, set) and isinstance(now, set):
            module.__dict__[name] = now - (after - (before if isinstance(before, set) else set()))
        elif now is after and before is _ABSENT:
            del module.__dict__[name]
        elif now is after:
            module.__dict__[name] = before


def _merged(before: Mapping[Any, Any], after: Mapping[Any, Any], now: dict[Any, Any]) -> dict[Any, Any]:
    """Return ``now`` with the entries that were changed between ``before`` and ``after`` as they were before."""
    made = type(now)()
    names = [*before, *(name for name in now if name not in before)]  # children keep their order
    for name in names:
        if name in now and (name not in after or after[name] is not now[name]):
            made[name] = now[name]  # the user's, set since
        elif name in before and (name in now or name not in after):
            made[name] = _in_mode_of(before[name], now.get(name))
    return made


def _in_mode_of(child: Any, stand_in: Any) -> Any:
    if isinstance(child, nn.Module) and isinstance(stand_in, nn.Module) and stand_in is not child:
        child.training = stand_in.training
    return child
