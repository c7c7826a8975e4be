"""From the ledger of cells to the record (headroom.json): ratios to the default with intervals over data sets."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from benchmarks.halves import SEEN
from benchmarks.headroom.cells import NOISY
from benchmarks.headroom.recipes import DEFAULT, STRONG

RECORDS = Path(__file__).parent.parent / "records"
LEDGER = RECORDS / "headroom.jsonl"
RECORD = RECORDS / "headroom.json"
DRAWS = 4000
TOGETHER, CLEAN = "together", "0 % wrong labels"  # nothing is chosen on either half: their sets may be pooled
Line = dict[str, Any]
Pair = tuple[float, float]  # log of the ratio of test losses; difference of accuracies (NaN for numbers)


def ledger() -> list[Line]:
    """Return the lines so far."""
    return [json.loads(text) for text in LEDGER.read_text("utf-8").splitlines()] if LEDGER.exists() else []


def policies(line: Line) -> dict[str, Pair]:
    """Return every policy of one cell beside the default.

    What is picked from nine trainings stands beside the geometric mean of nine defaults. A single training (a rule, a
    setting) stands beside the default training with the same seed, so that the luck of that seed counts on both sides.
    """
    base, same = line["default"]["last"], line["settings"][DEFAULT]
    found = {
        **{f"default, {how}": _beside(one, base) for how, one in line["default"].items() if how != "last"},
        **{f"strengths, {how}": _beside(one, base) for how, one in line["strengths"].items()},
        **{f"seeds, {how}": _beside(one, base) for how, one in line["seeds"].items()},
        "default, all rows": _beside(line["all rows"], same["last"]),
    }
    for name in line["settings"]:
        if name != DEFAULT:
            found[f"setting, {name}"] = _setting(line, name)
            found[f"setting, {name}, stopped"] = _setting(line, name, "stopped")
    for name, one in line["rules"].items():
        found[f"rule, {name}"] = _beside(one["last"], same["last"])
        found[f"rule, {name}, stopped"] = _beside(one["stopped"], same["last"])
        found[f"on top of stopping, {name}"] = _beside(one["stopped"], same["stopped"])
    return found | _differences(line) | _own(line)


def _beside(one: Any, other: Any) -> Pair:
    points = np.nan if one[1] is None or other[1] is None else one[1] - other[1]
    return float(np.log(one[0] / other[0])), float(points)


def _differences(line: Line) -> dict[str, Pair]:
    """Return policies beside their own counterpart instead of the default."""
    strengths, seeds = line["strengths"], line["seeds"]
    found = {f"net, {how}": _beside(strengths[how], seeds[how]) for how in strengths}
    start = line["rules"].get("gap feedback from strong")
    if start and STRONG in line["settings"]:
        for how in ("last", "stopped"):
            found[f"net, gap feedback from strong, {how}"] = _beside(start[how], line["settings"][STRONG][how])
    return found


def _own(line: Line) -> dict[str, Pair]:
    """Return what the strength of each technique alone is worth: the best of its settings and the default.

    Beside it stands the best of the default trainings with the same seeds. Stopped: all of them are. Chosen: by
    held-out loss instead of in hindsight, beside the stopped default.
    """
    names, found = list(line["settings"]), {}
    techniques = {name.split(" ")[0] for name in names} - {DEFAULT}
    for one in techniques:
        places = [i for i, name in enumerate(names) if name.split(" ")[0] in (DEFAULT, one)]
        own = [line["readings"][names[i]] for i in places]
        luck = [line["readings"][f"seed {i}"] for i in places]
        stopped = [min(zip(*pair, strict=True)) for pair in own]  # (held-out loss, test loss) at the best reading
        lucky = [min(zip(*pair, strict=True)) for pair in luck]
        pairs = {
            "": (min(test[-1] for _, test in own), min(test[-1] for _, test in luck)),
            ", stopped": (min(test for _, test in stopped), min(test for _, test in lucky)),
            ", chosen": (min(stopped)[1], stopped[0][1]),
        }
        found |= {f"own, {one}{how}": (float(np.log(a / b)), np.nan) for how, (a, b) in pairs.items()}
    return found


def regimes(lines: Iterable[Line]) -> dict[tuple[str, str], list[Line]]:
    """Return the lines by half and regime; small tables that also get wrong labels are the 0 % of that row."""
    found: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in lines:
        name = (
            line["regime"]
            + {"new": ", judged on the new task", "both": ", judged on both tasks", "": ""}[line["judged"]]
        )
        noisy = name == "small tables" and line["set"] in NOISY[line["half"]]
        for which in (line["half"], TOGETHER):
            found[which, name].append(line)
            if noisy:
                found[which, CLEAN].append(line)
    return dict(found)


def summarize(lines: list[Line]) -> dict[str, Any]:
    """Return the figures of one regime."""
    found: dict[str, dict[str, list[Pair]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        for name, pair in policies(line).items():
            found[name][line["set"]].append(pair)
    for name, by_set in (
        ("strengths, better default", _better_default(lines)),
        ("strengths, carried", _carried(lines)),
    ):
        for one, pair in by_set.items() if len(by_set) > 2 else ():
            found[name][one].append(pair)
    prices: dict[str, list[float]] = defaultdict(list)
    for line in lines:
        for name, price in line["price"].items():
            prices[f"rule, {name}"].append(price)
    figures = {name: _figure(by_set) for name, by_set in found.items()}
    for name, price in prices.items():
        figures[name]["price"] = round(float(np.median(price)), 2)
    return {
        "sets": sorted({line["set"] for line in lines}),
        "seeds": sorted({line["seed"] for line in lines}),
        "spread": round(float(np.mean([line["spread"] for line in lines])), 4),
        "accuracy": _mean([line["default"]["last"][1] for line in lines]),
        "figures": dict(sorted(figures.items())),
        **_old(lines),
    }


def _figure(by_set: dict[str, list[Pair]]) -> dict[str, Any]:
    """Return the geometric mean of the ratios over sets (mean over seeds first) with a bootstrap interval over sets."""
    logs = np.array([np.mean([pair[0] for pair in pairs]) for pairs in by_set.values()])
    draws = np.random.default_rng(0).choice(logs, (DRAWS, len(logs))).mean(1)
    low, high = np.exp(np.quantile(draws, (0.025, 0.975)))
    points = [np.mean([pair[1] for pair in pairs]) for pairs in by_set.values()]
    return {
        "ratio": round(float(np.exp(logs.mean())), 4), "low": round(float(low), 4), "high": round(float(high), 4),
        "median": round(float(np.exp(np.median(logs))), 4),
        "sets": len(logs), "won": int((logs < 0).sum()), "lost": int((logs > 0).sum()),
        "points": _mean(points),
    }  # fmt: skip


def _mean(values: Iterable[float | None]) -> float | None:
    known = [v for v in values if v is not None and np.isfinite(v)]
    return round(float(np.mean(known)), 4) if known else None


def _better_default(lines: list[Line]) -> dict[str, Pair]:
    """Return, by set, the setting that did best on the other sets of the regime (same kind of answer)."""
    found = {}
    for one in {line["set"] for line in lines}:
        own = [line for line in lines if line["set"] == one]
        other = [line for line in lines if line["set"] != one and bool(line["classes"]) == bool(own[0]["classes"])]
        name = DEFAULT
        if other:
            names = list(own[0]["settings"])
            name = min(names, key=lambda n: np.mean([_setting(line, n)[0] for line in other]))
        pairs = [(0.0, 0.0) if name == DEFAULT else _setting(line, name) for line in own]
        found[one] = (float(np.mean([p[0] for p in pairs])), float(np.mean([p[1] for p in pairs])))
    return found


def _carried(lines: list[Line]) -> dict[str, Pair]:
    """Return, by set with two seeds, the setting that was best in hindsight at the other split and other weights."""
    found: dict[str, list[Pair]] = defaultdict(list)
    for line in lines:
        for other in lines:
            if other["set"] == line["set"] and other["seed"] != line["seed"]:
                name = min(other["settings"], key=lambda n: other["settings"][n]["last"][0])
                found[line["set"]].append((0.0, 0.0) if name == DEFAULT else _setting(line, name))
    return {one: (float(np.mean([p[0] for p in ps])), float(np.mean([p[1] for p in ps]))) for one, ps in found.items()}


def _setting(line: Line, name: str, how: str = "last") -> Pair:
    """Return a setting beside the default training of its own seed (accuracy: beside the mean default)."""
    if name == DEFAULT:
        return 0.0, 0.0
    beside = line["readings"][f"seed {list(line['settings']).index(name)}"][1][-1]
    loss, right = line["settings"][name][how]
    return _beside((loss, right), (beside, line["default"]["last"][1]))


def _old(lines: list[Line]) -> dict[str, Any]:
    """Return what is left of the task before: mean test accuracy and loss after each training, by name."""
    known = [line["old task"] for line in lines if "old task" in line]
    names = [name for name in (known[0] if known else {}) if all(name in one for one in known)]
    return {
        "old task": {
            name: {"accuracy": _mean([one[name][1] for one in known]), "loss": _mean([one[name][0] for one in known])}
            for name in names
        }
    } if known else {}  # fmt: skip


def write() -> dict[str, Any]:
    """Write the record and the table, and return the record."""
    from benchmarks.headroom.table import page

    grouped = regimes(ledger())
    halves: dict[str, Any] = {}
    for (which, regime), lines in grouped.items():
        halves.setdefault(which, {})[regime] = summarize(lines)
    sets = {line["set"].split(" ")[0] for line in ledger()}
    record = {
        "command": "python -m benchmarks.headroom --data DIR --half tuned; then once, --half once",
        "commit": _commit(), "torch": torch.__version__, "python": platform.python_version(),
        "machine": platform.machine(), "cells": len(ledger()),
        "seen before November 2026": sorted(sets & SEEN), "halves": halves,
    }  # fmt: skip
    for path, text in (
        (RECORD, json.dumps(record, indent=1, ensure_ascii=False)),
        (RECORD.with_suffix(".md"), page(record)),
    ):
        waiting = path.with_suffix(".tmp")
        waiting.write_text(text + "\n", encoding="utf-8")
        os.replace(waiting, path)
    return record


def _commit() -> str:
    """Return the commit that was checked out, with a mark where the tree differs from it."""
    place = {"cwd": Path(__file__).parent, "text": True, "capture_output": True, "check": True}
    head = subprocess.run(["git", "rev-parse", "--short", "HEAD"], **place).stdout.strip()  # type: ignore[call-overload]
    changed = subprocess.run(["git", "status", "--porcelain", "--", "../../src"], **place).stdout.strip()  # type: ignore[call-overload]
    return head + (" and changes" if changed else "")
