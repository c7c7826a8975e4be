"""Confident learning: which labels a model's out-of-fold probabilities speak against."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def confident_joint(labels: Ints, p: Floats) -> Floats:
    """Return (c, c) estimated counts of (given label, likely label); rows sum to the counts of the given labels.

    A row is counted under the likeliest class among those whose probability reaches the class threshold
    t_k = mean of p[:, k] over rows labelled k.

    Args:
        labels: (b,) given class codes.
        p: (b, c) out-of-fold probabilities.

    """
    classes = p.shape[1]
    counts = np.bincount(labels, minlength=classes)
    own = p[np.arange(len(p)), labels]
    limits = np.bincount(labels, weights=own, minlength=classes) / np.maximum(counts, 1)
    above = (p >= limits - 1e-6) & (counts > 0)
    sure = above.any(axis=1)
    likely = np.where(above, p, -1.0).argmax(axis=1)
    joint = np.zeros((classes, classes))
    np.add.at(joint, (labels[sure], likely[sure]), 1.0)
    joint[np.arange(classes), np.arange(classes)] = np.maximum(joint.diagonal(), 1.0)
    scaled: Floats = joint / joint.sum(axis=1, keepdims=True) * counts[:, None]
    return scaled


def prune_by_noise_rate(labels: Ints, p: Floats) -> NDArray[np.bool_]:
    """Return (b,) True for suspicious labels (Northcutt, Jiang and Chuang, 2021, "prune by noise rate").

    For each pair (given s, likely y ≠ s) the joint's count of rows labelled s with the largest p[:, y] − p[:, s] is
    flagged, where the model's own choice is not s.
    """
    joint = np.round(confident_joint(labels, p)).astype(np.int64)
    choice = p.argmax(axis=1)
    flagged = np.zeros(len(labels), dtype=bool)
    for given in range(p.shape[1]):
        rows = np.flatnonzero(labels == given)
        for likely in range(p.shape[1]):
            count = int(joint[given, likely])
            if likely == given or count == 0 or not len(rows):
                continue
            margin = p[rows, likely] - p[rows, given]
            flagged[rows[np.argsort(-margin, kind="stable")[:count]]] = True
    doubtful: NDArray[np.bool_] = flagged & (choice != labels)
    return doubtful


def doubt(labels: Ints, p: Floats) -> Floats:
    """Return (b,) the normalised margin, −1 to 1: largest probability of another class − that of the given one."""
    own = p[np.arange(len(p)), labels]
    others = p.copy()
    others[np.arange(len(p)), labels] = -1.0
    out: Floats = others.max(axis=1) - own
    return out
