"""Tables of the quality benchmark: mean ranks, paired differences, every cell; made of the records alone."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

OURS = "temperance"
ASIDE = " (set for log loss)"
METRICS = {"accuracy": "higher", "log_loss": "lower", "rmse": "lower"}
Scores = dict[tuple[str, int], dict[str, float]]  # (set, seed) -> method -> score


def load(records: Path) -> list[dict[str, Any]]:
    paths = sorted(records.glob("*-s*-*.json"))
    return [json.loads(path.read_text()) for path in paths]


def gather(cells: list[dict[str, Any]], metric: str) -> Scores:
    """Return the scores of a metric, each method in its setting for that metric.

    For accuracy a method's variant for accuracy takes its name; the other is shown as "(set for log loss)".
    """
    found: Scores = defaultdict(dict)
    varied = {c["method"].removesuffix("-accuracy") for c in cells if c["method"].endswith("-accuracy")}
    for cell in cells:
        method, variant = cell["method"], cell["method"].endswith("-accuracy")
        if cell["status"] != "done" or metric not in cell["metrics"] or (variant and metric != "accuracy"):
            continue
        name = method.removesuffix("-accuracy")
        if name == OURS:
            name = method  # a study asked for accuracy is shown beside the one asked for log loss
        elif metric == "accuracy" and name in varied and not variant:
            name += ASIDE
        found[cell["set"], cell["seed"]][name] = cell["metrics"][metric]
    return found


def per_set(scores: Scores, methods: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Return the mean over the seeds that all ``methods`` have, for each set that has such a seed."""
    rows: dict[str, list[list[float]]] = defaultdict(list)
    for (name, _), values in scores.items():
        if all(m in values for m in methods):
            rows[name].append([values[m] for m in methods])
    return {name: dict(zip(methods, np.mean(block, axis=0).tolist(), strict=True)) for name, block in rows.items()}


def mean_ranks(table: dict[str, dict[str, float]], better: str) -> dict[str, float]:
    """Return each method's mean rank over the sets, 1 the best; ties share."""
    from scipy.stats import rankdata

    methods = list(next(iter(table.values())))
    sign = -1 if better == "higher" else 1
    ranks = [rankdata([sign * row[m] for m in methods]) for row in table.values()]
    return dict(sorted(zip(methods, np.mean(ranks, axis=0).round(3).tolist(), strict=True), key=lambda pair: pair[1]))


def paired(scores: Scores, other: str, metric: str) -> dict[str, Any] | None:
    """Compare the study with a peer on the cells both have: wins by set, mean difference, 95 % t interval over sets.

    Differences are in points of accuracy (per cent), or ``100 ln(ours / peer)`` for log loss and RMSE; signed so that
    positive is in favour of the study.
    """
    from scipy.stats import t, wilcoxon

    table = per_set(scores, (OURS, other))
    if len(table) < 2:
        return None
    gain = {}
    for name, row in table.items():
        ours, peer = row[OURS], row[other]
        gain[name] = 100 * (ours - peer) if metric == "accuracy" else -100 * float(np.log(ours / peer))
    values = np.array(list(gain.values()))
    half = float(t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return {
        "sets": len(values), "cells": sum(OURS in v and other in v for v in scores.values()),
        "wins": int((values > 1e-12).sum()), "losses": int((values < -1e-12).sum()),
        "mean": round(float(values.mean()), 3), "low": round(float(values.mean()) - half, 3),
        "high": round(float(values.mean()) + half, 3), "median": round(float(np.median(values)), 3),
        "wilcoxon_p": round(float(wilcoxon(values).pvalue), 4) if np.any(values) else 1.0,
        "lost_on": {n: round(g, 2) for n, g in sorted(gain.items(), key=lambda pair: pair[1]) if g < 0},
    }  # fmt: skip


def one_metric(cells: list[dict[str, Any]], metric: str) -> dict[str, Any]:
    scores = gather(cells, metric)
    methods = sorted({m for values in scores.values() for m in values})
    peers = [m for m in methods if m != OURS]
    ours = {key for key, values in scores.items() if OURS in values}
    sets = {name for name, _ in ours}
    ranked = [m for m in methods if not m.endswith(ASIDE)]
    common = {m: {key[0] for key, values in scores.items() if m in values and key in ours} for m in ranked}
    wide = tuple(m for m in ranked if sets <= common[m])
    out: dict[str, Any] = {"metric": metric, "better": METRICS[metric], "ranks": []}
    nets = tuple(m for m in ranked if not m.startswith("hgb") and not m.startswith("tabm"))
    boosted = tuple(m for m in ranked if m == OURS or m.startswith("hgb"))
    fast = tuple(m for m in ranked if not m.startswith("tabm"))
    for group in dict.fromkeys([wide, nets, boosted, fast, tuple(ranked)]):
        table = per_set(scores, group) if OURS in group and len(group) > 1 else {}
        if table:
            seeds = sum(all(m in v for m in group) for v in scores.values())
            out["ranks"].append(
                {
                    "sets": sorted(table),
                    "cells": seeds,
                    "mean_rank": mean_ranks(table, METRICS[metric]),
                    "scores": table,
                }
            )
    out["paired"] = {m: found for m in peers if (found := paired(scores, m, metric))}
    out["cells"] = {f"{n} s{s}": dict(sorted(v.items())) for (n, s), v in sorted(scores.items())}
    return out


def document(records: Path) -> dict[str, Any]:
    cells = load(records)
    absent = [
        {"set": c["set"], "seed": c["seed"], "method": c["method"], "status": c["status"]}
        for c in cells
        if c["status"] != "done"
    ]
    seconds: dict[str, list[float]] = defaultdict(list)
    for cell in cells:
        if "cpu_seconds" in cell and cell["status"] == "done":
            seconds[cell["method"]].append(cell["cpu_seconds"])
    studies = [c for c in cells if c["method"] == OURS and c["status"] == "done"]
    return {
        "benchmark": "quality", "cells": len(cells), "not_done": absent,
        "coverage": {m: covered([c for c in cells if c["method"] == m]) for m in sorted({c["method"] for c in cells})},
        "commits": sorted({c["commit"] for c in studies}),
        "median_cpu_seconds": {m: float(np.median(v)) for m, v in sorted(seconds.items())},
        "study_wall_seconds": wall(studies),
        "metrics": {metric: one_metric(cells, metric) for metric in METRICS},
    }  # fmt: skip


def covered(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """Return how many sets each seed has been scored on."""
    done = [c["seed"] for c in cells if c["status"] == "done"]
    return {"cells": len(done), "sets_by_seed": {str(seed): done.count(seed) for seed in sorted(set(done))}}


def wall(studies: list[dict[str, Any]]) -> dict[str, float | None]:
    taken = [c["wall_seconds"] for c in studies]
    return {"median": float(np.median(taken)) if taken else None, "most": max(taken, default=None)}


def text(found: dict[str, Any]) -> str:
    lines = ["# Quality: test scores beside the peers", "",
             f"{found['cells']} cells. Commits of the studies: {', '.join(found['commits']) or 'none yet'}. "
             f"Wall clock of a study: median {found['study_wall_seconds']['median']} s, "
             f"most {found['study_wall_seconds']['most']} s. "
             "Scores are means over the seeds that all methods of a table have.", ""]  # fmt: skip
    lines += ["Sets scored, by seed:", "", "| method | cells | sets by seed |", "|---|---|---|"]
    for method, has in found["coverage"].items():
        seeds = ", ".join(f"seed {seed}: {count}" for seed, count in has["sets_by_seed"].items())
        lines.append(f"| {method} | {has['cells']} | {seeds} |")
    lines.append("")
    for metric, part in found["metrics"].items():
        lines += [f"## {metric} ({part['better']} is better)", ""]
        for ranks in part["ranks"]:
            lines += rank_lines(ranks, part["better"])
        lines += paired_lines(part["paired"], metric)
    if found["not_done"]:
        lines += ["## Cells without a score", ""]
        lines += [f"- {c['set']}, seed {c['seed']}, {c['method']}: {c['status']}" for c in found["not_done"]] + [""]
    lines += ["## Median CPU-seconds a cell", ""]
    lines += [f"- {method}: {value:.1f}" for method, value in found["median_cpu_seconds"].items()]
    return "\n".join(lines) + "\n"


def rank_lines(ranks: dict[str, Any], better: str) -> list[str]:
    methods = list(ranks["mean_rank"])
    lines = [f"Mean rank over {len(ranks['sets'])} sets ({ranks['cells']} cells), then the scores:", ""]
    lines += ["| set | " + " | ".join(methods) + " |", "|---|" + "---|" * len(methods)]
    lines += ["| **mean rank** | " + " | ".join(f"{r:.2f}" for r in ranks["mean_rank"].values()) + " |"]
    for name, row in sorted(ranks["scores"].items()):
        lines.append(f"| {name} | " + " | ".join(marked(row, m, better) for m in methods) + " |")
    return [*lines, ""]


def paired_lines(found: dict[str, dict[str, Any]], metric: str) -> list[str]:
    unit = "points of accuracy" if metric == "accuracy" else "per cent (100 ln ratio)"
    lines = [f"The study against each peer, {unit}, positive in its favour; mean with 95 % interval over sets:", ""]
    heads = ("peer", "sets", "cells", "wins", "losses", "mean", "interval", "p (Wilcoxon)", "lost on")
    lines += ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for peer, d in found.items():
        lost = ", ".join(f"{n} ({g:+.2f})" for n, g in d["lost_on"].items()) or "none"
        span = f"{d['low']:+.2f} to {d['high']:+.2f}"
        values = (peer, d["sets"], d["cells"], d["wins"], d["losses"], f"{d['mean']:+.2f}", span, d["wilcoxon_p"], lost)
        lines.append("| " + " | ".join(map(str, values)) + " |")
    return [*lines, ""]


def marked(row: dict[str, float], method: str, better: str) -> str:
    """Return a score in four figures, the best of its row in bold."""
    best = (max if better == "higher" else min)(row.values())
    shown = f"{row[method]:.4g}"
    return f"**{shown}**" if row[method] == best else shown


def write(records: Path) -> str:
    found = document(records)
    (records / "summary.json").write_text(json.dumps(found, indent=1))
    said = text(found)
    (records / "summary.md").write_text(said)
    return said
