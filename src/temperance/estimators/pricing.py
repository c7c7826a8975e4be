"""From the costs that a user of the classifier states to prices of the table's classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.records.decision import ANY, Costs, Price, named, parse_costs
from temperance.records.errors import SettingError


def prices_of(costs: Any, labels: NDArray[Any], names: tuple[str, ...]) -> tuple[Price, ...]:
    """Return what mistakes cost, by the names that the table has for the classes.

    Args:
        costs: None, ``"yes->no=10"``, ``{("yes", "no"): 10}`` (true, answered), or a matrix (c, c) in the order of
            ``labels``. Mistakes that a text or a mapping does not name cost 1, right answers 0.
        labels: (c,) the user's classes.
        names: the table's names of the same classes, in the same order.

    Raises:
        SettingError: a wrong shape, an unknown class, or costs that make no sense.

    """
    if costs is None:
        return ()
    if isinstance(costs, str):
        known = [str(label) for label in labels.tolist()]
        costs = {named(one.truth, one.answer, known): one.cost for one in parse_costs(costs)}
    if isinstance(costs, Mapping):
        if any(not isinstance(pair, tuple) or len(pair) != 2 for pair in costs):
            raise SettingError("costs with keys that are no pairs", "(true, answered)", 'Write {("yes", "no"): 10}')
        told = [(_name(a, labels, names), _name(b, labels, names), cost) for (a, b), cost in costs.items()]
        return Costs.of(told, names).prices
    return Costs(names, tuple(tuple(map(float, row)) for row in np.asarray(costs, dtype=np.float64))).prices


def _name(label: Any, labels: NDArray[Any], names: tuple[str, ...]) -> str:
    for known, name in zip(labels.tolist(), names, strict=True):
        if label == known or str(label) == str(known):
            return name
    if label == ANY:
        return ANY
    raise SettingError(
        f"costs for the class {label!r}", f"the classes are {', '.join(map(str, labels[:8].tolist()))}",
        "Name classes as they stand in y",
    )  # fmt: skip
