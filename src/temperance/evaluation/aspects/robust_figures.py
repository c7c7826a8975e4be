"""What attacks on pictures and on tables share: how much is spent, names of figures, budgets, intervals, doubts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.aspects.base import Case
from temperance.evaluation.base import clustered_wilson
from temperance.evaluation.refusing import FOREIGN, Refusing
from temperance.records.errors import SettingError, nearest
from temperance.records.measurement import Measurement
from temperance.records.schema import Rows


class Plan(NamedTuple):
    """What a suite spends: rows attacked, rows probed for hidden slopes, problems set, rows certified, queries."""

    rows: int
    probed: int
    problems: int
    certified: int
    queries: int
    norms: tuple[str, ...]


PLANS: dict[str, Plan] = {
    "quick": Plan(150, 100, 0, 0, 100, ("Linf",)),
    "standard": Plan(500, 200, 40, 0, 300, ("Linf", "L2")),
    "publish": Plan(1000, 200, 100, 100, 1000, ("Linf", "L2")),
}
SETTINGS = ("budgets", "rules", "costs", "synonyms")
UPPER = "an upper bound of robustness: no wrong answer was found by these attacks"
PREFIXES = {"Linf": "robust@", "L2": "robust_l2@", "columns": "robust_columns@", "words": "robust_words@"}


def own(case: Case) -> Mapping[str, Any]:
    """Return the settings of the aspect.

    Raises:
        SettingError: a key that is not known.

    """
    found: Mapping[str, Any] = case.settings.get("adversarial", {})
    for key in found:
        if key not in SETTINGS:
            raise SettingError(
                f"a setting {key!r} of attacks", f"known are {', '.join(SETTINGS)}", nearest(key, SETTINGS)
            )
    return found


def answers(case: Case) -> Callable[[Rows], NDArray[Any]]:
    """Return what answers altered rows: a model from outside may fail on some, which then have no answer."""
    subject = case.subject
    return Refusing(subject.predictor).predict if subject.kind in FOREIGN else subject.predict


def chosen_rows(case: Case, plan: Plan) -> NDArray[np.int64]:
    """Return the numbers of the rows to attack, a random part where there are more, (n,)."""
    generator = np.random.default_rng([case.seed, 0xADE])
    count = min(plan.rows, len(case.index))
    found: NDArray[np.int64] = case.index[np.sort(generator.choice(len(case.index), size=count, replace=False))]
    return found


def budgets(case: Case, norm: str, usual: tuple[float, ...]) -> tuple[float, ...]:
    """Return the budgets of a norm: the usual ones or those of the settings, and those that are required.

    Raises:
        SettingError: one that is not above 0.

    """
    given = own(case).get("budgets")
    chosen = set(map(float, given)) if given and norm == "Linf" else set(usual)
    prefix = PREFIXES[norm]
    for name in case.required:
        if name.startswith(prefix):
            try:
                chosen.add(float(name.removeprefix(prefix)))
            except ValueError as error:
                raise SettingError(f"a figure {name!r}", f"{prefix} and a number", f"Write {prefix}0.1, say") from error
    if any(not 0 < eps < float("inf") for eps in chosen):
        raise SettingError(f"budgets {sorted(chosen)}", "numbers above 0", "Leave out 0: it is the plain accuracy")
    return tuple(sorted(chosen))


def share(
    case: Case, index: NDArray[np.int64], name: str, kept: NDArray[Any], *, how: str, flags: tuple[str, ...] = ()
) -> Measurement:
    """Return a share of rows with its Wilson interval; rows of one group count together.

    Shapes: index and kept (n,).
    """
    groups = None if case.table.group is None else case.table.group[index]
    low, high = clustered_wilson(kept.astype(np.float64), groups)
    return Measurement(name, float(kept.mean()), low, high, len(kept), convention=how, flags=flags)


def doubts(signs: dict[str, Any] | None, active: dict[str, Any] | None) -> tuple[str, ...]:
    """Return why the figures are not trustworthy, empty where nothing speaks against them."""
    found = []
    if signs is not None and not signs["trustworthy"]:
        shown = [sign["words"] for sign in signs["signs"] if sign["shows"] and sign["hard"]]
        found.append("not trustworthy: " + "; ".join(shown))
    if active is not None and active["passed"] is False:
        found.append(
            f"not trustworthy: the attack solved {active['solved']} of {active['tried']} problems that have a solution"
        )
    return tuple(found)
