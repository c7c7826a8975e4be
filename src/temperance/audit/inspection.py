"""Run the checks, time each, and say by name what was left out and why."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from temperance.audit import (  # noqa: F401  (importing a check registers it)
    backdoors,
    conflicts,
    contamination,
    duplicates,
    forward_split,
    group_leak,
    grouping,
    identifiers,
    image_duplicates,
    imbalance,
    labels,
    leaks,
    missingness,
    personal_data,
    preprocessing,
    row_order,
    shift,
    text_duplicates,
    values,
)
from temperance.audit.base import CHECKS, Check
from temperance.audit.context import Context
from temperance.data.blocks import Blocks, fit_blocks
from temperance.records.errors import DataError, SettingError
from temperance.records.finding import Finding
from temperance.records.roles import Roles
from temperance.records.schema import Schema
from temperance.records.table import Table

__all__ = ["CHECKS", "inspect", "pace"]
MARGIN = 1.2  # estimates are medians; this keeps most runs inside the budget
REFERENCE_SECONDS = 0.0045  # what ``_piece_of_work`` took on the machine on which the estimates were measured


def inspect(
    table: Table,
    roles: Roles,
    *,
    test: Table | None = None,
    against: Table | None = None,
    answers: Mapping[int, bool] | None = None,
    seed: int = 0,
    budget_seconds: float | None = None,
    checks: Iterable[str | Check] | None = None,
) -> list[Finding]:
    """Run the audit.

    Without a budget every check runs on its largest sample and the result depends on the seed alone. With a budget the
    checks run in order of rank, each on the largest sample that leaves time for the smallest sample of the later ones;
    what does not fit is reported as ``not_tested``.

    Args:
        table: the data.
        roles: which row plays which part.
        test: the table of ``--test``; ``roles.test`` then indexes it.
        against: rows of another file that are compared with these, read by the same schema.
        answers: row → whether its label is wrong, as the owner judged it (``review.read_answers``).
        seed: seed of samples, folds and planted faults.
        budget_seconds: wall-clock limit for the whole audit, or None.
        checks: names or instances; default: every registered check.

    Returns:
        Findings in the order of the checks, at least one per check, each with ``cost_seconds``.

    Raises:
        SettingError: for an unknown check or a budget that is not above 0.
        DataError: for a table without rows, or another file with other columns.

    """
    if budget_seconds is not None and not budget_seconds > 0:
        raise SettingError(f"budget_seconds = {budget_seconds!r}", "a number above 0, or None", "Leave it out")
    if not len(table):
        raise DataError("the table has no rows", "at least one row", "Check the file and the target column")
    if against is not None and [c.name for c in against.schema.columns] != [c.name for c in table.schema.columns]:
        raise DataError("the other file has other columns", "those of the data", "Read it with schema=table.schema")
    started = time.perf_counter()
    context = replace(_context(table, roles, test, against, seed), answers=answers or {})
    chosen = _chosen(checks)
    if budget_seconds is None:
        return [f for check in chosen for f in _timed(check, context, _largest(check))]
    scale = MARGIN * pace()
    found: list[Finding] = []
    for place, check in enumerate(chosen):
        if _smallest_estimate(check, context) > 0.3:  # other programs come and go: look again before each long check
            scale = MARGIN * pace()
        left = budget_seconds - (time.perf_counter() - started)
        later = sum(_smallest_estimate(other, context) for other in chosen[place + 1 :])
        found += _within(check, context, left, later, scale)
    return found


def _context(table: Table, roles: Roles, test: Table | None, against: Table | None, seed: int) -> Context:
    """Return the data with texts and series as numbers, as models see them: fitted on the rows for development."""
    if not (table.schema.text or table.schema.series):
        return Context(table, roles, test, seed, against=against)
    blocks = Blocks(fit_blocks(table.rows.take(roles.development), table.schema), table.schema)
    schema = _with_sources(blocks)
    made = [None if one is None else replace(one, schema=schema, rows=blocks.rows(one.rows)) for one in (table, test)]
    return Context(made[0] or table, roles, made[1], seed, raw=table, raw_test=test, against=against)


def _with_sources(blocks: Blocks) -> Schema:
    """Return the widened schema whose numbers know the column of the file that they come from."""
    sources = {
        name: next((one for one in block.sources if name.startswith(f"{one}:")), block.sources[0])
        for block in blocks.blocks
        for name in block.names
    }
    wide = blocks.widened
    return replace(wide, columns=tuple(replace(c, source=sources.get(c.name, c.source)) for c in wide.columns))


def pace() -> float:
    """Return how much slower this machine is just now than the one on which the estimates were measured (≥ 1)."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        _piece_of_work()
        times.append(time.perf_counter() - start)
    return max(1.0, sorted(times)[1] / REFERENCE_SECONDS)


def _piece_of_work() -> None:
    from sklearn.tree import DecisionTreeClassifier

    X = np.random.default_rng(0).standard_normal((2000, 4))
    DecisionTreeClassifier(max_leaf_nodes=32, random_state=0).fit(X, X[:, 0] + X[:, 1] > 0)
    np.sort(X.ravel().repeat(8))


def _chosen(checks: Iterable[str | Check] | None) -> list[Check]:
    wanted: Iterable[str | Check] = list(CHECKS) if checks is None else checks
    built = [CHECKS[check]() if isinstance(check, str) else check for check in wanted]
    return sorted(built, key=lambda check: check.rank)


def _largest(check: Check) -> int | None:
    return check.sizes[0]


def _rows(context: Context, size: int | None) -> int:
    count = len(context.development)
    return count if size is None else min(size, count)


def _smallest_estimate(check: Check, context: Context) -> float:
    if check.obstacle(context):
        return 0.0
    return check.estimate(context, _rows(context, check.sizes[-1]))


def _within(check: Check, context: Context, left: float, later: float, scale: float) -> list[Finding]:
    """Run ``check`` on the largest sample that fits, or report that none does."""
    if check.obstacle(context):
        return _timed(check, context, None)
    needs = [(size, scale * check.estimate(context, _rows(context, size))) for size in check.sizes]
    roomy = [size for size, seconds in needs if seconds <= left - scale * later]
    if roomy:
        return _timed(check, context, roomy[0])
    if needs[-1][1] <= left:
        return _timed(check, context, check.sizes[-1])
    reason = f"its time was up. It needs about {needs[-1][1]:.1f} s, and {max(left, 0.0):.1f} s were left."
    action = ("Run `temperance audit` on the file: it has no time limit.",)
    return [check.not_tested(reason, action=action)]


def _timed(check: Check, context: Context, size: int | None) -> list[Finding]:
    start = time.perf_counter()
    reason = check.obstacle(context)
    result = check.not_tested(reason) if reason else check.inspect(context.sized(size))
    findings = [result] if isinstance(result, Finding) else list(result)
    seconds = (time.perf_counter() - start) / max(len(findings), 1)
    return [replace(finding, cost_seconds=round(seconds, 4)) for finding in findings]
