"""All trainings of one cell, and the line of the ledger that comes of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from benchmarks.headroom.cells import Cell, Rows
from benchmarks.headroom.nets import settings as plan
from benchmarks.headroom.policies import Judge, mean, of_many, of_one
from benchmarks.headroom.recipes import DEFAULT, rules, strengths
from benchmarks.headroom.train import Run, fit, pretrained

SEEDS = 9  # equal-strength trainings: as many as there are strengths


def measure(cell: Cell, seed: int) -> list[dict[str, Any]]:
    """Return the lines of one cell (two for a transfer: judged on the new task, and on both); none without data.

    The i-th strength and the i-th equal-strength training share their seed, so that the luck of both is alike.
    """
    rows = cell.cut(seed)
    if rows is None:
        return []
    start, old_loss, before = pretrained(rows, seed) if rows.old else (None, 0.0, (0.0, 0.0))
    numbers, family = not rows.classes, cell.family
    steps = plan(family, len(rows.train)).steps(len(rows.train))
    table = strengths(family, numbers=numbers)
    own = [1000 * (seed + 1) + i for i in range(SEEDS)]
    equal = [fit(family, rows, table[DEFAULT], s, start=start) for s in own]
    settings = {DEFAULT: equal[0]} | {
        name: fit(family, rows, recipe, own[i], start=start)
        for i, (name, recipe) in enumerate(table.items())
        if name != DEFAULT
    }
    every = [fit(family, rows, table[DEFAULT], s, on=rows.everything, start=start) for s in own[:1]]
    moved = {
        name: fit(family, rows, recipe, own[0], start=start, rule=name)
        for name, recipe in rules(family, numbers=numbers, noisy=cell.wrong > 0, old_loss=old_loss, steps=steps).items()
    }
    groups = {"equal": equal, "settings": settings, "everything": every, "rules": moved}
    views = ("new", "both") if rows.old else ("",)
    lines = [{**_line(cell, seed, rows, groups, view), "judged": view} for view in views]
    if rows.old:
        lines[1]["old task"] = {"before": before} | _old_figures(rows, groups)
    return lines


def _line(cell: Cell, seed: int, rows: Rows, groups: dict[str, Any], view: str) -> dict[str, Any]:
    judge = _judge(rows, view)
    held, test = _seen(rows, view)

    def seen(run: Run) -> Run:
        return replace(run, held=run.held[:, held], test=run.test[:, test], soup=run.soup[test])

    equal, every = [seen(r) for r in groups["equal"]], [seen(r) for r in groups["everything"]]
    settings = {name: seen(run) for name, run in groups["settings"].items()}
    moved = {name: seen(run) for name, run in groups["rules"].items()}
    singles = [of_one(judge, run) for run in equal]
    price = float(np.median([run.seconds for run in equal]))
    return {
        "regime": cell.regime, "set": cell.name, "half": cell.half, "seed": seed, "family": cell.family,
        "rows": len(rows.train), "held": len(rows.held), "test": len(rows.test), "classes": rows.classes,
        "default": {how: mean([one[how] for one in singles]) for how in singles[0]},
        "spread": float(np.std([np.log(one["last"][0]) for one in singles], ddof=1)),
        "all rows": mean([judge.score(run.test[-1]) for run in every]),
        "strengths": of_many(judge, list(settings.values())), "seeds": of_many(judge, equal),
        "settings": {name: _kept(of_one(judge, run)) for name, run in settings.items()},
        "rules": {name: _kept(of_one(judge, run)) for name, run in moved.items()},
        "ends": {name: run.moved for name, run in moved.items()},
        "price": {name: run.seconds / price for name, run in moved.items()}, "seconds": price,
        "readings": {
            name: [judge.held_losses(run).tolist(), judge.each(run.test, judge.test).mean(-1).tolist()]
            for name, run in {**settings, **moved, **{f"seed {i}": run for i, run in enumerate(equal)}}.items()
        },
    }  # fmt: skip


def _kept(found: dict[str, Any]) -> dict[str, Any]:
    return {how: found[how] for how in ("last", "stopped")}


def _seen(rows: Rows, view: str) -> tuple[Any, Any]:
    """Return which held-out and test answers count: for both tasks as many of the one as of the other."""
    counts = []
    for new, old in ((rows.held, rows.old and rows.old[1]), (rows.test, rows.old and rows.old[2])):
        many = min(len(new), len(old)) if view == "both" and old is not None else len(new)
        counts.append(np.r_[0:many, len(new) : len(new) + many] if view == "both" else np.arange(many))
    return counts[0], counts[1]


def _judge(rows: Rows, view: str) -> Judge:
    held, test = rows.held.targets.numpy(), rows.test.targets.numpy()
    if rows.old:
        held = np.concatenate([held, rows.old[1].targets.numpy()])
        test = np.concatenate([test, rows.old[2].targets.numpy()])
    seen = _seen(rows, view)
    return Judge(held[seen[0]], test[seen[1]], rows.classes)


def _old_figures(rows: Rows, groups: dict[str, Any]) -> dict[str, Any]:
    """Return loss and accuracy on the old task's test rows after each training, by name."""
    truth = rows.old[2].targets.numpy()  # type: ignore[index]
    judge = Judge(truth, truth, rows.classes)

    def after(run: Run) -> Any:
        return judge.score(run.test[-1][len(rows.test) :])

    return {
        "default": mean([after(run) for run in groups["equal"]]),
        **{name: after(run) for name, run in groups["settings"].items() if name != DEFAULT},
        **{name: after(run) for name, run in groups["rules"].items()},
    }
