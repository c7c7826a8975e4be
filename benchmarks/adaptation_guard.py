"""What the guarded label-shift correction gains and risks, beside the same correction without a guard.

    python benchmarks/adaptation_guard.py              # about two minutes of CPU; resumes: finished cells are kept

Record: benchmarks/records/adaptation_guard.json. A cell is a model × a stream of 10,000 requests, one at a time;
figures are the change against the source model in accuracy (points) and log score (nats), mean and worst over the
seeds. "Inputs checked" asks the monitor whether class shares alone explain the inputs. Models:
``exact`` is the true posterior of two normal classes; ``digits`` is a logistic regression on scikit-learn's digits (ten
classes, requests drawn with replacement from its held-out half); ``sharp`` is ``exact`` made too sure of itself
(logits × 2).
Settings are the defaults on every stream: nothing is tuned per stream.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np

from temperance import __version__
from temperance.adaptation.adapters.label_shift import LabelShift
from temperance.adaptation.guard import Guarded
from temperance.adaptation.inputs import InputCheck
from temperance.monitoring.monitor import Monitor
from temperance.monitoring.reference import build
from temperance.records.schema import Column, Rows, Schema, Target

RECORD = Path(__file__).parent / "records" / "adaptation_guard.json"
REQUESTS, KNOWN = 10_000, 1_000
KINDS = ("guarded", "guarded, inputs checked", "guarded, inputs checked, 5 % labels", "unguarded")
EMPTY = np.empty((1, 0), np.int32)
MEANS = np.array([0.9, 0.4])


class Normals:
    """Two normal classes at ±MEANS; ``sharp`` multiplies the model's logits."""

    classes = 2
    schema = Schema((Column("a", "numeric"), Column("b", "numeric")), Target("y", "binary", ("0", "1")))

    def __init__(self, sharp: float = 1.0) -> None:
        self.sharp = sharp

    def draw(self, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return rng.normal(size=(len(y), 2)) + np.outer(2 * y - 1, MEANS)

    def truth(self, x: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-2 * (x @ MEANS)))

    def predict(self, x: np.ndarray) -> np.ndarray:
        p = 1 / (1 + np.exp(-2 * self.sharp * (x @ MEANS)))
        return np.stack([1 - p, p], axis=1)

    def moved(self, rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
        y = rng.integers(0, 2, REQUESTS)
        for name, shift, scale in (
            ("inputs moved 0.3", 0.3, 1.0),
            ("inputs moved 0.8", 0.8, 1.0),
            ("inputs moved 1.5", 1.5, 1.0),
            ("inputs spread × 1.5", 0.0, 1.5),
        ):
            x = self.draw(y, rng) * scale + np.array([shift, 0.0])
            yield name, x, (rng.random(REQUESTS) < self.truth(x)).astype(int)
        yield "concept moved: inputs 0.8, outcome kept", self.draw(y, rng) + np.array([0.8, 0.0]), y


class Digits:
    """Logistic regression on digits; a request is a held-out image."""

    classes = 10
    schema = Schema(
        tuple(Column(f"p{i}", "numeric") for i in range(64)), Target("y", "multiclass", tuple("0123456789"))
    )

    def __init__(self) -> None:
        from sklearn.datasets import load_digits
        from sklearn.linear_model import LogisticRegression

        x, y = load_digits(return_X_y=True)
        order = np.random.default_rng(0).permutation(len(x))
        fit, rest = order[:500], order[500:]
        noise = np.random.default_rng(1).normal(size=x.shape) * 6
        self.model = LogisticRegression(C=0.01, max_iter=300).fit(x[fit] + noise[fit], y[fit])
        self.x, self.y = x[rest] + noise[rest], y[rest]

    def draw(self, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        pools = [np.flatnonzero(self.y == k) for k in range(10)]
        return self.x[[pools[k][int(u * len(pools[k]))] for k, u in zip(y, rng.random(len(y)), strict=True)]]

    def predict(self, x: np.ndarray) -> np.ndarray:
        return self.model.predict_proba(x)

    def moved(self, rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
        y = rng.integers(0, 10, REQUESTS)
        x = self.draw(y, rng)
        yield "inputs × 0.7", x * 0.7, y
        yield "inputs with noise", x + rng.normal(size=x.shape) * 4, y
        yield "inputs moved up", x + 3.0, y


def streams(world: Normals | Digits, rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    c, n = world.classes, REQUESTS
    base = rng.integers(0, c, n)

    def share(p: float, size: int = n) -> np.ndarray:
        first = rng.random(size) < p
        return np.where(first, c - 1, rng.integers(0, c - 1, size))

    orders = {
        "no shift": base,
        "sorted by class": np.sort(base),
        "sorted, runs of 500": np.repeat(rng.integers(0, c, n // 500), 500),
        "bursts of 50": np.repeat(rng.integers(0, c, n // 50), 50),
        "one class 0.6": share(0.6),
        "one class 0.8": share(0.8),
        "one class 0.95": share(0.95),
        "one class 0.8, then back": np.concatenate([share(0.8, n // 2), base[: n - n // 2]]),
    }
    for name, y in orders.items():
        yield name, world.draw(y, rng), y
    yield from world.moved(rng)


def serve(world: Normals | Digits, reference: dict[str, np.ndarray], x: np.ndarray, y: np.ndarray, kind: str) -> dict:
    p = world.predict(x)
    if kind == "unguarded":
        adapter = LabelShift()
        state, out = adapter.begin(reference), np.empty_like(p)
        for i in range(0, len(p), 64):
            out[i : i + 64] = adapter.apply(state, p[i : i + 64])
            state = adapter.adapt(state, p[i : i + 64])
        events, served = 0, 1.0
    else:
        watch = Monitor(reference, world.schema)
        inputs = InputCheck(watch) if "inputs" in kind else None
        guarded, out = Guarded(LabelShift(), reference, level="adapt", inputs=inputs), np.empty_like(p)
        labelled = np.random.default_rng(0).random(len(p)) < (0.05 if "labels" in kind else 0.0)
        for i in range(len(p)):
            if inputs is not None:
                watch.observe(Rows(x[i : i + 1], EMPTY), p[i : i + 1])
            out[i] = guarded.transform(p[i : i + 1])[0]
            if labelled[i]:
                guarded.feedback(p[i : i + 1], y[i : i + 1])
        events = sum(e["event"] == "promote" for e in guarded.log.events)
        served = float((out != p).any(axis=1).mean())
    row = np.arange(len(y))
    return {
        "points": 100 * float((out.argmax(1) == y).mean() - (p.argmax(1) == y).mean()),
        "nats": float((np.log(np.maximum(out[row, y], 1e-9)) - np.log(np.maximum(p[row, y], 1e-9))).mean()),
        "promotions": events,
        "served_adapted": served,
    }


def run(world: Normals | Digits, seeds: int) -> dict[str, dict[str, dict[str, object]]]:
    found: dict[str, dict[str, list[dict]]] = {}
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        y = rng.integers(0, world.classes, KNOWN)
        x = world.draw(y, rng)
        known = Rows(x, np.empty((KNOWN, 0), np.int32))
        reference = build(known, world.predict(x), world.schema, target=y)
        for name, x, truth in streams(world, rng):
            for kind in KINDS:
                found.setdefault(name, {}).setdefault(kind, []).append(serve(world, reference, x, truth, kind))
    return {
        name: {
            kind: {
                "points_mean": round(float(np.mean([r["points"] for r in rows])), 3),
                "points_worst": round(min(r["points"] for r in rows), 3),
                "nats_mean": round(float(np.mean([r["nats"] for r in rows])), 4),
                "nats_worst": round(min(r["nats"] for r in rows), 4),
                "promotions": sum(r["promotions"] for r in rows),
                "served_adapted": round(float(np.mean([r["served_adapted"] for r in rows])), 3),
            }
            for kind, rows in kinds.items()
        }
        for name, kinds in found.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--fresh", action="store_true", help="forget finished cells")
    options = parser.parse_args()
    record = {} if options.fresh or not RECORD.exists() else json.loads(RECORD.read_text())
    record |= {
        "command": " ".join(["python", *sys.argv]),
        "versions": {"temperance": __version__, "numpy": np.__version__, "python": platform.python_version()},
        "seeds": options.seeds,
        "requests": REQUESTS,
        "not_verified": "three small models; streams are simulated; digits requests repeat held-out images",
    }
    done = record.setdefault("cells", {})
    for name, make in (("exact", Normals), ("sharp", lambda: Normals(2.0)), ("digits", Digits)):
        if name not in done:
            begin = time.process_time()
            done[name] = {"streams": run(make(), options.seeds)}
            done[name]["cpu_seconds"] = round(time.process_time() - begin, 1)
            swap = RECORD.with_suffix(".tmp")
            swap.write_text(json.dumps(record, indent=1) + "\n")
            os.replace(swap, RECORD)
        for stream, kinds in done[name]["streams"].items():
            figures = " | ".join(
                f"{k}: {v['points_mean']:+.2f} (worst {v['points_worst']:+.2f}) {v['nats_worst']:+.3f} nats"
                for k, v in kinds.items()
            )
            print(f"{name:7s}{stream:28s}{figures}", flush=True)


if __name__ == "__main__":
    main()
