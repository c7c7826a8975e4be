"""A model as an attack sees it: points in, one number per class out, and how the points may be changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from temperance.records.errors import SettingError

Gradient = Literal["exact", "estimated", "none"]
Loss = Callable[[Tensor, Tensor], Tensor]
CHUNK = 1024
_LARGEST = 2**22  # numbers that one batch of points around a row may hold, where slopes are estimated


@dataclass
class Tally:
    """What an attack has cost: rows through the model, and rows through its slopes."""

    forwards: int = 0
    slopes: int = 0


@dataclass(frozen=True, eq=False)
class Victim:
    """A model under attack.

    Attributes:
        function: points (b, …) → one number per class (b, c), the largest is the answer. Logits, or any scores.
        low: smallest value that a point can have, one number or a tensor that broadcasts over points; None: no bound.
        high: largest value, likewise.
        gradient: ``exact`` where torch can differentiate ``function``, ``estimated`` from central differences (2 passes
            per number of a row), ``none`` where only answers are to be used.
        free: tensor of ones and zeros that broadcasts over points: what may be changed; None: everything.
        nudge: distance of the central differences, in the units of the points.
        chunk: rows per pass.
        tally: passes so far.

    Raises:
        SettingError: another word for ``gradient``, or a nudge that is not above 0.

    """

    function: Callable[[Tensor], Tensor]
    low: float | Tensor | None = None
    high: float | Tensor | None = None
    gradient: Gradient = "exact"
    free: Tensor | None = None
    nudge: float = 1e-2
    chunk: int = CHUNK
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        if self.gradient not in ("exact", "estimated", "none") or self.nudge <= 0:
            raise SettingError(
                f"gradient={self.gradient!r}, nudge={self.nudge!r}",
                "gradient is 'exact', 'estimated' or 'none'; nudge lies above 0",
                "Choose 'none' where only answers are known",
            )

    def scores(self, x: Tensor) -> Tensor:
        """Return one number per class, without slopes: (b, …) → (b, c)."""
        self.tally.forwards += len(x)
        with torch.no_grad():
            return (
                torch.cat([self.function(part) for part in torch.split(x, self.chunk)]) if len(x) else self.function(x)
            )

    def answer(self, x: Tensor) -> Tensor:
        """Return the answered class: (b, …) → (b,)."""
        return self.scores(x).argmax(dim=1)

    def wrong(self, x: Tensor, y: Tensor) -> Tensor:
        """Return where the answer is not ``y`` or no finite number: (b, …), (b,) → (b,) bool."""
        return fails(self.scores(x), y)

    def slope(self, x: Tensor, y: Tensor, loss: Loss) -> tuple[Tensor, Tensor, Tensor]:
        """Return losses, scores and the slope of each row's loss.

        Shapes: x (b, …), y (b,) or (b, 2) → (b,), (b, c), (b, …).

        Args:
            x: points.
            y: what the loss is asked with, (b,) true classes or (b, 2) true classes and classes to reach.
            loss: scores (b, c) and ``y`` → (b,).

        """
        self.tally.slopes += len(x)
        ask = self._exact if self.gradient == "exact" else self._estimated
        parts = [ask(p, q, loss) for p, q in zip(torch.split(x, self.chunk), torch.split(y, self.chunk), strict=True)]
        losses, scores, slopes = (torch.cat(one) for one in zip(*parts, strict=True))
        slopes = torch.nan_to_num(slopes, nan=0.0, posinf=0.0, neginf=0.0)
        return losses, scores, slopes if self.free is None else slopes * self.free

    def _exact(self, x: Tensor, y: Tensor, loss: Loss) -> tuple[Tensor, Tensor, Tensor]:
        with torch.enable_grad():
            point = x.detach().requires_grad_()
            scores = self.function(point)
            losses = loss(scores, y)
            if losses.requires_grad:
                (slope,) = torch.autograd.grad(losses.sum(), point, allow_unused=True)
            else:
                slope = None
        return losses.detach(), scores.detach(), torch.zeros_like(x) if slope is None else slope

    def _estimated(self, x: Tensor, y: Tensor, loss: Loss) -> tuple[Tensor, Tensor, Tensor]:
        scores = self.scores(x)
        flat = x.flatten(1)
        width = flat.shape[1]
        slopes = torch.zeros_like(flat)
        allowed = torch.ones_like(x) if self.free is None else self.free.expand_as(x).to(x.dtype)
        moving = torch.nonzero(allowed.flatten(1).any(dim=0)).flatten()
        step = max(1, _LARGEST // max(1, 2 * width * len(x)))
        for columns in torch.split(moving, step):
            count = len(columns)
            apart = torch.zeros(count, width, dtype=x.dtype).scatter_(1, columns[:, None], self.nudge)
            ends = []
            for sign in (1.0, -1.0):
                near = self.inside((flat[:, None] + sign * apart).flatten(0, 1).reshape(-1, *x.shape[1:]))
                value = loss(self.scores(near), y.repeat_interleave(count, dim=0)).reshape(-1, count)
                ends.append((value, near.flatten(1).reshape(len(x), count, width)))
            (up, above), (down, below) = ends
            at = columns[None, :, None].expand(len(x), -1, 1)
            distance = (above - below).gather(2, at)[..., 0]
            slopes[:, columns] = torch.where(distance > 0, (up - down) / distance.clamp(min=1e-12), 0.0)
        return loss(scores, y), scores, slopes.reshape_as(x)

    def inside(self, x: Tensor) -> Tensor:
        """Return the points moved to the nearest place in the box, (b, …)."""
        if self.low is not None:
            x = torch.maximum(x, torch.as_tensor(self.low, dtype=x.dtype))
        if self.high is not None:
            x = torch.minimum(x, torch.as_tensor(self.high, dtype=x.dtype))
        return x

    def extent(self, x: Tensor) -> Tensor | None:
        """Return the width of the box at each number of a point, (…); 0 where nothing may change; None: it has no end.

        Shapes: x (b, …).
        """
        if self.low is None or self.high is None:
            return None
        width = torch.as_tensor(self.high, dtype=x.dtype) - torch.as_tensor(self.low, dtype=x.dtype)
        width = width.expand(x.shape[1:])
        width = width if self.free is None else torch.where(self.free > 0, width, 0.0)
        return width if bool(torch.isfinite(width).all()) else None


def fails(scores: Tensor, y: Tensor) -> Tensor:
    """Return where scores (b, c) do not answer ``y`` (b,), or are not finite: (b,) bool."""
    return (scores.argmax(dim=1) != y) | ~torch.isfinite(scores).all(dim=1)
