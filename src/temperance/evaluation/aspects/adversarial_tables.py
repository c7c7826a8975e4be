"""Attacks on tables within the rules of their columns: only rows that could exist count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from temperance.evaluation.adversarial.active import active_test
from temperance.evaluation.adversarial.ball import Linf
from temperance.evaluation.adversarial.losses import margin
from temperance.evaluation.adversarial.masking import masking
from temperance.evaluation.adversarial.views import log_scores, table
from temperance.evaluation.aspects.base import Case, Differentiable, Inputs, Reading
from temperance.evaluation.aspects.robust_figures import PREFIXES, UPPER, Plan, answers, budgets, doubts, own, share
from temperance.evaluation.base import Array
from temperance.evaluation.schema.constrained import Constrained, attack
from temperance.evaluation.schema.propose import propose
from temperance.evaluation.schema.rules import Rules
from temperance.evaluation.schema.space import Budget, Space
from temperance.records.errors import SettingError
from temperance.records.measurement import Measurement
from temperance.records.schema import Rows, Schema

USUAL = (0.05, 0.1, 0.25, 0.5, 1.0)
COLUMNS = {"quick": (1.0,), "standard": (1.0, 2.0), "publish": (1.0, 2.0, 3.0)}
PROBED = 0.1  # budget at which hidden slopes are looked for
_SHOWN, _LISTED = 3, 4  # rows that are shown, and changes that a sentence lists


def measure(case: Case, index: NDArray[np.int64], plan: Plan) -> Reading:
    """Attack the rows of ``index``.

    Shapes: index (n,).

    Raises:
        SettingError: rules that do not fit the columns, are none, or are broken by every row.

    """
    rules, whose = _rules(case)
    space = Space(rules, case.table.schema)
    left: list[tuple[str, str]] = []
    index = _sound(case, index, space, left)
    rows, y = case.table.rows.take(index), np.asarray(case.table.target[index], dtype=np.int64)
    found = _attacked(case, rows, y, space, left)
    details, more = _trust(case, rows, y, space, plan)
    flags = doubts(details.get("masking"), details.get("active"))
    by_class = {name: _by_class(case, y, one) for name, one in found.items()}
    figures = _figures(case, index, found, flags)
    details |= {
        "rules": {"from": whose, "columns": {name: vars(rule) for name, rule in space.rules.columns.items()}},
        "attacks": {name: one.to_dict() for name, one in found.items()},
        "by_class": by_class,
        "broken_rows": _shown(case, index, rows, y, found),
    }
    examples = {name: one.survived.astype(np.int8) for name, one in found.items()}
    return Reading(
        "", tuple(figures), _told(found, whose, details), details, examples, index,
        (*left, *more), flags, case.seed,
    )  # fmt: skip


def _rules(case: Case) -> tuple[Rules, str]:
    given = own(case).get("rules")
    if given is None:
        return propose(case.table), "proposed from the data: which columns nobody can change was not said"
    if not isinstance(given, Rules):
        raise SettingError(
            f"rules of columns as {type(given).__name__}", "Rules, or a file of them", "Read the file first"
        )
    return given, "the owner"


def _sound(case: Case, index: NDArray[np.int64], space: Space, left: list[tuple[str, str]]) -> NDArray[np.int64]:
    """Return the rows that keep the rules themselves: the others cannot be attacked, nor count as robust."""
    fine = space.sound(case.table.rows.take(index))
    if not fine.any():
        faults = {
            name: int(mask.sum()) for name, mask in space.faults(case.table.rows.take(index)).items() if mask.any()
        }
        raise SettingError(
            f"rules that none of {len(index)} rows keeps ({faults})", "rules that hold in the data", "Correct the file"
        )
    if not fine.all():
        left.append((f"{int((~fine).sum())} of {len(index)} rows", "they break the rules of the columns as they are"))
    return index[fine]


def _attacked(
    case: Case, rows: Rows, y: NDArray[np.int64], space: Space, left: list[tuple[str, str]]
) -> dict[str, Constrained]:
    """Run every budget; what breaks a row within less breaks it within more of the same kind."""
    kinds: list[tuple[str, Sequence[float], Callable[[float], Budget]]] = []
    if len(space.movable):
        usual = budgets(case, "Linf", USUAL)
        kinds.append((PREFIXES["Linf"], usual, lambda eps: Budget(scales=eps, categories=False)))
    kinds.append((PREFIXES["columns"], budgets(case, "columns", COLUMNS[case.tier]), lambda k: Budget(columns=int(k))))
    if costs := own(case).get("costs"):
        kinds.append(("robust_cost@", sorted(map(float, costs)), lambda cost: Budget(cost=cost)))
    network = case.subject.network
    ask = _asker(case, network)
    slope = None if network is None else _sloper(network)
    found: dict[str, Constrained] = {}
    for prefix, chosen, make in kinds:
        before: Constrained | None = None
        for size in chosen:
            name = f"{prefix}{size:g}"
            if found and case.seconds_left == 0:
                left.append((name, "no time left"))
                continue
            at = np.arange(len(y)) if before is None else np.flatnonzero(before.survived)
            if before is not None and not len(at):
                found[name] = _like(before, make(size))
                continue
            one = attack(ask, rows.take(at), y[at], space, make(size), tier=case.tier, seed=case.seed, slope=slope)
            before = one if before is None else _joined(before, one, at)
            found[name] = before
    return found


def _asker(case: Case, network: Differentiable | None) -> Callable[[Rows], Array]:
    """Return what answers: the network where there is one, since its scores do not saturate, else log p."""
    if network is None:
        said = answers(case)
        return lambda rows: log_scores(said(rows))

    def ask(rows: Rows) -> Array:
        with torch.no_grad():
            scores: Array = network.scores(_tensors(rows)).double().numpy()
        return scores

    return ask


def _sloper(network: Differentiable) -> Callable[[Rows, NDArray[np.int64]], Array]:
    def slope(rows: Rows, y: NDArray[np.int64]) -> Array:
        inputs = _tensors(rows)
        numeric = inputs.numeric.requires_grad_()
        with torch.enable_grad():
            total = margin(network.scores(inputs._replace(numeric=numeric)), torch.from_numpy(y)).sum()
            (found,) = torch.autograd.grad(total, numeric, allow_unused=True)
        return np.zeros(rows.numeric.shape) if found is None else found.double().numpy()

    return slope


def _tensors(rows: Rows) -> Inputs:
    return Inputs(
        torch.from_numpy(rows.numeric.astype(np.float64)), torch.from_numpy(rows.categorical.astype(np.int64))
    )


def _joined(before: Constrained, one: Constrained, at: NDArray[np.int64]) -> Constrained:
    """Return the result on all rows, where ``one`` attacked the rows ``at`` that ``before`` left."""
    numeric, codes = before.rows.numeric.copy(), before.rows.categorical.copy()
    numeric[at], codes[at] = one.rows.numeric, one.rows.categorical
    survived, chance = before.survived.copy(), before.by_chance.copy()
    changed, cost = before.changed.copy(), before.cost.copy()
    survived[at], changed[at], cost[at] = one.survived, one.changed, one.cost
    chance[at] &= one.by_chance
    return Constrained(
        one.budget, before.right, before.attacked, survived, before.rows._replace(numeric=numeric, categorical=codes),
        chance, changed, cost, before.asked + one.asked, before.seconds + one.seconds,
        tuple(dict.fromkeys((*before.notes, *one.notes))),
    )  # fmt: skip


def _like(before: Constrained, budget: Budget) -> Constrained:
    return Constrained(
        budget, before.right, before.attacked, before.survived, before.rows, before.by_chance, before.changed,
        before.cost, before.asked, before.seconds, before.notes,
    )  # fmt: skip


def _figures(
    case: Case, index: NDArray[np.int64], found: dict[str, Constrained], flags: tuple[str, ...]
) -> list[Measurement]:
    first = next(iter(found.values()))
    figures = [share(case, index, "robust@0", first.right, how="the same rows, nothing changed; Wilson interval")]
    for name, one in found.items():
        how = (
            f"{UPPER}; {one.budget.words}; only rows within the rules of the columns count; "
            f"random valid changes leave {100 * float(one.by_chance.mean()):.1f} %; Wilson interval"
        )
        notes = (*flags, *one.notes)
        figures.append(share(case, index, name, one.survived, how=how, flags=notes))
    return figures


def _trust(
    case: Case, rows: Rows, y: NDArray[np.int64], space: Space, plan: Plan
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Look for signs of hidden slopes along the numbers, categories as they are."""
    what = "signs of hidden slopes"
    if not len(space.movable):
        return {}, [(what, "no number may change")]
    if case.seconds_left == 0:
        return {}, [(what, "no time left")]
    some = slice(0, plan.probed)
    view = table(case.subject, rows.take(some), space)
    known = torch.from_numpy(y[some])
    queries = plan.queries if view.victim.gradient == "exact" else min(plan.queries, 100)
    if view.victim.gradient != "exact":
        return {}, [(what, "the model gives no slopes of its own; its answers were searched instead")]
    complete = len(space.movable) == rows.numeric.shape[1] and not rows.categorical.shape[1]
    ball = Linf(PROBED)
    found = masking(view.victim, view.points, known, ball, queries=queries, seed=case.seed, complete=complete)
    details = {"masking": found.to_dict()}
    not_done = [
        (f"sign of hidden slopes: {sign['name']}", sign["why_not"])
        for sign in details["masking"]["signs"] if sign["why_not"]
    ]  # fmt: skip
    if plan.problems and view.features is not None:
        points = view.points[: plan.problems]
        details["active"] = active_test(view.victim, view.features, points, Linf(PROBED), seed=case.seed).to_dict()
    return details, not_done


def _by_class(case: Case, y: NDArray[np.int64], one: Constrained) -> dict[str, dict[str, int]]:
    return {
        name: {
            "n": int((y == k).sum()),
            "right": int(one.right[y == k].sum()),
            "survived": int(one.survived[y == k].sum()),
        }
        for k, name in enumerate(case.table.schema.target.classes)
    }


def _shown(
    case: Case, index: NDArray[np.int64], rows: Rows, y: NDArray[np.int64], found: dict[str, Constrained]
) -> list[dict[str, Any]]:
    """Return the rows that broke with the fewest, then the cheapest changes, with what changed."""
    order = sorted(
        (int(one.changed[i]), float(one.cost[i]), name, int(i))
        for name, one in found.items()
        for i in np.flatnonzero(one.right & ~one.survived)
    )
    shown: list[dict[str, Any]] = []
    classes = case.table.schema.target.classes
    for _, _, name, i in order:
        if len(shown) == _SHOWN:
            break
        if any(row["row"] == int(index[i]) for row in shown):
            continue
        after = answers(case)(found[name].rows.take(np.array([i])))[0]
        shown.append(
            {
                "row": int(index[i]), "within": name, "truth": classes[y[i]],
                "answer": classes[int(np.argmax(after))] if np.isfinite(after).all() else "no answer",
                "changes": _changes(case.table.schema, rows.take([i]), found[name].rows.take([i])),
            }
        )  # fmt: skip
    return shown


def _changes(schema: Schema, before: Rows, after: Rows) -> dict[str, list[Any]]:
    """Return old and new value of each column that differs, of one row."""
    changes: dict[str, list[Any]] = {}
    for j, column in enumerate(schema.numeric):
        old, new = float(before.numeric[0, j]), float(after.numeric[0, j])
        if old != new and not (np.isnan(old) and np.isnan(new)):
            changes[column.name] = [old, new]
    words = [schema.decode(one.categorical)[0] for one in (before, after)]
    for j, column in enumerate(schema.categorical):
        if words[0][j] != words[1][j]:
            changes[column.name] = [str(words[0][j]), str(words[1][j])]
    return changes


def _told(found: dict[str, Constrained], whose: str, details: dict[str, Any]) -> tuple[str, ...]:
    first = next(iter(found.values()))
    told = [f"Of {len(first.right)} rows {int(first.right.sum())} are answered rightly as they are."]
    for name in ("robust@0.1", "robust_columns@1"):
        if name in found:
            one = found[name]
            told.append(
                f"With {one.budget.words}, {int(one.survived.sum())} stay right under the attacks tried "
                f"({int(one.by_chance.sum())} under random changes); only rows that could exist were counted."
            )
    if shown := details["broken_rows"]:
        row = shown[0]
        changes = [f"{key} from {_plain(old)} to {_plain(new)}" for key, (old, new) in row["changes"].items()]
        what = ", ".join(changes[:_LISTED]) + (f" and {len(changes) - _LISTED} more" if len(changes) > _LISTED else "")
        told.append(f"Row {row['row']}: changing {what} turns {row['truth']!r} into {row['answer']!r}.")
    if whose != "the owner":
        told.append(
            "Rules of the columns were proposed from the data; say which columns nobody can change, and ask again."
        )
    return tuple(told)


def _plain(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else repr(value)
