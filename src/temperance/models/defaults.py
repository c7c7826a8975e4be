"""Sizes, training settings and starting strengths of the default nets, by rows and task: data, measured.

How they were found, and what they cost and reached: ``docs/decisions/0003-default-net.md``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from temperance.records.schema import Task


class Size(NamedTuple):
    """Members and width of the tabular net."""

    members: int
    width: int


@dataclass(frozen=True)
class Training:
    """How a default net is trained best.

    Attributes:
        lr: largest learning rate of AdamW, for every parameter.
        batch_size: rows per step.
        epochs: passes over the training rows.
        curve: ``flat_cos``: flat for the first half, then half a cosine to 0.
        beta2: memory of AdamW's second moment.
        warmup: share of the training over which the rate rises from 0.
        seconds_per_1000_rows: one epoch over 1,000 rows of about 10 inputs on one core (a first guess of the price).

    """

    lr: float
    batch_size: int
    epochs: int
    curve: str = "flat_cos"
    beta2: float = 0.95
    seconds_per_1000_rows: float = 0.03
    warmup: float = 0.0


class Strengths(NamedTuple):
    """Starting strengths of one default recipe."""

    name: str
    weight_decay: float
    dropout: float


_SIZES: tuple[tuple[int, Size], ...] = ((5_000, Size(16, 64)), (15_000, Size(8, 96)))
_LARGE = Size(4, 128)
_BATCHES: tuple[tuple[int, int], ...] = ((1_000, 64), (4_000, 128))
_CONVOLUTION_EPOCHS: tuple[tuple[int, int], ...] = ((300, 120), (1_000, 60), (4_000, 40), (15_000, 20), (60_000, 6))
_CONVOLUTION_RATES: tuple[tuple[int, float], ...] = ((300, 2e-2), (15_000, 1e-2))
_LEAST_CONVOLUTION_STEPS = 1_600
_IMAGE_EPOCHS: tuple[tuple[int, int], ...] = ((1_000, 25), (4_000, 15), (15_000, 8))
_EPOCHS: tuple[tuple[int, int], ...] = ((1_000, 40), (4_000, 30), (15_000, 20))

RECIPES: tuple[Strengths, ...] = (
    Strengths("light", weight_decay=0.02, dropout=0.0),
    Strengths("medium", weight_decay=0.2, dropout=0.1),
    Strengths("strong", weight_decay=1.0, dropout=0.15),
)
"""For classification, beside the learning rate of ``training_for``."""

_RECIPES_REGRESSION: tuple[Strengths, ...] = (
    Strengths("light", weight_decay=0.0, dropout=0.0),
    Strengths("medium", weight_decay=0.02, dropout=0.05),
    Strengths("strong", weight_decay=0.1, dropout=0.1),
)


def recipes_for(task: Task) -> tuple[Strengths, ...]:
    """Return the light, medium and strong strengths for a task; regression wants about a tenth of the decay."""
    return _RECIPES_REGRESSION if task == "regression" else RECIPES


class Candidate(NamedTuple):
    """One way to train the tabular net that was best on some development set.

    Attributes:
        name: plain words.
        strengths: ``light``, ``medium`` or ``strong`` of ``recipes_for``.
        epochs_share: multiplies the epochs of ``training_for``.
        views: setting of the tabular net.

    """

    name: str
    strengths: str
    epochs_share: float
    views: str


_CANDIDATES: tuple[Candidate, ...] = (
    Candidate("medium", "medium", 1.0, "both"),
    Candidate("strong and short", "strong", 0.4, "both"),
    Candidate("medium and smooth", "medium", 1.0, "smooth"),
    Candidate("light", "light", 1.0, "both"),
    Candidate("light and very short", "light", 0.15, "both"),
)
_CANDIDATES_REGRESSION: tuple[Candidate, ...] = (
    Candidate("light", "light", 1.0, "both"),
    Candidate("light and smooth", "light", 1.0, "smooth"),
    Candidate("light and sharp", "light", 1.0, "sharp"),
    Candidate("medium", "medium", 1.0, "both"),
    Candidate("strong and short", "strong", 0.4, "both"),
)


def candidates_for(task: Task) -> tuple[Candidate, ...]:
    """Return the ways worth trying on a table, the most promising first; their mean is a strong ensemble."""
    return _CANDIDATES_REGRESSION if task == "regression" else _CANDIDATES


def size_for(rows: int) -> Size:
    """Return the size of the tabular net for a count of training rows."""
    return next((size for below, size in _SIZES if rows < below), _LARGE)


def training_for(name: str, task: Task, rows: int) -> Training:
    """Return the training settings of the net ``name`` for a task and a count of training rows.

    ``name``: ``tabular``, ``plain``, ``convnet`` or ``resnet``; another net is trained as ``plain``.
    """
    batch = next((size for below, size in _BATCHES if rows < below), 256)
    epochs = next((count for below, count in _EPOCHS if rows < below), 12)
    if name.lower() == "tabular":
        large = rows >= _SIZES[-1][0]  # few passes: classification gains from a faster rate
        return Training(0.1 if task == "regression" else 0.05 if large else 0.03, batch, epochs)
    if name.lower() == "convnet":
        passes = next((count for below, count in _CONVOLUTION_EPOCHS if rows < below), 3)
        size = 32 if rows < 4_000 else 64  # few rows: more steps are worth more than smoother ones
        if rows < 1_000:  # what does not count is drawn anew each time: that many steps, whatever the rows
            passes = max(passes, math.ceil(_LEAST_CONVOLUTION_STEPS * size / max(rows, 1)))
        lr = next((rate for below, rate in _CONVOLUTION_RATES if rows < below), 5e-3)
        return Training(lr, size, passes, "cosine", beta2=0.99, seconds_per_1000_rows=0.3, warmup=0.1)
    if name.lower() == "resnet":
        passes = next((count for below, count in _IMAGE_EPOCHS if rows < below), 4)
        return Training(1e-2 if rows < 10_000 else 5e-3, 64 if rows < 10_000 else 128, passes, beta2=0.99)
    return Training(1e-3, batch, epochs, beta2=0.999, seconds_per_1000_rows=0.015)
