"""The smallest change that turns rows into each class: a planted trigger makes it unusually small for one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.audit.triggers import LEAST, RARE, Ints, Matrix, Trigger

STEPS = 150
RATE = 0.1
ENOUGH = 0.95  # share of rows that a change must turn before it is made smaller
SCALED_MAD = 1.4826


@dataclass(frozen=True, eq=False)
class Smallest:
    """The change that turns most rows into each class, for pictures with values 0 to 1.

    Attributes:
        mask: (c, f) how much of each place is replaced, 0 to 1.
        pattern: (c, f) what stands there instead.
        size: (c,) Σ mask.

    """

    mask: Matrix
    pattern: Matrix
    size: NDArray[np.float64]

    @property
    def ratio(self) -> float:
        """Median size over the smallest one: about 1 to 2 without a trigger."""
        return float(np.median(self.size) / max(self.size.min(), 1e-9))

    @property
    def index(self) -> NDArray[np.float64]:
        """How many scaled median absolute deviations each size is below the median (Neural Cleanse's anomaly index)."""
        middle = float(np.median(self.size))
        spread = SCALED_MAD * float(np.median(np.abs(self.size - middle)))
        out: NDArray[np.float64] = (middle - self.size) / max(spread, 1e-9)
        return out


def smallest(weights: list[NDArray[Any]], biases: list[NDArray[Any]], rows: Matrix, *, seed: int) -> Smallest:
    """Search the smallest change for every class at once (Wang et al., 2019, IEEE S&P, section 4).

    mask m and pattern p minimise cross-entropy(net((1 − m) x + m p), class) + λ Σ m, by Adam. λ grows while 95 % of the
    rows are turned, and shrinks otherwise.

    Args:
        weights: of a net of dense layers with ReLU between them, (in, out) each.
        biases: of the same layers.
        rows: (b, f) values 0 to 1.
        seed: of the first mask.

    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    layers = [
        (torch.tensor(w, dtype=torch.float32), torch.tensor(b, dtype=torch.float32))
        for w, b in zip(weights, biases, strict=True)
    ]
    x = torch.tensor(rows, dtype=torch.float32)
    classes, f = layers[-1][0].shape[1], x.shape[1]
    a = (torch.rand(classes, f, generator=generator) - 2.0).requires_grad_()
    q = (torch.rand(classes, f, generator=generator) - 0.5).requires_grad_()
    goal = torch.arange(classes).repeat_interleave(len(x))
    price = torch.full((classes,), 1e-3)
    optimizer = torch.optim.Adam([a, q], lr=RATE)
    for _ in range(STEPS):
        mask, pattern = torch.sigmoid(a), torch.sigmoid(q)
        z = ((1 - mask[:, None]) * x[None] + mask[:, None] * pattern[:, None]).reshape(-1, f)
        for i, (w, b) in enumerate(layers):
            z = z @ w + b
            z = z.relu() if i < len(layers) - 1 else z
        turned = (z.argmax(1) == goal).float().reshape(classes, -1).mean(1)
        loss = torch.nn.functional.cross_entropy(z, goal) * classes + (price * mask.sum(1)).sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        price = torch.where(turned >= ENOUGH, price * 1.1, price / 1.1).clamp(1e-5, 1.0)
    mask, pattern = torch.sigmoid(a).detach().numpy(), torch.sigmoid(q).detach().numpy()
    return Smallest(mask, pattern, mask.sum(axis=1).astype(np.float64))


def candidate(found: Smallest, X: Matrix, target: Ints, answer: int) -> Trigger | None:
    """Return the pattern as rows of the class show it: five or more, rare, and hardly any of another class.

    Args:
        found: the smallest changes.
        X: (b, f) values 0 to 1.
        target: (b,) codes.
        answer: the class.

    """
    order = np.argsort(-found.mask[answer], kind="stable")
    columns = np.sort(order[: max(1, min(9, int((found.mask[answer] > 0.5).sum())))])
    away = np.abs(X[:, columns] - found.pattern[answer, columns]).mean(axis=1)
    near = np.argsort(away, kind="stable")
    own = target[near] == answer
    counted = np.cumsum(own) / np.arange(1, len(near) + 1)
    pure = np.flatnonzero(counted >= 0.9)
    count = int(pure[-1]) + 1 if len(pure) else 0
    rows = near[:count][own[:count]]
    if not LEAST <= len(rows) <= RARE * len(X):
        return None
    return Trigger(columns, np.median(X[np.ix_(rows, columns)], axis=0).astype(np.float32), answer, np.sort(rows), 0.0)
