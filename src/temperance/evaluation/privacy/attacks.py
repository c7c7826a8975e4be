"""Attacks on membership: a score per row, higher where the row is more likely one that the model learned from.

The attacks with references compare the model with others of which it is known whether they learned the row. Where a row
has models of both kinds they work "online", else "offline" with those that did not learn it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from temperance.records.errors import DataError

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
PRIOR = 4.0  # how many models the common variance weighs as, beside a row's own
OFFLINE = 0.3  # a of the offline form of RMIA
LEAST_VARIANCE = 1e-12


def loss_threshold(losses: Array) -> Array:
    """Return −loss: rows that the model knows better than others were learned, says the simplest attack.

    It cannot clear a model: where a better attack finds rows, this one may find none.

    Shapes: (b,) → (b,).

    References:
        Yeom et al. (2018), IEEE CSF.

    """
    out: Array = -np.asarray(losses, dtype=np.float64)
    return out


def lira(target: Array, references: Array, inside: Mask, *, prior: float = PRIOR) -> Array:
    """Return the likelihood-ratio attack's score.

        online:   log N(φ; μ_in, σ²_in) − log N(φ; μ_out, σ²_out)
        offline:  (φ − μ_out) / σ_out, used for all rows where any row lacks models of one kind

    A row's variance is shrunk to the common one, σ² = (k₀ σ̄² + Σ(φ_j − μ)²) / (k₀ + m − 1), because few models tell it
    badly. A common variance that is not known (one model per row and kind) is 1: then only the mean counts.

    Args:
        target: (b,) signals φ of the attacked model, e.g. ``signals.margins``.
        references: (m, b) signals of the other models.
        inside: (m, b) whether model j learned row i.
        prior: k₀.

    Raises:
        DataError: shapes that do not fit, or a row that every model learned.

    References:
        Carlini et al. (2022), arXiv:2112.03570; shrinkage after BaVarIA, arXiv:2603.11799.

    """
    phi, others, known = _checked(target, references, inside)
    mean_out, variance_out = _moments(others, ~known, prior)
    if not known.any(axis=0).all():
        out: Array = (phi - mean_out) / np.sqrt(variance_out)
        return out
    mean_in, variance_in = _moments(others, known, prior)
    ratio: Array = _log_density(phi, mean_in, variance_in) - _log_density(phi, mean_out, variance_out)
    return ratio


def rmia(
    target: Array, references: Array, inside: Mask, *, population: Array | None = None, gamma: float = 2.0,
    offline: float = OFFLINE,
) -> Array:  # fmt: skip
    """Return the robust attack's score.

        ratio(x) = p(x | θ) / p(x),   score(x) = share of population rows z with ratio(x) ≥ γ · ratio(z)
        p(x): ½ (mean p over models that learned x + mean p over those that did not), or, where a row lacks models that
        learned it (then for all rows), ½ ((1 + a) · mean p_out + (1 − a))

    The score rises with the ratio, so the order of the rows, all that rates and areas read, is that of the ratio up to
    ties; without a population the ratio itself is returned.

    Args:
        target: (b,) stated chances of the truth by the attacked model.
        references: (m, b) the same by the other models.
        inside: (m, b) whether model j learned row i.
        population: (z,) ratios of rows that nobody learned, or None.
        gamma: γ, at least 1.
        offline: a, in [0, 1].

    Raises:
        DataError: shapes that do not fit, or a row that every model learned.

    References:
        Zarifzadeh, Liu and Shokri (2024), arXiv:2312.03262, equations 2, 9 and 10.

    """
    chance, others, known = _checked(target, references, inside)
    unlearned = _mean(others, ~known)
    if known.any(axis=0).all():
        marginal = 0.5 * (_mean(others, known) + unlearned)
    else:
        marginal = 0.5 * ((1 + offline) * unlearned + (1 - offline))
    ratio: Array = chance / np.maximum(marginal, 1e-300)
    if population is None:
        return ratio
    order = np.sort(gamma * np.asarray(population, dtype=np.float64))
    share: Array = np.searchsorted(order, ratio, side="right") / max(1, len(order))
    return share


def _checked(target: Array, references: Array, inside: Mask) -> tuple[Array, Array, Mask]:
    phi, others = np.asarray(target, dtype=np.float64), np.asarray(references, dtype=np.float64)
    known = np.asarray(inside, dtype=bool)
    if phi.ndim != 1 or others.shape != known.shape or others.shape[1:] != phi.shape or not len(others):
        raise DataError(
            f"signals {phi.shape}, of references {others.shape}, inside {known.shape}", "(b,), (m, b) and (m, b), m ≥ 1"
        )
    if not np.isfinite(phi).all() or not np.isfinite(others).all():
        raise DataError("signals that are not finite", "a finite number per model and row", "Look for NaN answers")
    if known.all(axis=0).any():
        raise DataError("a row that every reference model learned", "a model that did not, for each row")
    return phi, others, known


def _mean(values: Array, mask: Mask) -> Array:
    out: Array = np.where(mask, values, 0.0).sum(axis=0) / mask.sum(axis=0)
    return out


def _moments(values: Array, mask: Mask, prior: float) -> tuple[Array, Array]:
    """Return mean and shrunk variance of each row over the models of the mask."""
    mean, count = _mean(values, mask), mask.sum(axis=0)
    squares = np.where(mask, (values - mean) ** 2, 0.0).sum(axis=0)
    free = float((count - 1).sum())
    common = float(squares.sum()) / free if free > 0 else 1.0
    variance = (prior * common + squares) / (prior + count - 1)
    return mean, np.maximum(variance, LEAST_VARIANCE)


def _log_density(x: Array, mean: Array, variance: Array) -> Array:
    out: Array = -0.5 * (np.log(2 * np.pi * variance) + (x - mean) ** 2 / variance)
    return out
