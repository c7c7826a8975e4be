"""Losses and gradients that are not numbers: noticed at their step, traced to what made them, skipped or refused."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from temperance.core import stages
from temperance.core.batch import Batch, Pass
from temperance.core.leaves import Leaves
from temperance.core.plain import Plain
from temperance.core.random import fold, pulse
from temperance.core.replicas import any_of
from temperance.core.statistics import unchanged
from temperance.records.errors import RecipeError, SettingError

if TYPE_CHECKING:
    from temperance.core.solo import Solo

OnNaN = Literal["raise", "skip", "ignore"]
_LATER = 64  # steps between two looks where a look would make the host wait for the device


class NotFinite(ArithmeticError):
    """A pass whose loss is not a number, or gradients that are not; caught by the executor, never by users."""

    def __init__(self, batch: Batch, passed: Pass, key: int) -> None:
        super().__init__("not finite")
        self.batch, self.passed, self.key = batch, passed, key


class Watch:
    """Looks at each loss.

    Args:
        mode: ``raise`` at a loss that is not a number, ``skip`` the step, or ``ignore`` it.
        device: on the CPU, and where steps are skipped, a loss is looked at before its backward pass; elsewhere 64 of
            them together, since each look waits for the device.

    """

    def __init__(self, mode: OnNaN, device: torch.device) -> None:
        if mode not in ("raise", "skip", "ignore"):
            raise SettingError(f"nan={mode!r}", "'raise', 'skip' or 'ignore'", "Pick one of these")
        self.skips = mode == "skip"
        self.at_once = self.skips or (mode == "raise" and device.type == "cpu")
        self.later = mode == "raise" and not self.at_once
        self._kept: list[Tensor] = []

    def refuses(self, loss: Tensor) -> bool:
        """Return whether this loss must not be trained on."""
        if not self.at_once:
            return False
        bad = not math.isfinite(loss.item())
        return any_of(bad, loss.device) if self.skips else bad  # replicas leave out the same steps

    def keep(self, loss: Tensor, steps: int) -> None:
        """Keep a loss for a later look; ``steps`` are those done before it."""
        self._kept.append(loss.detach())
        if len(self._kept) >= _LATER:
            self.look(steps + 1)

    def look(self, steps: int) -> None:
        """Look at the losses that were kept up to now.

        Raises:
            RecipeError: one was not a number.

        """
        kept, self._kept = self._kept, []
        if not kept:
            return
        bad = (~torch.isfinite(torch.stack(kept))).nonzero().flatten().tolist()
        if bad:
            first = steps - len(kept) + bad[0] + 1
            raise refusal(first, "it was found later, so what made it is not known; run this step on the CPU to know")


def refusal(step: int, cause: str) -> RecipeError:
    """Return the error that names the step (the first is 1) and what made the numbers go wrong."""
    return RecipeError(
        f"the loss of step {step} is not a finite number: {cause}",
        "losses and gradients that are finite",
        "Mend what is named, or leave such batches out: recipe.attach(…, nan='skip')",
    )


def finite(tensors: Sequence[Tensor]) -> bool:
    """Return whether all numbers are finite; sparse gradients by their values."""
    return all(bool(torch.isfinite(t._values() if t.is_sparse else t).all()) for t in tensors)


def cause(solo: Solo, fault: NotFinite) -> str:
    """Return in words what saw a number that is none first: the batch, a weight, the model, or a technique.

    The objective is built up technique by technique, from the user's loss outwards, on the same batch and noise.
    """
    batch, key = fault.batch, fault.key
    for what, part in (("inputs", batch.inputs), ("targets", batch.targets), ("weights of the rows", batch.weight)):
        if not finite([t for t in _tensors(part) if t.is_floating_point() or t.is_complex()]):
            return f"the {what} of the batch hold NaN or infinity"
    broken = [name for name, p in solo.home.items() if not finite([p.detach()])]
    if broken:
        return f"the weight {broken[0]} (and {len(broken) - 1} more) was not finite before it: the last update did that"
    order = stages.objective_order(solo.parts)
    for count in range(len(order) + 1):
        if not math.isfinite(_objective(solo, order[:count], batch, key)):
            if count == 0:
                return "the model or the loss itself gave it, before any technique had touched the loss"
            return f"{order[count - 1]} made it from a finite loss"
    return "it came with the gradients or a second pass of " + (
        ", ".join(a for a, one in solo.parts.items() if "gradient" in one.stages()) or "the model's own layers"
    )


def _objective(solo: Solo, addresses: Sequence[str], batch: Batch, key: int) -> float:
    parts = {address: solo.parts[address] for address in solo.parts if address in addresses}
    plain = Plain(solo.plain, solo.loss)
    objective = stages.objective(parts, plain, solo.strengths, solo.memory)
    own = fold(key, solo.rank) if solo.rank else key
    with unchanged(solo.statistics), pulse(own):
        return float(objective(solo.home, {}, batch, own).loss.detach())


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, Leaves):
        return list(value.tensors)
    if isinstance(value, Mapping):
        return [t for one in value.values() for t in _tensors(one)]
    return [t for one in value for t in _tensors(one)] if isinstance(value, (list, tuple)) else []
