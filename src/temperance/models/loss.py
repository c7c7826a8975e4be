"""What the outputs of a net mean: losses per row and predictions, with or without an axis of members.

A net of k members returns (b, k, c). **Training** takes the mean over members of each member's own loss, so that every
member learns by itself; the loss of the mean would let members lean on each other. **Prediction** takes the mean over
members of the probabilities (of the values, for regression).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from temperance.core.convention import Convention
from temperance.core.kit.classes import log_softmax
from temperance.records.schema import Task

STEEP = 6.0  # log of the factor over the mean count above which exp goes straight on
TINY = 1e-12  # keeps logarithms finite
Loss = Callable[[Tensor, Tensor], Tensor]


def cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the cross-entropy per row, in nats; members are averaged.

    Args:
        outputs: logits (b, c) or (b, k, c).
        targets: class numbers (b,), class numbers per member (b, k) with −1 for a row that a member leaves out, or
            probabilities (b, c) in floating point.

    Returns:
        (b,)

    """
    return _of_classes(log_softmax(outputs), targets)


def _of_classes(logs: Tensor, targets: Tensor) -> Tensor:
    """Return the negative of the entries (b, c) or (b, k, c) that the targets name, per row."""
    if targets.ndim == 2 and not targets.is_floating_point():
        own = logs.gather(-1, targets.clamp_min(0).unsqueeze(-1)).squeeze(-1)
        return _mean_of_kept(-own, targets >= 0)
    if logs.ndim == 3:
        logs = logs.mean(dim=1)  # the loss is linear in the log-probabilities: averaging them averages the losses
    if targets.is_floating_point():
        return -(targets * logs).sum(dim=-1)
    return -logs.gather(-1, targets.unsqueeze(-1)).squeeze(-1)


def cumulative_cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return for ordered classes the cross-entropy of "above level k?", summed over the levels, per row.

        loss = −log₂(c)/(c − 1) · (Σ_{k<t} log P(y > k) + Σ_{k≥t} log P(y ≤ k)),   k = 0 … c − 2

    Far misses cost more than near ones; of two classes it is the cross-entropy. A strictly proper scoring rule, so the
    outputs stay logits of plain class probabilities.

    Args:
        outputs: logits (b, c) or (b, k, c), the classes in their order.
        targets: as in ``cross_entropy``.

    Returns:
        (b,)

    References:
        Frank and Hall (2001), A Simple Approach to Ordinal Classification: the binary questions.

    """
    chances = torch.softmax(outputs, dim=-1)
    c = chances.shape[-1]
    upper = torch.ones(c, c, dtype=chances.dtype, device=chances.device).triu()[:, :-1]  # class ≤ k
    below, above = ((chances @ part + TINY).log() for part in (upper, 1 - upper))
    logs = (above @ (1 - upper).T + below @ upper.T) * (math.log2(c) / max(1, c - 1))
    return _of_classes(logs, targets)


def squared_error(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the squared error per row; members are averaged after squaring.

    Args:
        outputs: values (b, 1) or (b, k, 1).
        targets: values (b,), or values per member (b, k) with NaN for a row that a member leaves out.

    Returns:
        (b,)

    """
    values = outputs.squeeze(-1)
    if targets.ndim == 2:
        kept = ~targets.isnan()
        return _mean_of_kept((values - torch.where(kept, targets, values.detach())).square(), kept)
    if values.ndim == 1:
        return (values - targets).square()
    return (values - targets.unsqueeze(-1)).square().mean(dim=1)


def poisson_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return exp(z) − t·z per row, the Poisson loss of a log mean z up to a constant; members are averaged.

    Dividing counts by a number leaves it the same but for a factor, so t may be counts over their mean.

    Args:
        outputs: log means z (b, 1) or (b, k, 1).
        targets: t (b,), 0 or more, or values per member (b, k) with NaN for a row that a member leaves out.

    Returns:
        (b,)

    """
    values = outputs.squeeze(-1)
    wanted = targets if targets.ndim == values.ndim else targets.unsqueeze(-1)
    kept = ~wanted.isnan()
    losses = mean_of_log(values) - torch.where(kept, wanted, torch.zeros_like(wanted)) * values
    if values.ndim == 1:
        return losses
    return _mean_of_kept(losses * kept.to(losses.dtype), kept.expand_as(losses))


def mean_of_log(values: Tensor) -> Tensor:
    """Return exp(z), straight on above ``STEEP``, where a step could throw it out of reach.

    Shapes: any, element by element.
    """
    return torch.exp(values.clamp(max=STEEP)) * (1 + (values - STEEP).clamp(min=0))


# Techniques on targets ask how a loss reads them: classes stand last, and (b, k) are numbers of members.
cross_entropy.convention = Convention(  # type: ignore[attr-defined]
    "classes", axis=-1, name="the cross-entropy", by_member=True
)
cumulative_cross_entropy.convention = Convention(  # type: ignore[attr-defined]
    "classes", axis=-1, name="the cumulative cross-entropy", by_member=True
)
poisson_loss.convention = Convention("numbers", name="the Poisson loss")  # type: ignore[attr-defined]
squared_error.convention = Convention("numbers", name="the squared error")  # type: ignore[attr-defined]


def _mean_of_kept(losses: Tensor, kept: Tensor) -> Tensor:
    share = kept.to(losses.dtype)
    return (losses * share).sum(dim=1) / share.sum(dim=1).clamp_min(1.0)


def loss_for(task: Task, *, ordered: bool = False, counts: bool = False) -> Loss:
    """Return the loss per row that trains a net for ``task``; ``ordered`` classes are levels, ``counts`` 0 or more."""
    if task == "regression":
        return poisson_loss if counts else squared_error
    return cumulative_cross_entropy if ordered else cross_entropy


def combine(
    outputs: Tensor, *, task: Task, temperature: float = 1.0, shares: tuple[float, ...] | None = None,
    counts: bool = False,
) -> Tensor:  # fmt: skip
    """Turn outputs (b, c) or (b, k, c) into probabilities (b, c), or into values (b,) for regression.

    ``temperature`` divides the logits of every member; 1 leaves them. It has no meaning for regression. ``shares`` are
    weights of the members that sum to 1; None: all count the same. ``counts``: outputs are log means.
    """
    if task == "regression":
        values = outputs.squeeze(-1)
        values = mean_of_log(values) if counts else values
        return values if values.ndim == 1 else _members_mean(values, shares)
    probabilities = torch.softmax(outputs / temperature, dim=-1)
    return probabilities if probabilities.ndim == 2 else _members_mean(probabilities, shares)


def _members_mean(values: Tensor, shares: tuple[float, ...] | None) -> Tensor:
    if shares is None:
        return values.mean(dim=1)
    weights = torch.tensor(shares, dtype=values.dtype, device=values.device)
    return (values * weights.view(1, -1, *[1] * (values.ndim - 2))).sum(dim=1)
