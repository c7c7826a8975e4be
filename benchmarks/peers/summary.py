"""Tables of the quality benchmark, made of ``cells.jsonl`` alone: ranks, ratios, families, losses by name.

A *ratio* is ours over the peer's, below 1 in favour of the study, per set the geometric mean over the seeds that both
have; over sets the geometric mean, with a 95 % percentile bootstrap over sets. So that a set that both solve does not
outweigh all others, log losses count as at least 0.001 and errors as at least half a test row; the ratio without these
floors stands beside it. A *told-apart* set is one where the 95 % interval of the paired difference over test rows
leaves out 0 (over several seeds: mean difference, mean half width, since their test rows overlap).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

OURS, TUNED = "temperance", "hgb-tuned"
METRICS = ("log_loss", "error", "rmse")
LEAST_LOG_LOSS = 1e-3
RESAMPLES = 10_000
Cell = dict[str, Any]
Scores = dict[tuple[str, int], dict[str, float]]  # (set, seed) -> method -> score, lower is better


def key_of(cell: Cell) -> tuple[str, int, str, float, int]:
    return cell["set"], cell["seed"], cell["method"], cell["core_seconds"], cell["rows"]["most"]


def load(records: Path) -> list[Cell]:
    """Return the cells, of each key the last line."""
    path = records / "cells.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return list({key_of(cell): cell for cell in map(json.loads, lines)}.values())


FAMILIES: dict[str, Callable[[Cell], bool]] = {
    "small (under 2,000 rows)": lambda c: c["rows"]["train"] + c["rows"]["test"] < 2000,
    "larger": lambda c: c["rows"]["train"] + c["rows"]["test"] >= 2000,
    "classes": lambda c: c["task"] == "classification",
    "many classes (5 and more)": lambda c: c["classes"] >= 5,
    "regression": lambda c: c["task"] == "regression",
    "categorical (half of the columns are words)": lambda c: c["text_columns"] >= c["features"] / 2,
    "not looked at before": lambda c: not c["seen"],
    "looked at before November 2026": lambda c: c["seen"],
}


def score(cell: Cell, metric: str, *, floor: bool = True) -> float | None:
    found = cell["metrics"]
    if metric == "error" and "accuracy" in found:
        return max(1 - found["accuracy"], 0.5 / cell["rows"]["test"] if floor else 0.0)
    if metric == "log_loss" and "log_loss" in found:
        return max(found["log_loss"], LEAST_LOG_LOSS if floor else 1e-12)
    return found.get("rmse") if metric == "rmse" else None


def gather(cells: Iterable[Cell], metric: str, *, floor: bool = True) -> Scores:
    found: Scores = defaultdict(dict)
    for cell in cells:
        value = score(cell, metric, floor=floor) if cell["status"] == "done" else None
        if value is not None:
            found[cell["set"], cell["seed"]][cell["method"]] = value
    return found


def ranked(scores: Scores) -> dict[str, Any]:
    """Return mean ranks (1 the best, ties share) on the cells that all methods have; those with few are left out."""
    from scipy.stats import rankdata

    scores = {k: v for k, v in scores.items() if OURS in v} or scores
    count = {m: sum(m in v for v in scores.values()) for m in {m for v in scores.values() for m in v}}
    methods = sorted(m for m, n in count.items() if n >= 0.9 * max(count.values()))
    rows: dict[str, list[Any]] = defaultdict(list)
    for (name, _), values in scores.items():
        if all(m in values for m in methods):
            rows[name].append(rankdata([values[m] for m in methods]))
    means = np.array([np.mean(block, axis=0) for block in rows.values()])
    order = dict(zip(methods, means.mean(axis=0).round(3).tolist(), strict=True)) if len(means) else {}
    return {"sets": len(rows), "cells": sum(map(len, rows.values())), "left_out": sorted(set(count) - set(methods)),
            "mean_rank": dict(sorted(order.items(), key=lambda pair: pair[1]))}  # fmt: skip


def log_ratios(scores: Scores, peer: str) -> dict[str, float]:
    """Return per set the mean of ln(ours / peer's) over the seeds that both have."""
    found: dict[str, list[float]] = defaultdict(list)
    for (name, _), values in scores.items():
        if OURS in values and peer in values and values[peer] > 0 and values[OURS] > 0:
            found[name].append(float(np.log(values[OURS] / values[peer])))
    return {name: float(np.mean(values)) for name, values in found.items()}


def ratio(logs: dict[str, float]) -> dict[str, Any] | None:
    if not logs:
        return None
    values = np.array([logs[name] for name in sorted(logs)])
    drawn = np.random.default_rng(0).integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.exp(np.quantile(values[drawn].mean(axis=1), [0.025, 0.975]))
    return {"sets": len(values), "ratio": round(float(np.exp(values.mean())), 4), "low": round(float(low), 4),
            "high": round(float(high), 4), "median": round(float(np.exp(np.median(values))), 4)}  # fmt: skip


def against(cells: list[Cell], metric: str, peer: str) -> dict[str, Any] | None:
    """Compare the study with one peer in one metric."""
    from scipy.stats import wilcoxon

    logs = log_ratios(gather(cells, metric), peer)
    found = ratio(logs)
    if found is None:
        return None
    values = np.array(list(logs.values()))
    raw = ratio(log_ratios(gather(cells, metric, floor=False), peer))
    worst = sorted(logs, key=lambda name: -logs[name])
    lost = {name: round(float(np.exp(logs[name])), 3) for name in worst if logs[name] > 0}
    apart = told_apart(cells, peer) if metric != "error" else {}
    names = {name: word for name, word in apart.items() if name in logs}
    return {
        **found, "without_floors": raw["ratio"] if raw else None, "won": int((values < 0).sum()), "lost": len(lost),
        "wilcoxon_p": round(float(wilcoxon(values).pvalue), 4) if len(values) > 5 and values.any() else None,
        "lost_on": lost, "surely_won": sum(w == "won" for w in names.values()),
        "surely_lost": sorted(n for n, w in names.items() if w == "lost"),
        "not_told_apart": sum(w == "open" for w in names.values()),
    }  # fmt: skip


def told_apart(cells: list[Cell], peer: str) -> dict[str, str]:
    """Return ``won``, ``lost`` or ``open`` per set, from the paired differences over test rows."""
    found: dict[str, list[list[float]]] = defaultdict(list)
    for cell in cells:
        if cell["method"] == OURS and peer in (cell.get("against") or {}):
            found[cell["set"]].append(cell["against"][peer])
    out = {}
    for name, rows in found.items():
        mean, half = np.mean([r[0] for r in rows]), np.mean([(r[2] - r[1]) / 2 for r in rows])
        out[name] = "won" if mean > half else "lost" if mean < -half else "open"
    return out


def family(cells: list[Cell], keep: Callable[[Cell], bool]) -> dict[str, Any] | None:
    """Return the ratio to tuned boosting and the ranks by what decides: log loss, or RMSE."""
    some = [c for c in cells if keep(c)]
    both: Scores = gather(some, "log_loss") | gather(some, "rmse")
    found = ratio(log_ratios(both, TUNED))
    if found is None:
        return None
    names = sorted({name for (name, _), values in both.items() if OURS in values})
    errors = ratio(log_ratios(gather(some, "error"), TUNED))
    return {**found, "error": errors, "ranks": ranked(both)["mean_rank"], "names": names}


def level(cells: list[Cell]) -> dict[str, Any]:
    """Return everything about one count of core-seconds."""
    ours = [c for c in cells if c["method"] == OURS and c["status"] == "done"]
    peers = sorted({c["method"] for c in cells} - {OURS})
    return {
        "cells": {m: coverage([c for c in cells if c["method"] == m]) for m in [OURS, *peers]},
        "commits": sorted({c["commit"] for c in ours}),
        "studies": sorted({f"--budget {c['budget']} --workers {c['workers']}" for c in ours}),
        "clocks_of_studies": sorted({c.get("clock", "wall") for c in ours}),
        "wall_seconds_of_studies": spread([c["wall_seconds"] for c in ours]),
        "metrics": {
            metric: {"ranks": ranked(gather(cells, metric)),
                     "against": {p: found for p in peers if (found := against(cells, metric, p))}}
            for metric in METRICS
        },
        "families": {words: found for words, keep in FAMILIES.items() if (found := family(cells, keep))},
        "seen": sorted({c["set"] for c in cells if c["seen"]}),
        "not_done": [{k: c.get(k) for k in ("set", "seed", "method", "status", "cpu_seconds")}
                     for c in cells if c["status"] != "done"],
        "scores": {m: {f"{n} s{s}": {k: round(v, 6) for k, v in sorted(row.items())}
                       for (n, s), row in sorted(gather(cells, m, floor=False).items())} for m in METRICS},
    }  # fmt: skip


def coverage(cells: list[Cell]) -> dict[str, Any]:
    done = [c for c in cells if c["status"] == "done"]
    return {"done": len(done), "sets": len({c["set"] for c in done}), "seeds": sorted({c["seed"] for c in done}),
            "cpu_seconds": spread([c["cpu_seconds"] for c in done])}  # fmt: skip


def spread(values: list[float]) -> dict[str, float] | None:
    if not values:
        return None
    return {"median": round(float(np.median(values)), 1), "most": round(float(np.max(values)), 1)}


def text(found: dict[str, Any]) -> str:
    words = (__doc__ or "").split("\n\n", 1)[1].split("\n")
    lines = ["# Quality: test scores beside the peers, equal core-seconds", "", *words]
    for seconds, part in found["levels"].items():
        lines += [f"## {seconds} core-seconds a cell", ""]
        lines.append(f"Commits of the studies: {', '.join(part['commits'])}; {'; '.join(part['studies'])}; "
                     f"wall clock {shown(part['wall_seconds_of_studies'])}.")  # fmt: skip
        if "CPU" in part["clocks_of_studies"]:
            lines.append(
                "The machine had other work: a study's budget counted CPU-seconds of its processes, as a peer's."
            )
        lines += ["", "| method | cells | sets | seeds | CPU-seconds |", "|---|---|---|---|---|"]
        lines += [f"| {m} | {c['done']} | {c['sets']} | {', '.join(map(str, c['seeds']))} | {shown(c['cpu_seconds'])} |"
                  for m, c in part["cells"].items()]  # fmt: skip
        for metric, block in part["metrics"].items():
            lines += metric_lines(metric, block)
        lines += family_lines(part["families"])
        lines += ["", f"Looked at before November 2026: {', '.join(part['seen']) or 'none'}.", ""]
        if part["not_done"]:
            lines += ["Cells without a score:", ""]
            lines += [f"- {c['set']}, seed {c['seed']}, {c['method']}: {c['status']}" for c in part["not_done"]] + [""]
    return "\n".join(lines).rstrip() + "\n"


def metric_lines(metric: str, block: dict[str, Any]) -> list[str]:
    ranks = block["ranks"]
    words = ", ".join(f"{m} {r:.2f}" for m, r in ranks["mean_rank"].items())
    lines = ["", f"### {metric.replace('_', ' ')}", ""]
    lines.append(f"Mean rank on {ranks['sets']} sets ({ranks['cells']} cells): {words}.")
    if ranks["left_out"]:
        lines.append(f"Too few cells to be ranked: {', '.join(ranks['left_out'])}.")
    heads = ("peer", "sets", "ratio", "95 %", "no floors", "won", "lost", "surely won / lost / open", "p", "lost on")
    lines += ["", "| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for peer, d in block["against"].items():
        sure = f"{d['surely_won']} / {len(d['surely_lost'])} / {d['not_told_apart']}" if metric != "error" else ""
        lost = ", ".join(f"{n} ({r:.2f})" + ("!" if n in d["surely_lost"] else "") for n, r in d["lost_on"].items())
        row = (peer, d["sets"], f"{d['ratio']:.3f}", f"{d['low']:.3f}–{d['high']:.3f}", d["without_floors"], d["won"],
               d["lost"], sure, d["wilcoxon_p"], lost or "none")  # fmt: skip
        lines.append("| " + " | ".join("" if v is None else str(v) for v in row) + " |")
    return lines


def family_lines(families: dict[str, Any]) -> list[str]:
    lines = ["", f"### By family: ratio to {TUNED} in log loss or RMSE, and in error", "",
             "| family | sets | ratio | 95 % | error | mean ranks |", "|---|---|---|---|---|---|"]  # fmt: skip
    for words, d in families.items():
        ranks = ", ".join(f"{m} {r:.2f}" for m, r in d["ranks"].items())
        error = f"{d['error']['ratio']:.3f}" if d["error"] else ""
        span = f"{d['low']:.3f}–{d['high']:.3f}"
        lines.append(f"| {words} | {d['sets']} | {d['ratio']:.3f} | {span} | {error} | {ranks} |")
    return lines


def shown(found: dict[str, float] | None) -> str:
    return "" if found is None else f"median {found['median']} s, most {found['most']} s"


def write(records: Path) -> str:
    cells = load(records)
    levels = sorted({c["core_seconds"] for c in cells})
    found = {"benchmark": "quality", "half": sorted({c["half"] for c in cells}),
             "levels": {f"{s:g}": level([c for c in cells if c["core_seconds"] == s]) for s in levels}}  # fmt: skip
    (records / "summary.json").write_text(json.dumps(found, indent=1) + "\n")
    said = text(found)
    (records / "summary.md").write_text(said)
    return said
