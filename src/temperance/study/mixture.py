"""Weights of a mixture: which answers, in which shares, lose least on rows that none of their nets trained on.

Choosing one of many answers by a few hundred rows is luck; weighing them is not, as long as the weights start at a
sensible mixture and leave it only for what the rows show clearly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
WHOLE = "the recipe's strengths"  # of what a run is made of: all of its regularization but stopping and weighing
FLOOR = 1e-7  # smallest probability that counts
STEPS, STEPS_AFTER = 150, 40  # of the descent; after a candidate left, the others are near their shares already
ENTRY = 12  # candidates that the elimination begins with
LEAST_SHARE = 0.03
PULL, PULL_ROWS = 0.003, 600  # the pull towards the prior, and the rows below which it grows as 1 / rows


@dataclass(frozen=True, eq=False)
class Evidence:
    """What candidates answered on rows that they did not train on.

    Attributes:
        values: (m, b), of each candidate the probability of the true class, or the value.
        target: (b,) true values; None for classes.
        weight: (b,) weights of the rows that sum to 1.

    """

    values: Array
    target: Array | None
    weight: Array

    @classmethod
    def of(
        cls, answers: Sequence[NDArray[np.floating]], target: NDArray[np.generic], weight: Array | None = None
    ) -> Evidence:
        """Take answers, each probabilities (b, c) or values (b,), with the class codes or values (b,)."""
        rows = np.arange(len(target))
        classes = answers[0].ndim == 2
        codes = target.astype(np.int64) if classes else rows
        values = np.stack([np.asarray(a[rows, codes] if classes else a, dtype=np.float64) for a in answers])
        shares = np.full(len(target), 1.0) if weight is None else np.asarray(weight, dtype=np.float64)
        return cls(values, None if classes else target.astype(np.float64), shares / shares.sum())

    def part(self, rows: NDArray[np.generic]) -> Evidence:
        """Return these rows."""
        weight = self.weight[rows]
        return Evidence(self.values[:, rows], None if self.target is None else self.target[rows], weight / weight.sum())

    def losses(self, shares: Array, chosen: NDArray[np.int64] | None = None) -> Array:
        """Return (b,) log loss, or squared error, of the mixture of the chosen candidates (all of them)."""
        mixed = shares @ (self.values if chosen is None else self.values[chosen])
        if self.target is None:
            return -np.log(np.maximum(mixed, FLOOR))  # type: ignore[no-any-return]
        return (mixed - self.target) ** 2

    def loss(self, shares: Array, chosen: NDArray[np.int64] | None = None) -> float:
        """Return the mean loss of a mixture."""
        return float(self.losses(shares, chosen) @ self.weight)

    @property
    def unit(self) -> float:
        """What losses are measured in: 1 nat, or the variance of the target."""
        if self.target is None:
            return 1.0
        return max(float(((self.target - self.target @ self.weight) ** 2) @ self.weight), 1e-300)

    @property
    def alone(self) -> Array:
        """Mean loss of each candidate by itself, (m,)."""
        if self.target is None:
            return -np.log(np.maximum(self.values, FLOOR)) @ self.weight  # type: ignore[no-any-return]
        return ((self.values - self.target) ** 2) @ self.weight  # type: ignore[no-any-return]


def weigh(evidence: Evidence, prior: Array, *, most: int = 4) -> Array:
    """Return weights (m,) that sum to 1, at most ``most`` of them above 0.

        minimize  loss(w) + λ·KL(w ‖ prior)  over the simplex,  λ = 0.003 · max(1, 600 / b)

    by exponentiated gradient; squared error is measured in units of the target's variance. Then candidates leave one
    by one, the one whose leaving costs least first, until ``most`` remain, and on while that lowers what is minimized;
    after each leaving the rest are weighed anew, pulled towards the shares that they had. Deterministic.

    Args:
        evidence: answers on held-out rows.
        prior: (m,) the mixture to take where the rows say nothing; sums to 1.
        most: candidates that may stay.

    References: exponentiated gradient: Kivinen and Warmuth (1997), Information and Computation 132.

    """
    pull = PULL * max(1.0, PULL_ROWS / max(1, evidence.values.shape[1]))
    shares = _descend(evidence, prior, pull)
    chosen = np.argsort(-shares, kind="stable")[: max(most, ENTRY)]
    shares = shares[chosen] / shares[chosen].sum()
    while len(chosen) > 1:
        kept, rest = _without_one(evidence, chosen, shares, pull)
        worth = _objective(evidence, shares, chosen, prior, pull) - _objective(evidence, rest, kept, prior, pull)
        if len(chosen) <= most and worth < 0:
            break
        chosen, shares = kept, rest
    shares = np.where(shares < LEAST_SHARE, 0.0, shares)  # not worth a net of its own
    found = np.zeros(len(prior))
    found[chosen] = shares / shares.sum()
    return found


def nested(evidence: Evidence, prior: Callable[[Evidence], Array], folds: NDArray[np.int64], *, most: int = 4) -> Array:
    """Return (folds, m): weights found without the rows of each fold, for figures that the weighing has not seen.

    Args:
        evidence: answers on held-out rows.
        prior: gives the prior for the evidence (it may be chosen by the rows as well).
        folds: (b,) number of each row's fold, 0 … f − 1.
        most: see ``weigh``.

    """
    found = []
    for fold in range(int(folds.max()) + 1):
        rest = evidence.part(folds != fold)
        found.append(weigh(rest, prior(rest), most=most))
    return np.stack(found)


def entropy(probabilities: Array) -> float:
    """Return the mean entropy of (b, c), in nats."""
    return float(-(probabilities * np.log(np.maximum(probabilities, 1e-12))).sum(axis=1).mean())


def softened(probabilities: Array, alone: float, picks: float, *, copies: int) -> Array:
    """Return a mixture's out-of-fold answers (b, c), as sure of themselves as the mixture that ships.

    A row is answered out of fold by the members of one bank; the net that ships averages ``copies`` times as many,
    which makes its answers softer. A temperature fitted on the sharper ones would soften what is soft already. The mean
    entropy of m averaged members is taken as H(m) = H∞ − c / m, known at 1 and at ``picks``; the answers get the power
    at which their mean entropy is H(copies · picks). Labels play no part.

    Args:
        probabilities: of the mixture.
        alone: mean entropy of its members by themselves, H(1).
        picks: how many equal members the mixture amounts to.
        copies: banks.

    """
    if copies < 2 or picks < 1.05:
        return probabilities
    now = entropy(probabilities)
    rise = max(0.0, now - alone) / (1 - 1 / picks)
    wanted = now + rise * (1 - 1 / copies) / picks
    logs = np.log(np.maximum(probabilities, 1e-12))
    low, high = 0.5, 1.0
    for _ in range(30):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if entropy(_powered(logs, middle)) > wanted else (low, middle)
    return _powered(logs, high)


def _powered(logs: Array, power: float) -> Array:
    raised = np.exp(power * (logs - logs.max(axis=1, keepdims=True)))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _descend(
    evidence: Evidence, prior: Array, pull: float, chosen: NDArray[np.int64] | None = None, *, steps: int = STEPS
) -> Array:
    values = evidence.values if chosen is None else evidence.values[chosen]
    shares, centre = prior.copy(), np.log(np.maximum(prior, 1e-12))
    weight, target, unit = evidence.weight, evidence.target, evidence.unit
    for _ in range(steps):
        mixed = shares @ values
        if target is None:
            slope = -values @ (weight / np.maximum(mixed, FLOOR))
        else:
            slope = 2 / unit * (values @ (weight * (mixed - target)))
        slope += pull * (np.log(np.maximum(shares, 1e-12)) - centre)
        shares = shares * np.exp(-0.5 * (slope - slope.min()))
        shares /= shares.sum()
    return shares


def _objective(evidence: Evidence, shares: Array, chosen: NDArray[np.int64], prior: Array, pull: float) -> float:
    away = shares * np.log(np.maximum(shares, 1e-12) / np.maximum(prior[chosen], 1e-12))
    return evidence.loss(shares, chosen) / evidence.unit + pull * float(away.sum())


def _without_one(
    evidence: Evidence, chosen: NDArray[np.int64], shares: Array, pull: float
) -> tuple[NDArray[np.int64], Array]:
    costs = []
    for i in range(len(chosen)):
        rest = np.delete(shares, i) + 1e-3
        costs.append(evidence.loss(rest / rest.sum(), np.delete(chosen, i)))
    leaves = int(np.argmin(costs))
    kept, start = np.delete(chosen, leaves), np.delete(shares, leaves) + 1e-3
    return kept, _descend(evidence, start / start.sum(), pull, kept, steps=STEPS_AFTER)
