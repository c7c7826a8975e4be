"""The beginning of a study: read, split, store."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from temperance.data import Reading, load_roles, read, save_roles, split
from temperance.data.choices import Choices
from temperance.evaluation.metrics.registry import OF_LEVELS, check_goal, default_metric
from temperance.governance.declared import declared
from temperance.monitoring.reference import LEAST
from temperance.records.atomic import write_text
from temperance.records.decision import FORM, Costs
from temperance.records.errors import DataError, SettingError
from temperance.records.plain_json import dumps
from temperance.records.roles import Roles
from temperance.records.schema import Target
from temperance.records.stated_range import check_level, rows_for
from temperance.records.table import Table
from temperance.study.settings import StudySettings
from temperance.study.store import load_table, save_table
from temperance.study.task import require_named


@dataclass(frozen=True, eq=False)
class Prepared:
    """What the search works on.

    Attributes:
        table: development rows, and test rows unless there is a second table.
        roles: which row plays which part.
        test: the table that ``roles.test`` indexes.
        metric: the metric that decides.
        data: the ``data`` block of ``study.json``.
        costs: what mistakes cost the user, or None.
        weigh_test: figures are weighted where rows have weights.

    """

    table: Table
    roles: Roles
    test: Table
    metric: str
    data: dict[str, Any]
    costs: Costs | None = None
    weigh_test: bool = True


def prepare(settings: StudySettings, work: Path) -> Prepared:
    """Read and split the data and write it for the workers; a prepared folder is opened as it is.

    Raises:
        DataError: too few rows are left for a part.
        SettingError: a task of several targets.
        TaskError: ``--task`` names no function.

    """
    if (work / "data.json").exists():
        return reopen(settings, work)
    if settings.user_task:
        require_named(settings.user_task)
    kind = "auto" if ":" in settings.task else settings.task
    reading = read(
        settings.data, target=settings.target, task=kind, group=settings.group, time=settings.time,
        weight=settings.weight, workdir=work / "read", choices=Choices.from_dict(settings.reading),
    )  # fmt: skip
    if reading.beside:
        received = f"task={settings.task!r} for the study of one target"
        raise SettingError(received, "one target", "`temperance study` takes several; in Python: study.several.run")
    table = _with_beside(reading.table, settings.beside)
    costs = costs_of(settings, table.schema.target)
    metric = goal_of(settings, table.schema.target)
    second = None
    if settings.test is not None:
        apart = replace(Choices.from_dict(settings.reading), columns={})
        second = read(
            settings.test, target=settings.target, schema=table.schema, workdir=work / "read_test", choices=apart,
            weight=settings.weight,
        )  # fmt: skip
    banked = not settings.user_task
    roles = split(table, seed=settings.seed, test=None if second is None else second.table, banked=banked)
    if not len(roles.test):
        raise DataError("no rows are left for the test", "at least one labelled test row", "Give more rows")
    check_interval(settings, table.schema.target, kept_rows(table, roles))
    data = store(settings, work, replace(reading, table=table), roles, second, metric)
    return Prepared(table, roles, table if second is None else second.table, metric, data, costs, settings.weigh_test)


def kept_rows(table: Table, roles: Roles) -> int:
    """Return the count of rows that are left to choose by and to watch drift with.

    Raises:
        DataError: too few.

    """
    kept = len(roles.development) if roles.folds else len(roles.calibration)
    if kept < LEAST:
        raise DataError(
            f"{table.name} has {len(table)} rows: {kept} are left to choose by and to watch drift with",
            f"at least {LEAST} of them",
            f"Give about {-(-LEAST * len(table) // max(kept, 1))} rows or more; fewer measure nothing",
        )
    return kept


def store(
    settings: StudySettings, work: Path, reading: Reading, roles: Roles, second: Reading | None, metric: str
) -> dict[str, Any]:
    """Write what was read and split for the workers, ``data.json`` last, and return what it says of the data."""
    save_table(reading.table, work / "table")
    if second is not None:
        save_table(second.table, work / "test")
    save_roles(roles, work / "roles.npz")
    data = _describe(settings, reading, second)
    write_text(work / "data.json", dumps({"data": data, "metric": metric}))
    return data


def goal_of(settings: StudySettings, target: Target) -> str:
    """Return the metric that decides.

    Raises:
        SettingError: it does not fit the task, or needs costs and there are none.

    """
    if settings.metric is None:
        return default_metric(target.task, **target.reading)
    chosen = check_goal(settings.metric, task=target.task).name
    if chosen == "expected_cost" and not settings.costs:
        raise SettingError("--metric expected_cost without costs", FORM, "Say what mistakes cost with --cost")
    if chosen in OF_LEVELS and not target.ordered:
        raise SettingError(
            f"--metric {chosen} for classes without an order", "a target of ordered levels", "Use --task ordinal"
        )
    if chosen == "poisson_deviance" and not target.counts:
        received = f"--metric {chosen} for a number that is no count"
        raise SettingError(received, "a target of counts", "Use --task counts")
    return chosen


def check_interval(settings: StudySettings, target: Target, rows: int) -> None:
    """Refuse a level of intervals for classes, or one that so few held-out rows cannot carry.

    Raises:
        SettingError: one of these.

    """
    if settings.interval is None:
        return
    if target.classes:
        raise SettingError(
            f"an interval for {target.name!r}, which has classes", "a target that is a number",
            "Leave the interval out: classes come with probabilities",
        )  # fmt: skip
    needed = rows_for(check_level(settings.interval))
    if rows < needed:
        raise SettingError(
            f"an interval at level {settings.interval} and {rows} rows to measure it on",
            f"at least {needed} such rows", "Ask for a lower level, or give more rows",
        )  # fmt: skip


def costs_of(settings: StudySettings, target: Target) -> Costs | None:
    """Return what mistakes cost, None where the user named no costs.

    Raises:
        SettingError: an unknown class, costs that make no sense, or costs for a number.

    """
    if not settings.costs:
        return None
    if not target.classes:
        raise SettingError(
            f"costs of mistakes for {target.name!r}, which is a number", "a target with classes",
            "Leave the costs out, or predict classes with --task classification",
        )  # fmt: skip
    return Costs.of(settings.costs, target.classes)


def _with_beside(table: Table, beside: dict[str, Any]) -> Table:
    for name, values in beside.items():
        if len(values) != len(table):
            raise DataError(
                f"{len(table)} rows were read and {len(values)} have a {name}", "one per row",
                "Leave out rows without a target first",
            )  # fmt: skip
    return replace(table, **beside) if beside else table


def reopen(settings: StudySettings, work: Path) -> Prepared:
    """Open what an earlier run prepared."""
    kept = json.loads((work / "data.json").read_text())
    table = load_table(work / "table")
    test = load_table(work / "test") if (work / "test").exists() else table
    costs = costs_of(settings, table.schema.target)
    roles = load_roles(work / "roles.npz")
    return Prepared(table, roles, test, kept["metric"], kept["data"], costs, settings.weigh_test)


def _describe(settings: StudySettings, reading: Reading, second: Reading | None) -> dict[str, Any]:
    path = str(settings.data) if isinstance(settings.data, (str, Path)) else "in memory"
    notes = list(reading.notes) + [f"Test file: {note}" for note in (second.notes if second else ())]
    dropped = [dict(d) for d in reading.dropped] + [
        {**d, "why": f"test file: {d['why']}"} for d in (second.dropped if second else ())
    ]
    rows = len(reading.table) + (len(second.table) if second else 0)
    stated = declared(settings.licence, path)
    licence = stated.to_dict() if stated else None
    return {**reading.to_dict(), "path": path, "rows": rows, "notes": notes, "dropped": dropped, "licence": licence}
