"""The first step is watched: techniques whose places never run, and noise that a rate of 0 leaves on, are told.

Later steps are not looked at, so they cost nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from temperance.core.random import Pulse, pulsing
from temperance.core.regularizer import Regularizer, Strengths
from temperance.core.wrappers import is_compiled


class NeverRan(UserWarning):
    """A technique of the layers was placed where nothing ran in the first step."""


class NoiseLeft(UserWarning):
    """The rate of dropout is 0, and the model draws noise all the same."""


class Opening:
    """What is noticed in the passes of the first step.

    Noise is what moves torch's own generator of the CPU or of the model's CUDA device, whoever calls it under whatever
    name; what a generator of the user's, NumPy or a compiled model draws is not seen.

    Args:
        parts: techniques that changed the model, by address.
        strengths: theirs.
        model: the user's module, as it is called.
        device: of its parameters.

    """

    def __init__(
        self, parts: Mapping[str, Regularizer], strengths: Mapping[str, Strengths], model: nn.Module,
        device: torch.device,
    ) -> None:  # fmt: skip
        self.parts, self.strengths, self.model = parts, strengths, model
        self._drawing = {address for address, one in parts.items() if one.draws}
        self._ran: set[str] = set()
        self._passes = 0
        self._generators = [torch.default_generator]
        if device.type == "cuda":
            index = torch.cuda.current_device() if device.index is None else device.index
            self._generators.append(torch.cuda.default_generators[index])
        self._left: dict[str, None] = {}

    @contextmanager
    def over(self, one: Pulse) -> Iterator[None]:
        """Run a pass under this pulse, and watch it."""
        self._passes += 1
        looks = self._silent() and not is_compiled(self.model)
        try:
            with _Watch(self.model, self._generators, self._left) if looks else nullcontext(), pulsing(one):
                yield
        finally:
            self._ran |= {site.split("/")[0] for site in one.calls}

    def _silent(self) -> list[str]:
        """Return the techniques that took the model's dropout over and stand at 0."""
        found = [a for a, one in self.parts.items() if one.takes_over and self.strengths[a].is_off("p")]
        return [type(self.parts[a]).__name__ for a in found if getattr(self.parts[a], "at", None) is None]

    def told(self) -> Iterator[tuple[str, type[UserWarning]]]:
        """Yield a sentence for each thing that was noticed, and the kind of its warning."""
        if self.model.training and self._passes:
            for address in sorted(self._drawing - self._ran):
                yield (
                    f"{type(self.parts[address]).__name__} did nothing in the first step: none of the modules where it "
                    "was placed ran in training mode. Name modules that the model calls with at=…, or leave it out",
                    NeverRan,
                )
        if self._left:
            yield (
                f"{' and '.join(self._silent())} at 0 leaves noise on in training, which it cannot reach: "
                f"{_some(list(self._left))}. Set its rate to 0 in the model, or use nn.Dropout layers there",
                NoiseLeft,
            )


class _Watch(TorchFunctionMode):
    """Notes which calls of torch move a generator of its own, and which module made them."""

    def __init__(self, model: nn.Module, generators: Sequence[torch.Generator], found: dict[str, None]) -> None:
        super().__init__()
        self.names = {id(module): name for name, module in model.named_modules()}
        self.generators, self.found = generators, found

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        before = self._states()
        result = func(*args, **(kwargs or {}))
        if self._states() != before:
            owner = self._caller()
            if owner is None or owner.__dict__.get("p") != 0:  # a layer that draws at p = 0 and changes nothing
                place = "the loss" if owner is None else self._place(owner)
                self.found.setdefault(f"{getattr(func, '__name__', func)} in {place}")
        return result

    def _states(self) -> list[bytes]:
        return [generator.get_state().numpy().tobytes() for generator in self.generators]

    def _place(self, owner: nn.Module) -> str:
        name = self.names[id(owner)]
        return f"{name} ({type(owner).__name__})" if name else type(owner).__name__

    def _caller(self) -> nn.Module | None:
        """Return the innermost module of the model that is running."""
        frame = sys._getframe(2)
        while frame is not None:
            owner = frame.f_locals.get("self")
            if isinstance(owner, nn.Module) and id(owner) in self.names:
                return owner
            frame = frame.f_back  # type: ignore[assignment]
        return None


def _some(found: list[str]) -> str:
    return ", ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")
