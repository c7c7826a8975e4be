"""A made-up study in the shape of ``study.json`` (schema 1), for tests of whatever reads one. No model is trained."""

from __future__ import annotations

import math
import random
from typing import Any

from temperance.records.cost import TrialCost
from temperance.records.measurement import Measurement
from temperance.testing.findings_example import CHECKS, findings_example
from temperance.testing.insight_example import insight_example

NAMES = (
    ("always the most common class", "basic", "majority"),
    ("regularized linear", "basic", "linear"),
    ("histogram gradient boosting", "basic", "boosting"),
    ("plain net", "plain", "mlp"),
    ("weight decay 1e-4", "single", "mlp"),
    ("dropout 0.1", "single", "mlp"),
    ("mixup 0.2", "single", "mlp"),
    ("label smoothing 0.05", "single", "mlp"),
    ("dropout 0.1 + weight decay", "cocktail", "mlp"),
    ("dropout 0.1 + weight decay, adaptive", "cocktail", "mlp"),
    ("mixup 0.2 + EMA + weight decay", "cocktail", "mlp"),
    ("SAM 0.05 + dropout 0.2", "cocktail", "mlp"),
    ("average of the three best", "ensemble", "mlp"),
)


def study_example(task: str = "binary", *, trials: int = 13, seed: int = 0, status: str = "complete") -> dict[str, Any]:
    """Return a study with every part of the contract filled.

    Args:
        task: ``binary``, ``multiclass`` or ``regression``.
        trials: count of trials, at least 4.
        seed: seed of the made-up figures.
        status: ``complete`` or ``interrupted``.

    """
    return _Example(task, max(trials, 4), random.Random(seed)).study(seed, status)


class _Example:
    """Draws the figures; ``metric`` is what the study is decided on."""

    def __init__(self, task: str, count: int, rng: random.Random) -> None:
        self.task, self.count, self.rng = task, count, rng
        self.regression = task == "regression"
        self.metric = "rmse" if self.regression else "log_loss"
        self.unit = "points" if self.regression else ""
        self.base = 54.0 if self.regression else 0.31

    def measure(self, name: str, value: float, spread: float, n: int = 400, better: str = "higher") -> dict[str, Any]:
        unit = self.unit if name in ("rmse", "mae") else ""
        made = Measurement(name, value, value - spread, value + spread, n, unit, better=better)  # type: ignore[arg-type]
        return made.to_dict()

    def study(self, seed: int, status: str) -> dict[str, Any]:
        trials = [self.trial(i) for i in range(self.count)]
        done = [t for t in trials if t["status"] == "done" and t["robustness"]]
        best = min(done, key=lambda t: t["selection"][self.metric]["value"])
        return {
            "schema": 1,
            "temperance": "0.1.0",
            "versions": {"python": "3.11.7", "torch": "2.13.0", "numpy": "2.4.6"},
            "created": "2026-11-23T14:05:00+00:00",
            "command": "temperance study churn.csv --target churned --budget 10m",
            "seed": seed,
            "device": "cpu",
            "machine": {"cpu": "Two-core test machine", "cores": 2, "memory_bytes": 8_000_000_000},
            "status": status,
            "data": self.data(),
            "roles": _roles(),
            "metric": {
                "name": self.metric,
                "better": "lower",
                "words": "how far the stated chances are from the truth",
            },
            "budget": _budget(),
            "trials": trials,
            "frontier": self.frontier(done, best),
            "winner": self.winner(trials, best),
            "findings": findings_example(len(CHECKS)),
            "bundle": "bundle",
            "ledger": "ledger.jsonl",
            "limits": [
                "The data covers 2024 only. The model may be wrong about later customers.",
                "Groups with fewer than 30 test rows were too small to judge.",
            ],
            "citations": [
                "Srivastava et al. (2014). Dropout: a simple way to prevent neural networks from overfitting."
            ],
        }

    def data(self) -> dict[str, Any]:
        classes = {"binary": ["no", "yes"], "multiclass": ["red", "green", "blue"], "regression": []}[self.task]
        target = {"regression": "progression"}.get(self.task, "churned")
        columns = [
            _column("age", 31, 62, low=18.0, high=91.0, mean=44.2),
            _column("income", 0, 1804, low=0.0, high=214000.0, mean=38120.5),
            _column("plan", 4, 3, top=[["basic", 1210], ["plus", 640], ["pro", 146]]),
            _column("region", 0, 14, top=[["north", 402], ["south", 311]]),
        ]
        if classes:
            top = [[name, 1460 // (i + 1)] for i, name in enumerate(classes)]
            columns.append(_column(target, 0, len(classes), top=top))
        schema = {
            "kind": "table",
            "image_shape": None,
            "columns": [],
            "ignored": ["customer_id"],
            "notes": [],
            "target": {"name": target, "task": self.task, "classes": classes},
        }
        return {
            "path": "/data/churn.csv",
            "sha256": "9f2c" * 16,
            "name": "churn.csv",
            "rows": 2000,
            "target": target,
            "task": self.task,
            "classes": classes,
            "schema": schema,
            "dropped": [
                {"rows": 3, "column": None, "why": "the target is missing"},
                {"rows": None, "column": "customer_id", "why": "it numbers the rows"},
            ],
            "notes": ["The column signup_date was read as a date."],
            "profile": {"columns": columns},
            "licence": None,
        }

    def trial(self, i: int) -> dict[str, Any]:
        name, kind, model = NAMES[i % len(NAMES)]
        if self.regression and i == 0:
            name, model = "always the average", "mean"
        quality = self.base * (2.1 if i == 0 else 1.24 - 0.27 * math.tanh(i / 6) + self.rng.uniform(-0.05, 0.05))
        status = "discarded" if kind == "single" and i % 3 == 1 else "done"
        made = (
            None
            if status != "done"
            else self.measure("robustness", 0.98 - 0.14 * quality / self.base - self.rng.uniform(0.0, 0.06), 0.01)
        )
        adaptive = "adaptive" in name
        return {
            "id": f"t{i:03d}",
            "name": name,
            "kind": kind,
            "model": model,
            "recipe": {"regularizers": []},
            "recipe_text": "Recipe(Dropout(p=0.1), WeightDecay(1e-4), controller=GapFeedback())"
            if adaptive
            else "Recipe()",
            "explanation": "Drops some units at random while training, and shrinks the weights a little at each step.",
            "adaptive": adaptive,
            "seed": i,
            "executor": "solo",
            "status": status,
            "why": "behind the best after a third of its training" if status == "discarded" else "",
            "epochs": 40,
            "cost": self.cost(i, kind),
            "selection": {self.metric: self.measure(self.metric, quality, 0.06 * self.base, 200, "lower")},
            "robustness": made,
            "acted": _acted() if kind == "cocktail" else [],
            "trace": self.trace() if adaptive else [],
            "history": [] if kind == "basic" else self.history(),
        }

    def cost(self, i: int, kind: str) -> dict[str, Any]:
        seconds = 0.1 if kind == "basic" else 3.0 + 2.2 * i
        return TrialCost(seconds, 4000, 210_000_000, 0.09, 0.6, 8300 + 100 * i, 16600, 42_000).to_dict()

    def history(self) -> list[dict[str, Any]]:
        return [
            {
                "epoch": e,
                "fraction": e / 40,
                "train_loss": self.base * (0.7 + 1.3 * math.exp(-e / 8)),
                "controller_loss": self.base * (0.95 + 1.05 * math.exp(-e / 7) + 0.002 * e),
            }
            for e in range(1, 41)
        ]

    def trace(self) -> list[dict[str, Any]]:
        moves = []
        for j in range(30):
            error = 0.05 * math.exp(-j / 10) + self.rng.uniform(-0.005, 0.005)
            for name, start, grow in (("dropout.p", 0.1, 0.16), ("weight_decay.coefficient", 1e-4, 4e-4)):
                value = start + grow * (1 - math.exp(-j / 8))
                moves.append(
                    {
                        "step": 20 * j,
                        "fraction": j / 30,
                        "strength": name,
                        "signal": "gap",
                        "error": error,
                        "value": value,
                        "saturated": j > 27 and name == "dropout.p",
                        "reason": "gap above its target: stronger",
                    }
                )
        return moves

    def frontier(self, done: list[dict[str, Any]], best: dict[str, Any]) -> list[dict[str, Any]]:
        toughest = max(done, key=lambda t: t["robustness"]["value"])
        cheapest = min(done[1:], key=lambda t: t["cost"]["seconds"])
        picked = {best["id"]: "best quality", toughest["id"]: "toughest", cheapest["id"]: "cheapest to train"}
        return [
            {
                "trial": t["id"],
                "quality": t["selection"][self.metric]["value"],
                "robustness": t["robustness"]["value"],
                "seconds": t["cost"]["seconds"],
                "latency_1_ms": 0.09,
                "bytes": 42000,
                "why": picked[t["id"]],
            }
            for t in done
            if t["id"] in picked
        ]

    def scores(self, lift: float) -> dict[str, Any]:
        if self.regression:
            return {
                "rmse": self.measure("rmse", 76 - 22 * lift, 5.0, better="lower"),
                "mae": self.measure("mae", 62 - 19 * lift, 4.0, better="lower"),
                "r2": self.measure("r2", 0.48 * lift, 0.06),
                "interval_coverage": self.measure("interval_coverage", 0.91, 0.03, better="neither"),
            }
        return {
            "accuracy": self.measure("accuracy", 0.73 + 0.2075 * lift, 0.023),
            "balanced_accuracy": self.measure("balanced_accuracy", 0.5 + 0.41 * lift, 0.03),
            "log_loss": self.measure("log_loss", 0.58 - 0.4 * lift, 0.03, better="lower"),
            "brier": self.measure("brier", 0.2 - 0.14 * lift, 0.01, better="lower"),
            "roc_auc": self.measure("roc_auc", 0.5 + 0.46 * lift, 0.02),
            "ece": {**self.measure("ece", 0.021, 0.012, better="lower"), "flags": ["below the noise floor"]},
        }

    def winner(self, trials: list[dict[str, Any]], best: dict[str, Any]) -> dict[str, Any]:
        main = "rmse" if self.regression else "accuracy"
        whole = self.scores(1.0)[main]["value"]
        clean = self.scores(1.0)["r2"]["value"] if self.regression else whole
        curves = [
            (family, rate, s)
            for family, rate in (("noise", 1.0), ("missing", 1.7), ("unit_error", 2.6))
            for s in range(1, 6)
        ]
        plain = next((t for t in trials if t["kind"] == "plain"), trials[-1])
        other = trials[min(len(trials) - 1, 8)]
        return {
            "trial": best["id"],
            "why": "It was best on the selection rows. No cheaper recipe came within the noise of the comparison.",
            "comparison": [
                {
                    "against": plain["id"],
                    "difference": self.measure(self.metric, 0.12 * self.base, 0.05 * self.base, 200, "lower"),
                    "p": 0.0004,
                    "decision": "clearly worse",
                },
                {
                    "against": other["id"],
                    "difference": self.measure(self.metric, 0.01 * self.base, 0.04 * self.base, 200, "lower"),
                    "p": 0.41,
                    "decision": "no clear difference",
                },
            ],
            "test": self.scores(1.0),
            "simple_test": {"trial": trials[0]["id"], "name": trials[0]["name"], "measurements": self.scores(0.0)},
            "plain_test": {"trial": plain["id"], "measurements": self.scores(0.86)},
            "boosting_test": {"trial": trials[2]["id"], "measurements": self.scores(0.97)},
            "bought": self.bought(main),
            "robustness": [
                {
                    "family": f,
                    "severity": s,
                    "measurement": self.measure(f"robustness/{f}/{s}", clean - 0.025 * clean * rate * s, 0.03 * clean),
                }
                for f, rate, s in curves
            ],
            "slices": self.slices("mae", self.scores(1.0)["mae"]["value"])
            if self.regression
            else self.slices(main, whole),
            "calibration": None
            if self.regression
            else {"calibrator": {"kind": "temperature", "value": 1.2}, "n": 300, "share": 0.7, "tried": []},
            "reliability": [] if self.regression else self.reliability(),
            "insight": insight_example(self.task),  # type: ignore[arg-type]
            "cost": best["cost"],
        }

    def reliability(self) -> list[dict[str, Any]]:
        return [
            {
                "low": i / 10,
                "high": (i + 1) / 10,
                "confidence": i / 10 + 0.05,
                "accuracy": _near(self.rng, i),
                "accuracy_low": max(0.0, i / 10 - 0.06),
                "accuracy_high": min(1.0, i / 10 + 0.16),
                "n": 12 + 9 * i,
            }
            for i in range(5 if self.task == "binary" else 2, 10)
        ]

    def bought(self, main: str) -> list[dict[str, Any]]:
        return [
            {
                "metric": main,
                "difference": self.measure(
                    main,
                    -3.1 if self.regression else 0.029,
                    1.4 if self.regression else 0.013,
                    better="lower" if self.regression else "higher",
                ),
                "cost_ratio": 1.21,
                "sentence": "It made fewer mistakes than the plain net.",
            },
            {
                "metric": self.metric,
                "difference": self.measure(self.metric, -0.1 * self.base, 0.12 * self.base, better="lower"),
                "cost_ratio": 1.21,
                "sentence": "The difference is within the noise.",
            },
        ]

    def slices(self, main: str, whole: float) -> list[dict[str, Any]]:
        worse = 1.25 if self.regression else 0.86
        rows = [
            ("plan", "pro", 41, worse, "worse"),
            ("plan", "basic", 242, 1.01, "same"),
            ("region", "north", 80, 0.99, "same"),
            ("region", "island", 7, 0.8, "too_small"),
        ]
        return [
            {
                "column": column,
                "value": value,
                "n": n,
                "measurement": self.measure(
                    main, whole * share, 0.4 / math.sqrt(n) * whole, n, "lower" if self.regression else "higher"
                ),
                "difference": self.measure(main, whole * (share - 1), 0.3 / math.sqrt(n) * whole, n),
                "state": state,
            }
            for column, value, n, share, state in rows
        ]


def _column(name: str, missing: int, unique: int, **known: Any) -> dict[str, Any]:
    row = {"name": name, "kind": "categorical" if "top" in known else "numeric", "missing": missing, "unique": unique}
    return {**row, "low": None, "high": None, "mean": None, "top": [], **known}


def _near(rng: random.Random, i: int) -> float:
    return min(1.0, i / 10 + 0.05 + rng.uniform(-0.06, 0.06))


def _roles() -> dict[str, Any]:
    counts = {"train": 1120, "controller": 160, "selection": 160, "calibration": 160, "test": 400}
    return {
        "scheme": "Rows were drawn at random within each class.",
        "counts": counts,
        "folds": 0,
        "test_is_separate": False,
    }


def _budget() -> dict[str, Any]:
    return {
        "kind": "clock",
        "seconds": 600.0,
        "trials": None,
        "reserved": {"refit": 40.0, "evaluation": 30.0, "export": 25.0, "report": 2.0},
        "spent": {
            "read": 0.8,
            "audit": 12.0,
            "search": 452.0,
            "refit": 38.1,
            "evaluation": 27.4,
            "export": 22.9,
            "report": 0.6,
            "total": 553.8,
        },
        "left_out": [{"what": "ensemble of five", "why": "its training did not fit into the time left"}],
    }


def _acted() -> list[dict[str, Any]]:
    return [
        {"ingredient": "Dropout", "acted": True, "evidence": "12 % of units dropped in training, 0 at inference"},
        {"ingredient": "WeightDecay", "acted": True, "evidence": "the weights shrank by 4 % against the plain net"},
    ]
