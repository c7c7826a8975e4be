"""A subject as a victim: pictures as numbers from 0 to 1, tables as numbers in units of each column's spread."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from temperance.evaluation.adversarial.victim import Gradient, Victim
from temperance.evaluation.aspects.base import Differentiable, Inputs, Subject
from temperance.evaluation.schema.space import Space
from temperance.records.errors import DataError
from temperance.records.schema import Rows

_TINY = 1e-300  # the smallest probability whose logarithm is taken
WIDEST = 64  # numbers above which slopes are not estimated from answers


class View(NamedTuple):
    """Rows as an attack sees them.

    Shapes: points (b, …); ``features``: points (b, …) → (b, d), or None where the model has none.
    """

    victim: Victim
    points: Tensor
    features: Callable[[Tensor], Tensor] | None = None


def pictures(subject: Subject, rows: Rows) -> View:
    """Return pictures (b, c, h, w) from 0 to 1.

    Without a network only answers are asked for, to pictures rounded to bytes.

    Raises:
        DataError: rows without pictures.

    """
    if rows.images is None:
        raise DataError("rows without pictures", "pictures", "Use the view of tables")
    points = torch.from_numpy(np.moveaxis(rows.images, -1, 1).astype(np.float64) / 255)
    network = subject.network
    if network is None:
        return View(Victim(_by_bytes(subject), 0.0, 1.0, "none"), points)
    return View(Victim(lambda x: network.scores(_inputs(x)), 0.0, 1.0), points, _features(network, _inputs, points[:1]))


def table(subject: Subject, rows: Rows, space: Space) -> View:
    """Return numbers in scales, with the row's number behind them so that its categories and gaps are known.

    Shapes: points (b, n + 1): the last is the row's number and never changes; a missing number is 0 and fixed by the
    view, not by the victim.
    """
    scale = torch.from_numpy(space.scale)
    gaps = torch.from_numpy(np.isnan(rows.numeric))
    codes = torch.from_numpy(rows.categorical.astype(np.int64))
    known = torch.from_numpy(np.where(np.isnan(rows.numeric), 0.0, rows.numeric)) / scale
    points = torch.cat([known, torch.arange(rows.size, dtype=torch.float64)[:, None]], dim=1)
    free = torch.zeros(points.shape[1], dtype=torch.float64)
    free[torch.from_numpy(space.movable)] = 1.0
    ends = [
        torch.cat([torch.from_numpy(np.where(np.isfinite(end), end, away)) / scale, torch.tensor([away])])
        for end, away in ((space.low, -torch.inf), (space.high, torch.inf))
    ]

    def inputs(x: Tensor) -> Inputs:
        at = x[:, -1].detach().long()
        numeric = torch.where(gaps[at], torch.nan, x[:, :-1] * scale)
        return Inputs(numeric, codes[at])

    network = subject.network
    if network is not None:
        victim = Victim(lambda x: network.scores(inputs(x)), ends[0], ends[1], "exact", free)
        return View(victim, points, _features(network, inputs, points[:1]))
    way: Gradient = "estimated" if len(space.movable) <= WIDEST else "none"

    def ask(x: Tensor) -> Tensor:
        at = x[:, -1].detach().long().numpy()
        numeric = inputs(x.detach()).numeric.numpy()
        return torch.from_numpy(log_scores(subject.predict(rows.take(at)._replace(numeric=numeric))))

    return View(Victim(ask, ends[0], ends[1], way, free, nudge=0.05), points)


def log_scores(probabilities: np.ndarray) -> np.ndarray:
    """Return log p, (b, c) → (b, c): scores whose differences are margins; what is no number stays none."""
    with np.errstate(invalid="ignore"):
        found: np.ndarray = np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), _TINY))
    return found


def _inputs(x: Tensor) -> Inputs:
    count = len(x)
    images = x.movedim(1, -1) * 255
    return Inputs(torch.zeros(count, 0, dtype=torch.float64), torch.zeros(count, 0, dtype=torch.int64), images)


def _features(
    network: Differentiable, inputs: Callable[[Tensor], Inputs], first: Tensor
) -> Callable[[Tensor], Tensor] | None:
    with torch.no_grad():
        if network.features(inputs(first)) is None:
            return None

    def features(x: Tensor) -> Tensor:
        found = network.features(inputs(x))
        if found is None:
            raise DataError("no features of these rows", "those of the last layer", "Ask the model for its answers")
        return found

    return features


def _by_bytes(subject: Subject) -> Callable[[Tensor], Tensor]:
    def ask(x: Tensor) -> Tensor:
        images = np.rint(np.moveaxis(x.detach().numpy(), 1, -1) * 255).astype(np.uint8)
        empty = np.zeros((len(images), 0))
        rows = Rows(empty, empty.astype(np.int32), images)
        return torch.from_numpy(log_scores(subject.predict(rows)))

    return ask
