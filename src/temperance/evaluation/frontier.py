"""Which models nothing else clearly beats, when several goals count: one leaves only where another is shown better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.records.errors import DataError
from temperance.records.statistics import holm, paired


@dataclass(frozen=True)
class Beaten:
    """A model that leaves the frontier.

    Attributes:
        name: the model.
        by: which other one beats it.
        goal: where that is shown.
        p: corrected for all pairs and goals (Holm).

    """

    name: str
    by: str
    goal: str
    p: float

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {"name": self.name, "by": self.by, "goal": self.goal, "p": self.p}


def nondominated(
    losses: Mapping[str, Mapping[str, NDArray[Any]]],
    *,
    costs: Mapping[str, Mapping[str, float]] | None = None,
    groups: NDArray[Any] | None = None,
    alpha: float = 0.05,
    seed: int = 0,
) -> tuple[tuple[str, ...], tuple[Beaten, ...]]:
    """Return the models that stay, and those that leave with who beats them.

    A model leaves where another has no goal with a larger mean, and is better by one: shown at the corrected level for
    goals that are measured on rows, or smaller at all for goals that are exact numbers. All rows are the same, in the
    same order.

    Args:
        losses: by model, by goal: (b,) losses, lower is better.
        costs: by model, by goal: exact numbers, lower is better (bytes, milliseconds).
        groups: (b,) labels of rows that belong together.
        alpha: chance that any model leaves that should not.
        seed: of tests that draw.

    Raises:
        DataError: models with different goals.

    """
    names = list(losses)
    goals = list(losses[names[0]]) if names else []
    exact = {name: dict((costs or {}).get(name, {})) for name in names}
    if any(set(losses[n]) != set(goals) or set(exact[n]) != set(exact[names[0]]) for n in names):
        raise DataError("models with different goals", "the same goals for every model", "Measure all of them alike")
    pairs = [(a, b) for a in names for b in names if a != b and _no_worse(losses[b], exact[b], losses[a], exact[a])]
    tests = [(a, b, goal, _p(losses[b][goal], losses[a][goal], groups, seed)) for a, b in pairs for goal in goals]
    out: dict[str, Beaten] = {}
    for (a, b, goal, _), p in zip(tests, holm([one[3] for one in tests]), strict=True):
        if p <= alpha and (a not in out or p < out[a].p):
            out[a] = Beaten(a, b, goal, p)
    for a, b in pairs:
        cheaper = [goal for goal, value in exact[b].items() if value < exact[a][goal]]
        if cheaper and a not in out and not goals:
            out[a] = Beaten(a, b, cheaper[0], 0.0)
    return tuple(name for name in names if name not in out), tuple(out[name] for name in names if name in out)


def _no_worse(
    first: Mapping[str, NDArray[Any]], own: Mapping[str, float], second: Mapping[str, NDArray[Any]],
    other: Mapping[str, float],
) -> bool:  # fmt: skip
    means: Sequence[bool] = [bool(np.mean(first[goal]) <= np.mean(second[goal])) for goal in first]
    return all(means) and all(own[goal] <= other[goal] for goal in own)


def _p(better: NDArray[Any], worse: NDArray[Any], groups: NDArray[Any] | None, seed: int) -> float:
    """Return the p value of "no difference" where the first has the smaller mean, else 1."""
    found = paired(better, worse, groups=groups, seed=seed)
    return found.p if found.difference < 0 else 1.0
