"""Which weights were scored and which were saved: the trained ones, an average's, or others put in for a while."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from temperance.proof.marks import Mark, Marker, kind_of


@dataclass
class Other:
    """A module of the watched kind that is not the watched one: an average, or a teacher.

    Attributes:
        module: it.
        first: its mark when it was seen first.
        scored: (optimizer steps, mark) of each series of passes without gradient.
        steps_seen: steps between which it was called.
        saved: how often its state was taken.

    """

    module: nn.Module
    first: Mark
    scored: list[tuple[int, Mark]] = field(default_factory=list)
    steps_seen: set[int] = field(default_factory=set)
    saved: int = 0


class Weights:
    """Follows the weights of one run by their marks.

    Args:
        module: the watched model without wrappers.
        average: a copy of it that is known from the start, or None.

    """

    def __init__(self, module: nn.Module, average: nn.Module | None = None) -> None:
        self.module, self.marker = module, Marker(module)
        self.start = self.marker(module)
        self.last = self.start  # after the last step
        self.trained: set[Mark] = {self.start}  # marks of trained weights that were scored or saved
        self.steps = 0
        self.others: dict[int, Other] = {}
        self.scored: list[str] = []  # "trained", "other" or "swapped", in order
        self.swapped: set[Mark] = set()
        self.saved: set[str] = set()
        self.trained_on_swapped = 0
        self._undo: list[Callable[[], None]] = [self._follow_state(module, None)]
        if average is not None:
            self._other(average, self.marker(average))

    def close(self) -> None:
        """Follow no more."""
        for undo in self._undo:
            undo()
        self._undo.clear()

    def before_step(self) -> None:
        """Look whether the weights are those that the last step left."""
        if self.steps and self.swapped and self.marker(self.module) in self.swapped:
            self.trained_on_swapped += 1

    def after_step(self) -> None:
        """Take the mark of what the step left."""
        self.steps += 1
        self.last = self.marker(self.module)

    def score(self, module: nn.Module) -> None:
        """Take note that a module of this kind answers without gradient."""
        mark = self.marker(module)
        if module is self.module:
            kind = "trained" if mark == self.last or mark in self.trained else "swapped"
            (self.trained if kind == "trained" else self.swapped).add(mark)
        else:
            kind = "other"
            one = self._other(module, mark)
            one.steps_seen.add(self.steps)
            if not one.scored or one.scored[-1][0] != self.steps:
                one.scored.append((self.steps, mark))
        if not self.scored or self.scored[-1] != kind:
            self.scored.append(kind)

    def is_kin(self, module: nn.Module) -> bool:
        """Return whether a module has parameters of the same names and shapes."""
        return id(module) in self.others or kind_of(module) == self.marker.kind

    def teacher(self, one: Other) -> bool:
        """Return whether a module answers at every step, as teachers do; averages are scored now and then."""
        return self.steps >= 4 and len(one.steps_seen) >= 0.9 * self.steps

    def _other(self, module: nn.Module, mark: Mark) -> Other:
        if id(module) not in self.others:
            one = Other(module, mark)
            self.others[id(module)] = one
            self._undo.append(self._follow_state(module, one))
        return self.others[id(module)]

    def _follow_state(self, module: nn.Module, other: Other | None) -> Callable[[], None]:
        def taken(owner: nn.Module, state: object, prefix: str, _: object) -> None:
            if other is not None:
                other.saved += 1
                self.saved.add("other")
                return
            mark = self.marker(owner)
            swapped = mark in self.swapped
            self.saved.add("swapped" if swapped else "trained")
            if not swapped:
                self.trained.add(mark)

        handle: Any = module.register_state_dict_post_hook(taken)  # type: ignore[no-untyped-call]
        return lambda: handle.remove()


def stale_statistics(average: nn.Module, trained: nn.Module) -> bool:
    """Return whether an average has running statistics that no batch ever reached, while the trained model's moved."""
    pairs = zip(average.modules(), trained.modules(), strict=False)
    for one, other in pairs:
        count, moved = getattr(one, "num_batches_tracked", None), getattr(other, "num_batches_tracked", None)
        if isinstance(count, torch.Tensor) and isinstance(moved, torch.Tensor) and int(count) == 0 < int(moved):
            return True
    return False
