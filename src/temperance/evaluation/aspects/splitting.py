"""Cut rows in two for an aspect that fits something: on the first half it is fitted, on the second measured."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.aspects.base import Case

LEAST = 60


def halves(case: Case, *, salt: int) -> tuple[NDArray[np.int64], NDArray[np.int64], str]:
    """Return positions within the case's rows: (to fit on, to measure on, how it was cut).

    Rows in time order: the earlier half and the later one. Groups are not cut. Else at random, the same for each seed.
    """
    n = len(case.index)
    if case.table.time is not None:
        order = np.argsort(case.table.time[case.index], kind="stable")
        return order[: n // 2], order[n // 2 :], "the earlier half, measured on the later half"
    generator = np.random.default_rng([case.seed, salt])
    if case.table.group is not None:
        groups = case.table.group[case.index]
        names = generator.permutation(np.unique(groups))
        first = np.isin(groups, names[: max(1, len(names) // 2)])
        return np.flatnonzero(first), np.flatnonzero(~first), "half of the groups, measured on the others"
    order = generator.permutation(n)
    return np.sort(order[: n // 2]), np.sort(order[n // 2 :]), "a random half, measured on the other half"
