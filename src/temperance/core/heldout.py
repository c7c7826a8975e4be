"""Losses and the user's metric on held-out rows, in one stream over the batches, for one or several sets of weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from temperance.core.batch import Batch
from temperance.core.counted import counted
from temperance.core.devices import widened
from temperance.core.leaves import Leaves
from temperance.records.errors import SettingError, nearest

Metric = str | Callable[[Any, Any], Any]
Better = Literal["lower", "higher"]
NAMED: dict[str, Better] = {"loss": "lower", "accuracy": "higher"}


class Asked(NamedTuple):
    """What a user wants weights to be judged by.

    Attributes:
        metric: ``loss``, ``accuracy`` or ``metric(outputs, targets)`` over all held-out rows.
        value: the user's own number, which then counts alone.
        better: which way is better.

    """

    metric: Metric
    value: float | None
    better: Better

    @property
    def signal(self) -> str:
        """Name of the number that counts."""
        return "valid_loss" if self.value is None and self.metric == "loss" else "metric"


class Found(NamedTuple):
    """What one set of weights scored: mean loss, its standard error (NaN where rows give none), metric (or NaN)."""

    loss: float
    error: float
    metric: float


def ask(metric: Metric, value: float | None, better: str | None) -> Asked:
    """Check what the user asked for.

    Raises:
        SettingError: an unknown metric, or a function or number without ``better``.

    """
    if isinstance(metric, str) and metric not in NAMED:
        raise SettingError(
            f"validate got metric={metric!r}",
            f"names are {', '.join(NAMED)}; anything else is a function metric(outputs, targets)",
            nearest(metric, NAMED) or "Pass a function and better='higher' or 'lower'",
        )
    own = value is not None or not isinstance(metric, str)
    if better not in (("lower", "higher") if own else ("lower", "higher", None)):
        raise SettingError(
            f"validate got {'value' if value is not None else 'metric'} and better={better!r}",
            "better is 'lower' or 'higher'; only 'loss' and 'accuracy' are known",
            "Say which way is better, e.g. session.validate(value=0.83, better='higher')",
        )
    if not own and better not in (NAMED[str(metric)], None):
        raise SettingError(
            f"validate got metric={metric!r} and better={better!r}",
            f"of {metric} the {NAMED[str(metric)]} is better",
            f"Leave better out, or pass better={NAMED[str(metric)]!r}",
        )
    side: Better = "higher" if (better or NAMED[str(metric)]) == "higher" else "lower"
    return Asked(metric, None if value is None else float(value), side)


class Tally:
    """A running mean over rows (not over batches): Σ wᵢ lᵢ / Σ wᵢ, and its standard error.

        error² = n/(n−1) · Σ wᵢ² (lᵢ − mean)² / (Σ wᵢ)²,     which is sd/√n where all weights are 1

    A loss that gives one number per batch counts as often as the batch has rows, and has no error.
    """

    def __init__(self) -> None:
        self.count = 0
        self.rows_known = True
        self._sums: Tensor | None = None  # Σw, Σwl, Σw², Σw²l, Σw²l², on the device of the losses: no wait per batch

    def add(self, losses: Tensor, batch: Batch, counts: Tensor | None = None) -> None:
        """Add the losses (b,) of a batch, or its one loss (1,).

        Args:
            losses: one per row, or one.
            batch: what they are of.
            counts: how much each row counts, (b,): its weight, or its tokens where the loss is per token; None: its
                weight, or once.

        """
        values, size = widened(losses.detach()), batch.size
        weight = counts if counts is not None else batch.weight
        weight = torch.ones_like(values) if weight is None else weight.to(values)
        if values.numel() != size:
            many = float(size) if batch.weight is None and counts is None else weight.sum().reshape(1)
            self.rows_known, weight = False, many if isinstance(many, Tensor) else values.new_full((1,), many)
        if counts is not None:  # a row of which nothing counts may hold any number, also 0/0
            values = torch.where(weight > 0, values, torch.zeros_like(values))
        square = weight * weight
        parts = (weight, weight * values, square, square * values, square * values * values)
        total = torch.stack([part.sum() for part in parts])
        self._sums = total if self._sums is None else self._sums + total
        self.count += values.numel()

    @property
    def mean(self) -> float:
        """The mean; NaN without rows."""
        return self._figures()[0]

    @property
    def error(self) -> float:
        """The standard error of the mean; NaN where it is not known."""
        return self._figures()[1]

    def _figures(self) -> tuple[float, float]:
        w, wl, ww, wwl, wwll = [0.0] * 5 if self._sums is None else self._sums.tolist()
        mean = wl / w if w else math.nan
        if not self.rows_known or self.count < 2 or not w:
            return mean, math.nan
        spread = max(0.0, wwll - 2 * mean * wwl + mean**2 * ww) if math.isfinite(mean) else math.nan
        return mean, math.sqrt(spread * self.count / (self.count - 1)) / w


def measure(
    batches: Iterable[Batch],
    answers: Sequence[Callable[[Batch], tuple[Any, Tensor]]],
    metric: Metric,
    counts: Callable[[Batch], Tensor | None] | None = None,
) -> list[Found]:
    """Return what each set of weights scores; every batch is seen once and then let go.

    Args:
        batches: held-out rows.
        answers: per set of weights, batch → (outputs, losses (b,) or (1,)).
        counts: batch → how much each row counts in the mean of the loss, see ``Tally.add``.
        metric: see ``Asked``; a function is called once with the outputs and targets of all rows, on the CPU.

    Raises:
        SettingError: no batches, or answers that the metric cannot be taken of.

    """
    losses, hits = [Tally() for _ in answers], [Tally() for _ in answers]
    kept: list[list[Tensor]] = [[] for _ in answers]
    targets: list[Tensor] = []
    for batch in batches:
        for answer, tally, hit, told in zip(answers, losses, hits, kept, strict=True):
            outputs, values = answer(batch)
            tally.add(values, batch, None if counts is None else counts(batch))
            if metric == "accuracy":
                hit.add(_right(outputs, batch.targets), batch, _kept(outputs, batch))
            elif metric != "loss":
                told.append(_tensor(outputs).detach().cpu())
        if callable(metric):
            targets.append(_tensor(batch.targets).detach().cpu())
    if answers and not losses[0].count:
        raise SettingError("validate got no batches", "at least one batch of held-out rows", "Pass a loader or a list")
    found = []
    for tally, hit, told in zip(losses, hits, kept, strict=True):
        number = float(metric(torch.cat(told), torch.cat(targets))) if callable(metric) else hit.mean
        found.append(Found(tally.mean, tally.error, number))
    return found


def side(
    losses: Callable[[Batch, Leaves], Tensor],
    batches: Sequence[Batch],
    weights: Leaves,
    counts: Callable[[Batch], Tensor | None] | None = None,
) -> tuple[float, float]:
    """Return the mean loss over the rows of ``batches`` and its standard error; NaN without batches."""
    tally = Tally()
    for batch in batches:
        tally.add(losses(batch, weights), batch, None if counts is None else counts(batch))
    return tally.mean, tally.error


def _tensor(value: Any) -> Tensor:
    if not isinstance(value, Tensor):
        raise SettingError(
            f"the model gave {type(value).__name__}",
            "a metric is taken of one tensor of outputs and one of targets",
            "Measure it in your loop and pass session.validate(value=…, better=…)",
        )
    return value


def _kept(outputs: Any, batch: Batch) -> Tensor | None:
    """Return how far each row counts where some are left out: one without a class is neither right nor wrong.

    Not of one score per row: there −1 may be the other class.
    """
    kept = counted(batch.targets, batch.convention) if _tensor(outputs).dim() == 2 and outputs.shape[1] > 1 else None
    if kept is None or kept.dim() != 1:
        return None
    return widened(kept) if batch.weight is None else widened(batch.weight) * kept


def _right(outputs: Any, targets: Any) -> Tensor:
    scores, truth = _tensor(outputs), _tensor(targets)
    if scores.dim() == 2 and scores.shape[1] > 1 and truth.shape == scores.shape[:1]:
        return widened(scores.argmax(1) == truth)
    if scores.numel() == truth.numel() == len(truth):
        return widened((scores.reshape(-1) > 0) == (truth.reshape(-1) > 0.5))  # one score per row, a logit
    raise SettingError(
        f"accuracy got outputs {tuple(scores.shape)} and targets {tuple(truth.shape)}",
        "outputs (b, c) or (b,) and class numbers (b,)",
        "Pass a function metric(outputs, targets) and better='higher'",
    )
