"""A model's own dropout, taken over: its layers, and the rates that attention, LSTMs and functional calls read.

A stand-in is what it stands for (``isinstance`` of ``nn.Dropout``), and its ``p`` is the rate now, for attention that
reads ``self.dropout.p``. Whoever writes ``p`` gives this place a rate of its own, which no strength moves any more.
"""

from __future__ import annotations

import copy
import dis
import inspect
import re
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from temperance.core.kit.native import DROPOUTS, draws_its_way, is_path, rates, take_rates
from temperance.core.members import spread
from temperance.core.random import site_mask
from temperance.core.regularizer import Strengths
from temperance.core.traces import Undo
from temperance.records.errors import SettingError

Of = Callable[[float], float]
_NOISY = re.compile(r"Dropout|RReLU")
_SKIPS = re.compile(r"layer_?drop|drop_?path|stochastic_depth")


class StandIn(nn.Module):
    """Stands where a dropout layer stood; a copy or a pickle of it is one of that layer.

    Args:
        layer: the layer that stood there.
        strengths: of the technique.
        name: the strength that moves the rate.
        of: the rate that belongs to a value of the strength.
        site: name of its noise; empty where a hook on it makes the noise.

    """

    inplace = False

    def __init__(self, layer: nn.Module, strengths: Strengths, name: str, of: Of, site: str = "") -> None:
        nn.Module.__init__(self)
        self.__dict__["layer"] = layer  # not a submodule: it does not run
        self.strengths, self.name, self.of, self.site = strengths, name, of, site
        self.channels = not isinstance(layer, nn.Dropout)
        self.written: Tensor | None = None  # the rate that somebody wrote to ``p``
        self.register_buffer("temperance_p", strengths[name], persistent=False)
        self.train(layer.training)

    @property
    def p(self) -> float:
        """The rate now; the mean of the members' rates where each has its own.

        Raises:
            SettingError: a rate outside [0, 1) is written.

        """
        if self.written is not None:
            return float(self.written)
        mirror = self.strengths.mirror
        if mirror is not None and self.name in mirror:
            return self.of(mirror[self.name])
        return self.of(float(self.temperance_p.mean()))  # type: ignore[operator]

    @p.setter
    def p(self, value: float) -> None:
        if not 0 <= value < 1:
            raise SettingError(
                f"p={value!r} was written to a dropout layer", "p lies in [0, 1)", "Write 0 to drop none"
            )
        like: Tensor = self.temperance_p  # type: ignore[assignment]
        self.written = torch.full((), float(value), dtype=like.dtype, device=like.device)

    def forward(self, x: Tensor) -> Tensor:
        """Drop in training; return ``x`` itself otherwise, or where a hook makes the noise.

        Shapes: (b, …) → the same.
        """
        if not self.training or not self.site:
            return x
        p = self.temperance_p if self.written is None else self.written
        return drop(x, p, self.site, channels=self.channels)  # type: ignore[arg-type]

    def __deepcopy__(self, memo: dict[int, Any]) -> nn.Module:
        """Return a copy of the layer that stood here."""
        return copy.deepcopy(self._stood_here(), memo)

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Pickle as the layer that stood here."""
        return copy.copy, (self._stood_here(),)  # pickle wants an object of this class, or a call that makes one

    def _stood_here(self) -> nn.Module:
        layer: nn.Module = self.__dict__["layer"]
        return layer.train(self.training)


class DropoutSite(StandIn, nn.Dropout):
    """In the place of ``nn.Dropout``."""


class DropoutSite1d(StandIn, nn.Dropout1d):
    """In the place of ``nn.Dropout1d``: whole channels."""


class DropoutSite2d(StandIn, nn.Dropout2d):
    """In the place of ``nn.Dropout2d``: whole channels."""


class DropoutSite3d(StandIn, nn.Dropout3d):
    """In the place of ``nn.Dropout3d``: whole channels."""


_SITES: tuple[type[StandIn], ...] = (DropoutSite, DropoutSite1d, DropoutSite2d, DropoutSite3d)


def drop(x: Tensor, p: Tensor, site: str, *, channels: bool = False) -> Tensor:
    """Return x·m/(1 − p) with the mask of ``site``; one multiplication by a scaled mask, exact for p = 0.

    Shapes: (b, …) → the same; p () or (k,).
    """
    shape = (*x.shape[:2], *[1] * (x.dim() - 2)) if channels else None
    return x * site_mask(site, x, 1 - spread(p, x), shape)


def take_over(
    model: nn.Module, strengths: Strengths, name: str, of: Of, *, drops: bool
) -> tuple[list[StandIn], list[Undo]]:
    """Put stand-ins in the place of dropout layers, and let all other rates above 0 follow the strength.

    A subclass of a dropout layer with a forward function of its own stays where it is; its ``p`` follows.

    Args:
        model: changed in place.
        strengths: of the technique.
        name: the strength that moves the rate.
        of: the rate that belongs to a value of the strength.
        drops: whether the stand-ins drop units; else hooks on them make the noise.

    Returns:
        The stand-ins and what undoes all; both empty where the model has no dropout.

    """
    undos: list[Undo] = []
    layers = list(_dropout_layers(model))
    others = [rate for rate in rates(model) if rate.value > 0 or rate.attribute == "p"]
    readers = [parent for parent, _, _ in layers if _reads_rate(type(parent).forward)]
    if others or readers:
        undos.append(take_rates(others, strengths, name, of, readers=readers))
    places: list[StandIn] = []
    for parent, key, layer in layers:
        kind = next(site for site, of_layer in zip(_SITES, DROPOUTS, strict=True) if isinstance(layer, of_layer))
        site = f"{strengths.address}/{len(places)}" if drops else ""
        places.append(kind(layer, strengths, name, of, site))
        setattr(parent, key, places[-1])
        undos.append(partial(setattr, parent, key, layer))
    return places, undos


def take_idle(model: nn.Module, strengths: Strengths, name: str, of: Of) -> list[Undo]:
    """Let rates at 0 follow the strength, where a model has no other place; return what undoes it."""
    found = rates(model)
    return [take_rates(found, strengths, name, of)] if found else []


def _dropout_layers(model: nn.Module) -> Iterator[tuple[nn.Module, str, nn.Module]]:
    for parent in model.modules():
        for key, child in parent.named_children():
            if isinstance(child, DROPOUTS) and not draws_its_way(child):
                yield parent, key, child


def not_taken(model: nn.Module) -> tuple[str, ...]:
    """Return a sentence about each kind of noise in the model that no stand-in or rate of dropout reaches."""
    known = {(id(rate.module), rate.attribute) for rate in rates(model)}
    found: dict[str, list[str]] = {}
    for place, module in model.named_modules():
        for what in _noises(module, known):
            found.setdefault(what, []).append(place or type(model).__name__)
    return tuple(
        f"{what} in {_some(places)} draws noise that Dropout does not take over: its rate stays, also where p is 0"
        for what, places in found.items()
    )


def _noises(module: nn.Module, known: set[tuple[int, str]]) -> Iterator[str]:
    kind = type(module).__name__
    has_rate = any(owner == id(module) for owner, _ in known)
    if is_path(module):
        if getattr(module, "drop_prob", getattr(module, "p", 0)):
            yield f"{kind} (stochastic depth, taken over by StochasticDepth)"
    elif _NOISY.search(kind) and not isinstance(module, StandIn) and not has_rate and not list(module.children()):
        yield kind
    for key, value in module.__dict__.items():
        if isinstance(value, float) and value > 0 and _SKIPS.search(key):
            yield f"{key}={value:g} of {kind}"
    if not has_rate and _calls_dropout(type(module).forward):
        yield f"a functional dropout with a rate of its own in {kind}"


@lru_cache(maxsize=1024)
def _reads_rate(forward: Callable[..., Any]) -> bool:
    """Return whether a forward function reads the rate of a layer (``self.dropout.p``) to draw noise itself."""
    code = getattr(inspect.unwrap(forward), "__code__", None)  # transformers wraps forward functions
    return code is not None and any(
        step.opname == "LOAD_ATTR" and step.argval == "p" for step in dis.get_instructions(code)
    )


def _some(places: list[str]) -> str:
    return ", ".join(places[:3]) + (f" and {len(places) - 3} more" if len(places) > 3 else "")


@lru_cache(maxsize=1024)
def _calls_dropout(forward: Callable[..., Any]) -> bool:
    """Return whether a forward function that is not torch's own calls ``F.dropout``, as its code tells."""
    code = getattr(inspect.unwrap(forward), "__code__", None)
    if code is None or forward.__module__.startswith("torch.nn."):
        return False
    steps = list(dis.get_instructions(code))
    return any(
        step.argval in ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout")
        and before.argval in ("functional", "F", "torch", "f", "nnf")
        for before, step in pairwise(steps)
    )
