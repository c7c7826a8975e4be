"""The record as a page to read: headroom.md."""

from __future__ import annotations

from typing import Any

HEAD = """# Headroom

Made by `python -m benchmarks.headroom` from `headroom.jsonl`; figures are in `headroom.json`.
Commit {commit}, torch {torch}.

Every figure is a ratio of test losses (log loss; squared error for numbers) to the **default training** of the same
cell: last weights, default strengths, geometric mean of nine trainings that differ in the seed. Below 1 is better.
Brackets: 95 % bootstrap over data sets (with three or four sets it is narrow by construction: read the sets won and
lost, w:l, beside it). pt: difference of accuracies in points. "×": price in trainings of that net, processor time.
Nine strengths are nine trainings: the default, one technique moved at a time, nothing, all strong. **Luck** is the same
hindsight over nine trainings that differ in the seed alone; **net** is hindsight over luck: what strengths are worth.
A rule and a single setting stand beside the default training of their own seed.
Labels that are wrong are so in training and held-out rows, never in test rows.
"""


HALVES = {
    "together": "Both halves together (nothing was chosen on either)",
    "tuned": "The half *tuned* alone (looked at while this was built)",
    "once": "The half *once* alone (one run, at the end)",
}


def page(record: dict[str, Any]) -> str:
    """Return the page: all tables of the halves together, the first and the rules of each alone."""
    parts, known = [HEAD.format(**record)], record["halves"]
    main = "together" if "once" in known else "tuned"
    for which in (main, *(half for half in ("tuned", "once") if half in known and half != main)):
        found = known[which]
        shown = TABLES if which == main else [one for one in TABLES if one[0] in ALONE]
        parts += [f"## {HALVES[which]}\n", *(_table(name, columns, found) for name, columns in shown)]
        parts += [*(_each(found, *one) for one in EACH), _old(found)] if which == main else []
    return "\n".join(part for part in parts if part).rstrip()


TABLES = (
    ("What the best strength is worth", {
        "best of 9, hindsight (9 ×)": "strengths, hindsight",
        "luck: best of 9 seeds": "seeds, hindsight",
        "**net**": "net, hindsight",
        "**net, all stopped**": "net, hindsight, stopped",
        "best at another split": "strengths, carried",
        "one other default (from the other sets)": "strengths, better default",
    }),
    ("What one training gives when it is ended well (1 ×)", {
        "stopped on held-out rows": "default, stopped",
        "stopped, calibrated": "default, stopped, calibrated",
        "mean of the best three readings": "default, answers averaged, best three",
        "mean of weights, second half": "default, weights averaged",
        "EMA": "rule, EMA",
        "no held-out rows": "default, all rows",
    }),
    ("What nine trainings give (9 ×)", {
        "chosen": "strengths, chosen",
        "chosen, stopped": "strengths, chosen, stopped",
        "weighed": "strengths, weighed",
        "nine seeds, weighed": "seeds, weighed",
        "nine seeds, plain mean": "seeds, plain mean",
        "**strengths beside seeds**, weighed": "net, weighed",
    }),
    ("What rules that move strengths give (last weights)", {
        "gap feedback": "rule, gap feedback",
        "gap feedback, best gap": "rule, gap feedback, best gap",
        "gap ≤ 0.1": "rule, constraint: gap at most 0.1",
        "curriculum": "rule, curriculum",
        "old loss kept (L2-SP)": "rule, constraint: old loss kept",
    }),
    ("What the same rules give on top of stopping (rule stopped beside default stopped)", {
        "gap feedback": "on top of stopping, gap feedback",
        "gap feedback, best gap": "on top of stopping, gap feedback, best gap",
        "gap ≤ 0.1": "on top of stopping, constraint: gap at most 0.1",
        "curriculum": "on top of stopping, curriculum",
        "EMA": "on top of stopping, EMA",
        "old loss kept (L2-SP)": "on top of stopping, constraint: old loss kept",
    }),
    ("Where accuracy is what counts (best and stopped by accuracy)", {
        "best of 9, hindsight": "strengths, hindsight by accuracy",
        "luck: best of 9 seeds": "seeds, hindsight by accuracy",
        "stopped": "default, stopped by accuracy",
        "chosen of 9, stopped": "strengths, chosen by accuracy, stopped",
        "weighed": "strengths, weighed",
    }),
    ("When the default is wrong", {
        "nothing": "setting, nothing",
        "nothing, stopped": "setting, nothing, stopped",
        "strong": "setting, strong",
        "strong, stopped": "setting, strong, stopped",
        "gap feedback from strong": "rule, gap feedback from strong",
        "the same beside strong": "net, gap feedback from strong, last",
    }),
)  # fmt: skip
ALONE = {TABLES[0][0], TABLES[1][0], TABLES[3][0]}


def _table(name: str, columns: dict[str, str], found: dict[str, Any]) -> str:
    known = {head: key for head, key in columns.items() if any(key in one["figures"] for one in found.values())}
    lines = [f"### {name}\n", _row(["regime", "sets", *known]), _row(["---"] * (len(known) + 2))]
    for regime in sorted(found, key=_order):
        one = found[regime]
        lines.append(_row([regime, str(len(one["sets"])), *(_cell(one["figures"].get(key)) for key in known.values())]))
    return "\n".join(lines) + "\n"


EACH = (
    ("Each setting beside the default (last weights)", "setting, ", ""),
    ("What each technique's own strength is worth in hindsight, net of luck (all stopped)", "own, ", ", stopped"),
    ("The same chosen by held-out rows, beside the stopped default", "own, ", ", chosen"),
)


def _each(found: dict[str, Any], title: str, start: str, end: str) -> str:
    """Return a table with a row for each setting or technique and a column for each regime."""
    order = sorted(found, key=_order)
    names = {key[len(start) : len(key) - len(end)] for one in found.values() for key in one["figures"]
             if key.startswith(start) and key.endswith(end)}  # fmt: skip
    lines = [f"### {title}\n", _row(["", *order]), _row(["---"] * (len(order) + 1))]
    for name in sorted(name for name in names if "," not in name):
        cells = [found[regime]["figures"].get(f"{start}{name}{end}") for regime in order]
        lines.append(_row([name, *(f"{c['ratio']:.3f} {c['won']}:{c['lost']}" if c else "" for c in cells)]))
    return "\n".join(lines) + "\n"


def _old(found: dict[str, Any]) -> str:
    old = next((one["old task"] for one in found.values() if "old task" in one), None)
    if not old:
        return ""
    lines = [
        "### What fine-tuning leaves of the task before\n",
        "| after | accuracy there | loss there |",
        "|---|---|---|",
    ]
    lines += [f"| {name} | {one['accuracy']:.3f} | {one['loss']:.3f} |" for name, one in old.items()]
    return "\n".join(lines) + "\n"


def _cell(one: dict[str, Any] | None) -> str:
    if one is None:
        return ""
    points = "" if one["points"] is None else f" {100 * one['points']:+.1f} pt"
    price = f" · {one['price']:.2f} ×" if "price" in one else ""
    return f"{one['ratio']:.3f} [{one['low']:.2f}, {one['high']:.2f}] {one['won']}:{one['lost']}{points}{price}"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _order(regime: str) -> tuple[int, str]:
    firsts = (
        "small",
        "larger",
        "20 % of",
        "5 %",
        "0 %",
        "20 % w",
        "40 %",
        "60 %",
        "covariate",
        "seq",
        "images (",
        "images,",
        "fine",
    )
    return next((i for i, first in enumerate(firsts) if regime.startswith(first)), 99), regime
