"""Do intervals hold what they promise, and how often does a comparison of two equal models claim a difference?

    OMP_NUM_THREADS=1 python benchmarks/intervals.py
    python benchmarks/intervals.py --trials 2000 --out cells.json
    python benchmarks/intervals.py --shares-only    # the exact cells anew; the simulated ones of the record stay

Simulated, so that the truth is known. Shares of right answers: n = 30, 100, 500 rows, true share 0.5 to 0.99; Wilson's
interval beside the exact one, the plain normal one and the percentile bootstrap. Mean losses (skewed, as log losses
are) and the change against a record (two independent samples). Two models of equal quality on the same rows, 0, 0.5
and 0.9 of their answers shared: how often ``compare`` says "better" or "worse" (0/1 losses by McNemar, skewed losses by
the paired test), and with k models by Holm. Seeds and rows together: ``two_level`` with 3, 5 and 10 seeds.

A coverage estimated from t trials has a standard error of √(0.95 · 0.05 / t): 0.3 points for 5,000 trials. Discrete
counts make the coverage of a share jump with p: single cells leave 93–97 % where the mean over nearby shares does
not, so both are told. Beside each cell stands the nearest coverage that *any* interval could have there without
drawing lots: the counts whose interval holds p are neighbours, so all runs of neighbouring counts are tried, and the
one whose probability is nearest to 95 % is told. Where that lies outside 93–97 %, no interval can meet the bar in
this cell.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np

import temperance
from temperance.evaluation.comparison import compare, compare_many
from temperance.evaluation.degradation import changes
from temperance.records.measurement import Measurement
from temperance.records.statistics import bootstrap_interval, clopper_pearson, mean_interval, wilson
from temperance.records.two_level import two_level

RECORD = Path(__file__).parent / "records" / "intervals.json"
ROWS = (30, 100, 500)
SHARES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
NEAR = 21  # shares around each, whose mean takes the jumps of counting out
Cell = dict[str, Any]


def normal_pmf(n: int, p: float) -> np.ndarray[Any, Any]:
    """Return the binomial probabilities of 0 … n."""
    k = np.arange(n + 1)
    logs = [math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) for i in k]
    with np.errstate(divide="ignore"):
        return np.exp(np.array(logs) + k * math.log(p) + (n - k) * math.log1p(-p))


def shares() -> list[Cell]:
    """Exact coverage of intervals of a share: a sum over all counts, no simulation."""
    out = []
    for n in ROWS:
        known = {"wilson": [wilson(k, n) for k in range(n + 1)], "exact": [clopper_pearson(k, n) for k in range(n + 1)],
                 "normal": [plain(k, n) for k in range(n + 1)]}  # fmt: skip
        for p in SHARES:
            near = np.clip(np.linspace(p - 0.02, p + 0.02, NEAR), 0.01, 0.995)
            row: Cell = {"what": "share", "n": n, "p": p}
            row["nearest_attainable"], row["bar_attainable"] = attainable(n, p)
            for name, ends in known.items():
                row[name] = held(ends, n, p)
                row[f"{name}_near"] = float(np.mean([held(ends, n, float(q)) for q in near]))
            out.append(row)
    return out


def held(ends: list[tuple[float, float]], n: int, p: float) -> float:
    inside = np.array([low <= p <= high for low, high in ends])
    return float(normal_pmf(n, p)[inside].sum())


def attainable(n: int, p: float) -> tuple[float, bool]:
    """Return the coverage nearest to 95 % of all runs of neighbouring counts, and whether it lies within 93–97 %."""
    sums = np.concatenate([[0.0], normal_pmf(n, p).cumsum()])  # (n + 2,)
    runs = (sums[None, :] - sums[:, None])[np.triu_indices(n + 2, k=1)]
    nearest = float(runs[np.abs(runs - 0.95).argmin()])
    return nearest, 0.93 <= nearest <= 0.97


def plain(k: int, n: int) -> tuple[float, float]:
    p = k / n
    half = 1.96 * math.sqrt(p * (1 - p) / n)
    return p - half, p + half


def means(trials: int, rng: np.random.Generator) -> list[Cell]:
    """Coverage for mean losses: −log of a Beta(4, 1) chance, whose mean is 0.25."""
    out = []
    for n in ROWS:
        log, line, boot = 0, 0, 0
        for _ in range(trials):
            x = -np.log(rng.beta(4, 1, size=n))
            a, b = mean_interval(x, scale="positive"), mean_interval(x)
            log += a.low <= 0.25 <= a.high
            line += b.low <= 0.25 <= b.high
        for trial in range(trials // 10):
            x = -np.log(rng.beta(4, 1, size=n))
            c = bootstrap_interval(x, resamples=500, seed=trial)
            boot += c.low <= 0.25 <= c.high
        out.append({"what": "mean loss", "n": n, "log_scale": log / trials, "student": line / trials,
                    "percentile_bootstrap": boot / (trials // 10), "trials": trials})  # fmt: skip
    return out


def twins(n: int, p: float, link: float, rng: np.random.Generator) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return 0/1 errors of two models with the same error rate; ``link`` of the rows have one answer for both."""
    shared = rng.random(n) < link
    first, second = (rng.random(n) > p for _ in range(2))
    return first.astype(float), np.where(shared, first, second).astype(float)


def comparisons(trials: int, rng: np.random.Generator) -> list[Cell]:
    """Share of claims where two models are equal."""
    out = []
    for n in ROWS:
        for link in (0.0, 0.5, 0.9):
            for p in (0.7, 0.95):
                wrong = 0
                for _ in range(trials):
                    a, b = twins(n, p, link, rng)
                    wrong += compare(a, b, metric="accuracy").verdict != "no evidence of difference"
                out.append({"what": "equal models, accuracy", "n": n, "p": p, "shared": link, "claims": wrong / trials,
                            "trials": trials})  # fmt: skip
            wrong, some = 0, max(200, trials // (5 if n < 100 else 1))
            for trial in range(some):
                shared = -np.log(rng.beta(4, 1, size=n))
                a, b = ((1 - link) * -np.log(rng.beta(4, 1, size=n)) + link * shared for _ in range(2))
                wrong += compare(a, b, metric="log_loss", seed=trial).verdict != "no evidence of difference"
            out.append(
                {"what": "equal models, log loss", "n": n, "shared": link, "claims": wrong / some, "trials": some}
            )
    return out


def many(trials: int, rng: np.random.Generator) -> list[Cell]:
    """Share of studies with any claim where one model is compared with k equal ones (Holm)."""
    out = []
    for k in (3, 10):
        wrong = 0
        for _ in range(trials):
            base = rng.random(200) > 0.85
            losses = {
                str(i): np.where(rng.random(200) < 0.5, base, rng.random(200) > 0.85).astype(float) for i in range(k)
            }
            found = compare_many({**losses, "base": base.astype(float)}, against="base", metric="accuracy")
            wrong += any(c.verdict != "no evidence of difference" for c in found.values())
        out.append({"what": "one against k equal models", "k": k, "claims": wrong / trials, "trials": trials})
    return out


def records(trials: int, rng: np.random.Generator) -> list[Cell]:
    """Coverage of the change against a record, and share of claims where nothing changed."""
    out = []
    for n in ROWS:
        for p, later in ((0.9, 0.9), (0.9, 0.8), (0.99, 0.95)):
            inside = claims = 0
            for _ in range(trials):
                a, b = rng.binomial(n, later), rng.binomial(400, p)
                now, then = (Measurement("accuracy", k / m, *wilson(int(k), m), m) for k, m in ((a, n), (b, 400)))
                (one,) = changes([now], {"accuracy": then})
                d = one.difference
                inside += d.low is not None and d.high is not None and d.low <= later - p <= d.high
                claims += one.verdict != "no evidence of difference"
            out.append({"what": "against a record of 400 rows", "n": n, "then": p, "now": later,
                        "coverage": inside / trials, "claims": claims / trials, "trials": trials})  # fmt: skip
    return out


def seeds(trials: int, rng: np.random.Generator) -> list[Cell]:
    """Coverage of the two-level interval for the mean over new seeds and new rows."""
    out = []
    for s in (3, 5, 10):
        for by_seed in (0.0, 0.02, 0.1):
            inside = 0
            for trial in range(trials):
                values = rng.normal(size=(s, 1)) * by_seed + rng.normal(size=(1, 200)) * 0.4
                values = values + rng.normal(size=(s, 200)) * 0.2
                found = two_level(values, resamples=400, seed=trial)
                inside += found.interval.low <= 0 <= found.interval.high
            out.append({"what": "seeds and rows", "seeds": s, "sd_over_seeds": by_seed, "rows": 200,
                        "coverage": inside / trials, "trials": trials})  # fmt: skip
    return out


def outside(cells: list[Cell]) -> list[Cell]:
    """Return the cells where Wilson's interval misses the bar, with what an interval could reach there."""
    names = ("n", "p", "wilson", "nearest_attainable", "bar_attainable")
    return [
        {name: c[name] for name in names} for c in cells if c["what"] == "share" and not 0.93 <= c["wilson"] <= 0.97
    ]


def renew_shares(path: Path) -> None:
    """Compute the exact cells of a record anew, which need no trials, and leave the simulated ones."""
    row = json.loads(path.read_text())
    row["cells"] = [*shares(), *(c for c in row["cells"] if c["what"] != "share")]
    row["summary"]["wilson_outside_93_97"] = outside(row["cells"])
    row["shares_by"] = "python benchmarks/intervals.py --shares-only"
    path.write_text(json.dumps(row, indent=1) + "\n")
    print(json.dumps(row["summary"], indent=1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RECORD)
    parser.add_argument("--shares-only", action="store_true")
    given = parser.parse_args()
    if given.shares_only:
        renew_shares(given.out)
        return
    rng, began = np.random.default_rng(given.seed), time.process_time()
    t = given.trials
    cells = [*shares(), *means(t, rng), *comparisons(t, rng), *many(t, rng), *records(t, rng), *seeds(t // 4, rng)]
    near = [c["wilson_near"] for c in cells if c["what"] == "share"]
    claims = [c["claims"] for c in cells if c["what"].startswith(("equal", "one against"))]
    summary = {
        "wilson_near": [min(near), max(near)],
        "wilson_single": [min(c["wilson"] for c in cells if c["what"] == "share"),
                          max(c["wilson"] for c in cells if c["what"] == "share")],
        "wilson_outside_93_97": outside(cells),
        "claims_of_equal_models": [min(claims), max(claims)],
        "two_level": [min(c["coverage"] for c in cells if c["what"].startswith("seeds")),
                      max(c["coverage"] for c in cells if c["what"].startswith("seeds"))],
    }  # fmt: skip
    row = {
        "command": f"python benchmarks/intervals.py --trials {t} --seed {given.seed}",
        "temperance": temperance.__version__, "python": platform.python_version(), "numpy": np.__version__,
        "seed": given.seed, "half": "none: simulated", "cpu_seconds": round(time.process_time() - began, 1),
        "summary": summary, "cells": cells,
    }  # fmt: skip
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(row, indent=1) + "\n")
    print(json.dumps(summary, indent=1))


if __name__ == "__main__":
    main()
