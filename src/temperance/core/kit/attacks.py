"""Worst-case inputs: where they may lie, which way the loss rises, and steps that way; in both executors."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from temperance.core.batch import ANSWERS_ONLY, Batch, Pass
from temperance.core.counted import counted
from temperance.core.kit.classes import class_logits, log_softmax, softmax
from temperance.core.kit.inputs import floating, slopes_of
from temperance.core.leaves import Leaves
from temperance.core.nest import floating_leaves, with_floating
from temperance.core.random import Pulse, fold, pulse, pulsing, running, uniform
from temperance.core.regularizer import Context, Rank, Regularizer, Strengths
from temperance.core.rules import Rule
from temperance.core.shifted import Shifted
from temperance.core.statistics import every, resting
from temperance.records.errors import RecipeError, SettingError

Bound = float | tuple[float, ...] | None
Inner = Callable[[Leaves, Mapping[str, Tensor], Batch, Any], Pass]
Value = Callable[[list[Tensor]], Tensor]
Limits = tuple[Tensor, Tensor]
Length = float | Tensor

# What happens where an attacking technique meets another one.
RULES: tuple[Rule, ...] = (
    Rule("attacks", "refuse", "the batch would be attacked twice", "Keep one of them"),
    Rule("ManifoldMixUp", "refuse", "the attack sees a net whose hidden rows are not mixed", "Use MixUp instead"),
    Rule("runs twice", "warn", "each of its two passes is attacked anew", "Expect twice the time, or keep one"),
    Rule("ascends", "warn", "the attack is run again at the moved weights", "Expect twice the time"),
    Rule("mixes", "order", "rows are mixed first, then attacked", "The mixed rows stay inside the box"),
)


@dataclass(frozen=True)
class Box:
    """Where perturbed inputs may lie. A value that is outside already may come nearer, not go further away.

    Attributes:
        owner: technique that asks, for messages.
        low: smallest value, one number or one per column (tables) or channel (images); None: no bound.
        high: largest value, likewise.
        fixed: columns (or channels) that nobody can change.

    Raises:
        SettingError: bounds that do not fit each other, or negative columns.

    """

    owner: str
    low: Bound = None
    high: Bound = None
    fixed: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        sides = [side if isinstance(side, tuple) else (side,) for side in (self.low, self.high) if side is not None]
        wrong = any(not math.isfinite(number) for side in sides for number in side)
        if len(sides) == 2:
            lengths = {len(side) for side in sides} - {1}
            wrong = wrong or len(lengths) > 1 or any(
                sides[0][i % len(sides[0])] >= sides[1][i % len(sides[1])] for i in range(max(map(len, sides)))
            )  # fmt: skip
        if wrong or any(column < 0 for column in self.fixed):
            raise SettingError(
                f"{self.owner} got low={self.low!r}, high={self.high!r}, fixed={self.fixed!r}",
                "low lies below high, both one number or one per column; fixed are column numbers from 0",
                "For images in [0, 1] give low=0.0, high=1.0",
            )

    @property
    def is_open(self) -> bool:
        """Whether every value of every column may be reached."""
        return self.low is None and self.high is None and not self.fixed

    def around(self, x: Tensor, eps: Length) -> Limits:
        """Return the lowest and highest values allowed within ``eps`` of ``x``, each of its shape."""
        reach = _as(eps, x)
        if self.fixed:
            reach = reach * self._free(x)
        lower, upper = x - reach, x + reach
        if self.low is not None:
            lower = torch.maximum(lower, x.clamp(max=self._along(self.low, x)))
        if self.high is not None:
            upper = torch.minimum(upper, x.clamp(min=self._along(self.high, x)))
        return lower, upper

    def _along(self, bound: float | tuple[float, ...], x: Tensor) -> Any:
        if not isinstance(bound, tuple):
            return bound
        values = torch.as_tensor(bound, dtype=x.dtype, device=x.device)
        self._require(len(values), x, exact=True)
        return values.reshape(-1, *[1] * (x.dim() - 2 if x.dim() == 4 else 0))

    def _free(self, x: Tensor) -> Tensor:
        self._require(max(self.fixed) + 1, x, exact=False)
        if len(set(self.fixed)) == _columns(x):
            raise RecipeError(
                f"{self.owner} got fixed={self.fixed!r}, which are all columns of an input",
                "at least one must be free to move, or it does nothing",
                f"Shorten fixed, or leave {self.owner} out",
            )
        free = torch.ones(_columns(x), dtype=x.dtype, device=x.device)
        free[list(self.fixed)] = 0.0
        return free.reshape(-1, *[1] * (x.dim() - 2 if x.dim() == 4 else 0))

    def _require(self, count: int, x: Tensor, *, exact: bool) -> None:
        if count > _columns(x) or (exact and count != _columns(x)):
            raise RecipeError(
                f"{self.owner} got bounds or fixed columns for {count} columns and inputs of shape {tuple(x.shape)}",
                f"this input has {_columns(x)} columns (or channels)",
                "Give one number per column",
            )


def _columns(x: Tensor) -> int:
    return x.shape[1] if x.dim() == 4 else x.shape[-1]


def _as(length: Length, x: Tensor) -> Any:
    return length.to(x.dtype) if isinstance(length, Tensor) else length


class Attacking(Regularizer):
    """A technique that attacks the batch: where it stands, and what happens beside others."""

    family: ClassVar[str] = "smoothness"
    rank: ClassVar[Rank] = Rank.ATTACK
    unique: ClassVar[bool] = True
    moves_inputs: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("attacks",)
    rules: ClassVar[tuple[Rule, ...]] = RULES

    def plan(self, context: Context) -> Any:
        """Return the model, whose mode is changed for the search."""
        return context.model


@dataclass(frozen=True)
class Attack:
    """How a technique looks for worse inputs: in which box, how many steps, how long each of them is.

    Attributes:
        box: where perturbed inputs may lie.
        steps: number of steps.
        stride: length of a step as a share of ε.

    Raises:
        SettingError: steps or stride outside their range.

    """

    box: Box
    steps: int = 1
    stride: float = 1.0

    def __post_init__(self) -> None:
        if not 1 <= self.steps <= 100 or not 0 < self.stride <= 2:
            raise SettingError(
                f"{self.box.owner} got steps={self.steps!r}, stride={self.stride!r}",
                "steps lies between 1 and 100, stride above 0 and up to 2",
                "Leave them out for the defaults",
            )

    def near(self, batch: Batch, strengths: Strengths) -> Near:
        """Return the floating inputs of a ``movable`` batch and what lies within ε (the strength ``eps``) of them.

        Raises:
            RecipeError: there are none, or bounds were given, and it is the vectors of tokens that are moved.

        """
        if isinstance(batch.inputs, Shifted) and not self.box.is_open and not floating_leaves(batch.inputs.inputs):
            raise RecipeError(
                f"{self.box.owner} got low, high or fixed, and the inputs are whole numbers",
                "bounds are those of measured values; here the vectors of tokens are moved",
                "Leave low, high and fixed out",
            )
        eps = strengths.number("eps")
        xs = [x.detach() for x in floating(batch.inputs, self.box.owner)]
        return Near(xs, self.box, eps, strengths.mirror is not None)

    def climb(self, value: Value, points: list[Tensor], near: Near) -> list[Tensor]:
        """Return where the steps lead from ``points``.

        Shapes: points and what is returned have the shapes of ``near.xs``.
        """
        return climb(value, points, near.limits, self.stride * near.eps, self.steps, solo=near.solo)


@dataclass(frozen=True)
class Near:
    """The inputs of one batch and how far an attack may go from them.

    Attributes:
        xs: floating leaves of the inputs, without history.
        box: where perturbed inputs may lie at all.
        eps: ε.
        solo: whether slopes come from autograd (else from ``torch.func``).

    """

    xs: list[Tensor]
    box: Box
    eps: Length
    solo: bool

    @cached_property
    def limits(self) -> list[Limits]:
        """Lowest and highest values for each of the leaves; worked out where they are asked for alone."""
        return [self.box.around(x, self.eps) for x in self.xs]


def straight_through(inputs: Any, points: Sequence[Tensor]) -> Any:
    """Return the inputs with the numbers of ``points``; slopes through them are those of the inputs they replace.

    Shapes: points (b, …), in the order and shapes of ``floating``.
    """
    pairs = zip(floating_leaves(inputs), points, strict=True)
    new = [p.detach() + (x - x.detach()) if x.requires_grad else p.detach() for x, p in pairs]
    return with_floating(inputs, new)


def starts(near: Near, key: Any) -> list[Tensor]:
    """Return points drawn evenly within ε of the inputs, inside the limits.

    Shapes: those of ``near.xs``, (b, …).
    """
    drawn = [
        uniform(fold(key, "start", i), x.shape, x.device, torch.float64 if x.dtype == torch.float64 else torch.float32)
        for i, x in enumerate(near.xs)
    ]
    moved = [along(x, u.to(x.dtype) - 0.5, 2 * near.eps) for x, u in zip(near.xs, drawn, strict=True)]
    return within(moved, near.limits)


def within(points: Sequence[Tensor], limits: Sequence[Limits]) -> list[Tensor]:
    """Return the points moved to the nearest place inside their limits.

    Shapes: (b, …), the same as given.
    """
    return [torch.clamp(p, low, high) for p, (low, high) in zip(points, limits, strict=True)]


def slopes(value: Value, points: Sequence[Tensor], *, solo: bool) -> list[Tensor]:
    """Return ∂value/∂point for each point, without history; zeros where a point does not matter.

    Shapes: those of the points, (b, …).
    """
    if not solo:
        return [g.detach() for g in torch.func.grad(value)([p.detach() for p in points])]
    own = [p.detach().requires_grad_() for p in points]
    return slopes_of([value(own)], own, None)


def climb(
    value: Value, points: list[Tensor], limits: Sequence[Limits], stride: Length, steps: int, *, solo: bool
) -> list[Tensor]:
    """Return the points after ``steps`` steps of size ``stride`` along the sign of the slope, inside the limits.

    Shapes: those of the points, (b, …).
    """
    for _ in range(steps):
        up = slopes(value, points, solo=solo)
        points = within([along(p, g.sign(), stride) for p, g in zip(points, up, strict=True)], limits)
    return points


def along(point: Tensor, way: Tensor, length: Length) -> Tensor:
    """Return point + length·way.

    Shapes: point and way alike, (b, …); a length ().
    """
    if isinstance(length, Tensor):
        return point + length.to(point.dtype) * way
    return torch.add(point, way, alpha=length)


def loss_at(inner: Inner, params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Value:
    """Return points → the loss summed over examples (so that a slope does not shrink with the batch)."""
    still = params if params.owned else params.detach()

    def value(points: list[Tensor]) -> Tensor:
        passed = inner(still, buffers, batch._replace(inputs=with_floating(batch.inputs, points)), key)
        return passed.loss * batch.size

    return value


def divergence_at(
    inner: Inner, params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any, owner: str
) -> Value:
    """Return points → Σ over examples of KL(answer at the batch ‖ answer at the points) + a constant.

    The first answer p is held fast, so it is −Σ p·log q that is computed: the slopes are the same.
    """
    still = params if params.owned else params.detach()
    asked = batch._replace(targets=ANSWERS_ONLY)
    with torch.no_grad():
        known = softmax(class_logits(inner(still, buffers, asked, key).outputs, owner, batch=batch)).neg().detach()
        kept = counted(batch.targets, batch.convention)
        if kept is not None and kept.shape == known.shape[: kept.dim()]:
            known = known * kept.to(known.dtype).reshape(*kept.shape, *[1] * (known.dim() - kept.dim()))

    def value(points: list[Tensor]) -> Tensor:
        passed = inner(still, buffers, asked._replace(inputs=with_floating(batch.inputs, points)), key)
        return (known * log_softmax(class_logits(passed.outputs, owner, batch=batch))).sum()

    return value


def divergence(first: Tensor, second: Tensor) -> Tensor:
    """Return KL(p ‖ q) over the last axis. Shapes: log p, log q (b, …, c) → (b, …)."""
    return (first.exp() * (first - second)).sum(-1)


@contextmanager
def search_mode(model: nn.Module, key: Any) -> Iterator[None]:
    """Run passes that only look for inputs: layers in evaluation mode (statistics stay), noise of a stream of its own.

    Recurrent layers keep their mode: cuDNN cannot go backward through them in evaluation mode.
    """
    syncs = getattr(model, "require_backward_grad_sync", None)
    if syncs is not None:
        model.require_backward_grad_sync = False  # type: ignore[assignment]
    try:
        with pulse(key), resting([m for m in every(model) if not isinstance(m, nn.RNNBase)]):
            yield
    finally:
        if syncs is not None:
            model.require_backward_grad_sync = syncs


def noise_so_far() -> Pulse | None:
    """Return where the noise of this pass stands, for ``same_noise``."""
    now = running()
    return None if now is None else now.copy()


@contextmanager
def same_noise(so_far: Pulse | None) -> Iterator[None]:
    """Let a second pass draw what the pass drew that began at ``so_far``."""
    if so_far is None:
        yield
        return
    with pulsing(so_far.copy()):
        yield
