"""What an attack makes large: each is 0 or more exactly where the answer is wrong (the cross-entropy aside).

Scores z (b, c), classes y (b,) → (b,). Differences of scores are used wherever a logarithm would saturate: at scores in
the thousands the cross-entropy of a sure answer is 0 in floating point, and so is its slope.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

_TINY = 1e-12
SURE = 10.0  # gap of the two largest scores above which the cross-entropy is asked on a smaller scale


def margin(scores: Tensor, y: Tensor) -> Tensor:
    """Return max over j ≠ y of z_j − z_y: works for two classes and for any scale of scores.

    Shapes: (b, c), (b,) → (b,).
    """
    own = scores.gather(1, y[:, None])[:, 0]
    others = scores.scatter(1, y[:, None], -torch.inf).amax(dim=1)
    return others - own


def targeted_margin(scores: Tensor, y: Tensor, target: Tensor) -> Tensor:
    """Return z_t − z_y.

    Shapes: (b, c), (b,), (b,) → (b,).
    """
    return (scores.gather(1, target[:, None]) - scores.gather(1, y[:, None]))[:, 0]


def difference_ratio(scores: Tensor, y: Tensor) -> Tensor:
    """Return the difference of logits ratio (Croce and Hein 2020, arXiv:2003.01690, equation 6).

        (max over j ≠ y of z_j − z_y) / (z_π1 − z_π3),  π: classes by falling score

    No scale and no shift of the scores changes it. With two classes there is no third score: the plain margin.
    Shapes: (b, c), (b,) → (b,).
    """
    if scores.shape[1] < 3:
        return margin(scores, y)
    best = scores.topk(3, dim=1).values
    return margin(scores, y) / (best[:, 0] - best[:, 2]).clamp(min=_TINY)


def targeted_ratio(scores: Tensor, y: Tensor, target: Tensor) -> Tensor:
    """Return the targeted difference of logits ratio (as above, equation 7).

        (z_t − z_y) / (z_π1 − (z_π3 + z_π4) / 2)

    With three classes the denominator is z_π1 − z_π3, with two the plain difference is returned.
    Shapes: (b, c), (b,), (b,) → (b,).
    """
    count = scores.shape[1]
    if count < 3:
        return targeted_margin(scores, y, target)
    best = scores.topk(min(count, 4), dim=1).values
    below = best[:, 2:].mean(dim=1)
    return targeted_margin(scores, y, target) / (best[:, 0] - below).clamp(min=_TINY)


def cross_entropy(scores: Tensor, y: Tensor) -> Tensor:
    """Return −log softmax(z)_y.

    Shapes: (b, c), (b,) → (b,).
    """
    return functional.cross_entropy(scores, y, reduction="none")


class ScaledEntropy:
    """The cross-entropy of scores brought to a scale on which it has a slope.

        −log softmax(z · s)_y,  s = min(1, 10 / median gap of the two largest scores of the clean rows)

    Args:
        scores: of the clean rows, (b, c).

    """

    def __init__(self, scores: Tensor) -> None:
        best = scores.topk(2, dim=1).values
        gap = float((best[:, 0] - best[:, 1]).median()) if len(scores) else 0.0
        self.scale = min(1.0, SURE / gap) if gap > 0 else 1.0

    def __call__(self, scores: Tensor, y: Tensor) -> Tensor:
        """Return the scaled cross-entropy: (b, c), (b,) → (b,)."""
        return cross_entropy(scores * self.scale, y)


def by_pair(loss: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """Return a targeted loss that takes true classes and classes to reach side by side.

    Shapes: (b, c), (b, 2) → (b,).
    """
    return lambda scores, pair: loss(scores, pair[:, 0], pair[:, 1])
