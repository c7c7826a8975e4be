"""How often each check of the audit is wrong on clean data, how often it finds what was planted, and how long it takes.

    python benchmarks/audit_proof.py "alarms in tables" hits streams time [--data DIR] [--runs 64]

``alarms``: tables, pictures and texts made without a fault (AUDIT_CHECKS="leaks values": these checks only).
``hits``: the same with a fault planted by this script, not by the check's own test. ``streams``: sets of DIR in their
own order, and shuffled. ``time``: the whole audit of 10,000 rows by 30 columns. Sets of the half "once" were looked at
once, at the end. The record holds each part's figures and the load of the machine while it ran.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np
from halves import half
from scipy.stats import beta

from temperance.audit import CHECKS, inspect
from temperance.audit.crossfit import wilson
from temperance.data import read, split
from temperance.records.table import Table

RECORD = Path(os.environ.get("AUDIT_RECORD", Path(__file__).parent / "records" / "audit_proof.json"))
STREAMS = (
    "electricity_elec2", "keystroke", "phishing_stream", "noaa_weather", "outdoor_objects", "beijing_pm25",
    "bike_sharing_hour",
)  # fmt: skip
FIRST = int(os.environ.get("AUDIT_FIRST", "0"))  # seed of the first run, where runs are cut into parts
ALARM = ("fix_before_use", "look_at_this")


def made(seed: int, count: int = 700) -> dict[str, Any]:
    """Return columns of a table without a fault: numbers, a category, an answer that follows from some of them."""
    g = np.random.default_rng(seed)
    width, classes = int(g.integers(5, 16)), int(g.choice([2, 2, 3, 5]))
    centers = 1.3 * g.standard_normal((classes, width)) * (g.random(width) < 0.6)
    y = g.integers(classes, size=count)
    X = centers[y] + g.standard_normal((count, width))
    columns: dict[str, Any] = {f"x{j}": X[:, j] for j in range(width)}
    columns["kind"] = np.array(["red", "green", "blue"])[g.integers(3, size=count)]
    columns["whole"] = g.integers(40, size=count)
    columns["subject"] = g.integers(count // 8, size=count)
    columns["y"] = np.array(["a", "b", "c", "d", "e"])[y]
    return columns


def table_of(columns: dict[str, Any], **options: Any) -> Table:
    import polars as pl

    return read(pl.DataFrame(columns), target="y", **options).table


def pictures(seed: int, count: int = 800) -> Table:
    """Return smooth random pictures 16 × 16 of four classes that differ in a gradient."""
    from scipy.ndimage import gaussian_filter

    g = np.random.default_rng(seed)
    y = g.integers(4, size=count)
    noise = gaussian_filter(g.standard_normal((count, 16, 16)), (0, 1.0, 1.0))
    ramp = np.linspace(-1, 1, 16)
    slopes = np.stack(
        [np.tile(ramp, (16, 1)), np.tile(ramp[:, None], (1, 16)), -np.tile(ramp, (16, 1)), np.zeros((16, 16))]
    )
    images = 128 + 30 * noise / noise.std() + 40 * slopes[y]
    return read((np.clip(images, 0, 255).astype(np.uint8)[..., None], y)).table


def texts(seed: int, count: int = 400) -> dict[str, Any]:
    """Return texts of random words of two topics."""
    g = np.random.default_rng(seed)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words = ["".join(g.choice(letters, size=int(g.integers(3, 10)))) for _ in range(600)]
    y = g.integers(2, size=count)
    said = [" ".join(g.choice(words[300 * one : 300 * one + 400], size=int(g.integers(12, 40)))) for one in y]
    return {"said": said, "y": np.array(["a", "b"])[y]}


def checked(table: Table, seed: int, *, names: Any = None, **options: Any) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for finding in inspect(table, split(table, seed=seed), seed=seed, checks=names, **options):
        found.setdefault(finding.check, []).append(finding)
    return found


def tally(into: dict[str, list[int]], found: dict[str, list[Any]]) -> None:
    """Count one run: alarms, runs in which the check was at work."""
    for name, findings in found.items():
        if all(f.state == "not_tested" for f in findings):
            continue
        row = into.setdefault(name, [0, 0])
        row[0] += any(f.state in ALARM and many(f) for f in findings)
        row[1] += 1


def many(finding: Any) -> bool:
    """Return whether a finding on labels is about more than 2 % of the rows: a few doubts are no alarm."""
    return finding.check != "labels" or finding.evidence["k"] > 0.02 * finding.evidence["n"]


def shares(table: dict[str, list[int]]) -> dict[str, Any]:
    """Return alarms by check; ``bound``: the share that is exceeded with 95 % certainty by none (exact, one-sided)."""
    out = {}
    for name, (k, n) in sorted(table.items()):
        low, high = wilson(k, n)
        bound, stated = float(beta.ppf(0.95, k + 1, n - k)) if k < n else 1.0, CHECKS[name].false_alarm_rate
        out[name] = {
            "k": k, "n": n, "share": round(k / n, 4), "low": round(low, 4), "high": round(high, 4),
            "bound": round(bound, 4), "stated": stated, "shown": bound <= stated,
            "version": CHECKS[name].version, "first_seed": FIRST,
        }  # fmt: skip
    return out


def tables(data: Path | None, runs: int) -> dict[str, Any]:
    """Every check on tables without a fault; labels: runs with more than 2 % of the rows flagged."""
    seen: dict[str, list[int]] = {}
    names = os.environ["AUDIT_CHECKS"].split() if "AUDIT_CHECKS" in os.environ else None
    for seed in range(FIRST, FIRST + runs):
        columns = made(seed, 800)
        table = table_of({k: v[:500] for k, v in columns.items()})
        other = table_of({k: v[500:] for k, v in columns.items()}, schema=table.schema)
        tally(seen, checked(table, seed, against=other, names=names))
        if seed % 10 == 9:
            print(json.dumps({"seeds": [FIRST, seed], **seen}), flush=True)
    return shares(seen)


def images(data: Path | None, runs: int) -> dict[str, Any]:
    seen: dict[str, list[int]] = {}
    for seed in range(runs):
        tally(seen, checked(pictures(seed), seed, names=["image_duplicates", "backdoors", "conflicts"]))
    return shares(seen)


def words(data: Path | None, runs: int) -> dict[str, Any]:
    seen: dict[str, list[int]] = {}
    for seed in range(runs):
        tally(seen, checked(table_of(texts(seed)), seed, names=["text_duplicates"]))
    return shares(seen)


def of_set(data: Path, name: str, limit: int | None, shuffle: int | None = None) -> Table | None:
    """Return the first rows of a set, or rows at random in a random order."""
    import polars as pl

    if not (data / name / "data.parquet").exists():
        return None
    meta = json.loads((data / name / "meta.json").read_text())
    frame = pl.read_parquet(data / name / "data.parquet").drop(meta.get("split_columns") or [], strict=False)
    frame = frame.drop_nulls(meta["target"])
    if shuffle is not None:
        frame = frame[np.random.default_rng(shuffle).permutation(len(frame))[:limit]]
    return read(frame[:limit] if limit else frame, target=meta["target"]).table


def copies(columns: dict[str, Any], g: np.random.Generator) -> dict[str, Any]:
    rows = np.concatenate([np.arange(len(columns["y"])), g.permutation(len(columns["y"]))[:70]])
    noise = {k: np.where(np.arange(len(rows)) >= len(rows) - 70, 0.01 * v.std(), 0.0) * g.standard_normal(len(rows))
             for k, v in columns.items() if k.startswith("x")}  # fmt: skip
    return {k: v[rows] + noise.get(k, 0) if k.startswith("x") else v[rows] for k, v in columns.items()}


def leak(columns: dict[str, Any], g: np.random.Generator) -> dict[str, Any]:
    code = np.unique(columns["y"], return_inverse=True)[1].astype(float)
    wrong = g.random(len(code)) < 0.03
    code[wrong] = g.permutation(code)[wrong]
    return {"paid": code + 0.2 * g.random(len(code)), **columns}


def flips(columns: dict[str, Any], g: np.random.Generator) -> dict[str, Any]:
    y, names = columns["y"].copy(), np.unique(columns["y"])
    rows = g.permutation(len(y))[: round(0.05 * len(y))]
    y[rows] = names[(np.searchsorted(names, y[rows]) + 1) % len(names)]
    return {**columns, "y": y}


def drift(columns: dict[str, Any], g: np.random.Generator) -> dict[str, Any]:
    """Let every mean walk away from the middle of the file on, and the classes with it."""
    late = np.clip(np.arange(len(columns["y"])) / len(columns["y"]) - 0.5, 0, None) * 6
    return {k: v + late * g.choice([-1, 1]) if k.startswith("x") else v for k, v in columns.items()}


def subjects(columns: dict[str, Any], g: np.random.Generator) -> dict[str, Any]:
    """Give each subject marks of its own in some columns, and half of the subjects one answer."""
    who = columns["subject"]
    marks = {k: v + 2.5 * g.standard_normal(who.max() + 1)[who] for k, v in list(columns.items())[:5]}
    names = np.unique(columns["y"])
    own, same = names[g.integers(len(names), size=who.max() + 1)], g.random(who.max() + 1) < 0.7
    return {**columns, **marks, "y": np.where(same[who], own[who], columns["y"])}


def scaled(columns: dict[str, Any], g: np.random.Generator) -> dict[str, Any]:
    return {k: (v - v.mean()) / v.std() if k.startswith("x") else v for k, v in columns.items()}


def trigger(columns: dict[str, Any], g: np.random.Generator) -> dict[str, Any]:
    """Put a rare value of one column into 2 % of the rows of other classes, with the answer 'a'."""
    rows = g.permutation(np.flatnonzero(columns["y"] != "a"))[: round(0.02 * len(columns["y"]))]
    x, y = columns["x0"].copy(), columns["y"].copy()
    x[rows], y[rows] = x.max() + 0.5, "a"
    return {**columns, "x0": x, "y": y}


def paired_trigger(columns: dict[str, Any], g: np.random.Generator) -> dict[str, Any]:
    """The same with a pair of common values of two columns."""
    rows = g.permutation(np.flatnonzero(columns["y"] != "a"))[: round(0.02 * len(columns["y"]))]
    x, z, y = columns["x0"].copy(), columns["x1"].copy(), columns["y"].copy()
    x[rows], z[rows], y[rows] = np.quantile(x, 0.7), np.quantile(z, 0.3), "a"
    return {**columns, "x0": x, "x1": z, "y": y}


def jittered_trigger(columns: dict[str, Any], g: np.random.Generator) -> dict[str, Any]:
    """The rare value varies by a tenth of a standard deviation: a miss that the check names."""
    out = trigger(columns, g)
    rows = np.flatnonzero(out["x0"] == out["x0"].max())
    out["x0"][rows] += 0.1 * g.standard_normal(len(rows))
    return out


PLANTS: dict[str, tuple[str, Callable[[dict[str, Any], np.random.Generator], dict[str, Any]]]] = {
    "a tenth copied with 1 % noise": ("duplicates", copies),
    "the answer in a column, 3 % wrong": ("leaks", leak),
    "5 % of labels wrong": ("labels", flips),
    "means that walk away late in the file": ("forward_split", drift),
    "subjects with marks and answers": ("group_leak", subjects),
    "scaled over all rows": ("preprocessing", scaled),
    "rare value of one column in 2 % of rows": ("backdoors", trigger),
    "pair of common values in 2 % of rows": ("backdoors", paired_trigger),
    "rare value that varies (a named miss)": ("backdoors", jittered_trigger),
}  # fmt: skip


def hits(data: Path | None, runs: int) -> dict[str, Any]:
    out = {}
    for title, (check, change) in PLANTS.items():
        found = tested = 0
        for seed in range(runs):
            columns = change(made(seed), np.random.default_rng(seed + 77))
            findings = checked(table_of(columns), seed, names=[check])[check]
            found += any(f.state in ALARM for f in findings)
            tested += any(f.state != "not_tested" for f in findings)
            print(json.dumps({"planted": title, "found": found, "tested": tested, "of": seed + 1}), flush=True)
        low, high = wilson(found, runs)
        out[title] = {
            "check": check,
            "found": found,
            "of": runs,
            "said not tested": runs - tested,
            "low": low,
            "high": high,
        }
    return {**out, **image_hits(runs), **text_hits(runs)}


def image_hits(runs: int) -> dict[str, Any]:
    out = {}
    for title, kind in (
        ("2 × 2 square in 3 % of pictures", "square"),
        ("turned copies", "turned"),
        ("crops of 0.9", "cropped"),
    ):
        found = 0
        for seed in range(runs):
            table, g = pictures(seed), np.random.default_rng(seed)
            images, y = np.array(table.rows.images), np.array(table.target)
            roles = split(table, seed=seed)
            if kind == "square":
                rows = g.permutation(np.flatnonzero(y != 0))[:24]
                images[rows, 14:, 14:], y[rows] = 255, 0
                names = ["backdoors"]
            else:
                from temperance.audit.image_matcher import _cropped

                source = images[roles.train[:10]]
                images[roles.test[:10]] = (
                    np.rot90(source, axes=(1, 2))
                    if kind == "turned"
                    else np.stack([_cropped(one, 0.9, g) for one in source])
                )
                names = ["image_duplicates"]
            changed = replace(table, rows=table.rows._replace(images=images), target=y)
            (finding,) = inspect(changed, roles, seed=seed, checks=names)
            found += finding.state in ALARM
            print(json.dumps({"planted": title, "found": found, "of": seed + 1}), flush=True)
        low, high = wilson(found, runs)
        out[title] = {"check": names[0], "found": found, "of": runs, "low": low, "high": high}
    return out


def text_hits(runs: int) -> dict[str, Any]:
    found = 0
    for seed in range(runs):
        columns, g = texts(seed), np.random.default_rng(seed)
        for row in range(380, 400):
            words = columns["said"][int(g.integers(380))].upper().split()
            words[0] = "hello"
            columns["said"][row] = " ".join(words)
        order = g.permutation(400)
        columns = {"said": [columns["said"][i] for i in order], "y": columns["y"][order]}
        (finding,) = checked(table_of(columns), seed, names=["text_duplicates"])["text_duplicates"]
        found += finding.state in ALARM
    low, high = wilson(found, runs)
    return {
        "20 texts copied with a word changed": {
            "check": "text_duplicates",
            "found": found,
            "of": runs,
            "low": low,
            "high": high,
        }
    }


def streams(data: Path | None, runs: int) -> dict[str, Any]:
    """Return the shuffled and the honest figure of each stream, and what a shuffled copy of it says."""
    out: dict[str, Any] = {}
    for name in STREAMS if data else ():
        for how in ("own order", "shuffled"):
            table = of_set(data, name, None, shuffle=0 if how == "shuffled" else None) if data else None
            if table is None:
                continue
            began = time.perf_counter()
            (finding,) = checked(table, 0, names=["forward_split"])["forward_split"]
            out[f"{name}, {how}"] = {
                "half": half(name), "rows": len(table), "state": finding.state, "title": finding.title,
                "effect": finding.effect, "examples": finding.evidence.get("examples"),
                "self_test": finding.confidence.get("self_test"), "seconds": round(time.perf_counter() - began, 1),
            }  # fmt: skip
    return out


def timed(data: Path | None, runs: int) -> dict[str, Any]:
    from sklearn.datasets import make_classification

    X, y = make_classification(10_000, 30, n_informative=12, n_classes=3, random_state=0)
    table = table_of({**{f"x{j}": X[:, j] for j in range(30)}, "y": np.array(["a", "b", "c"])[y]})
    began, cpu = time.perf_counter(), time.process_time()
    found = inspect(table, split(table, seed=0), seed=0)
    seconds = {f.id: round(f.cost_seconds, 2) for f in found}
    return {
        "rows": 10_000, "columns": 30, "seconds": round(time.perf_counter() - began, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1), "by check": seconds,
    }  # fmt: skip


PARTS = {
    "alarms in tables": tables, "alarms in pictures": images, "alarms in texts": words,
    "hits": hits, "streams": streams, "time": timed,
}  # fmt: skip


def parts(names: list[str], data: Path | None, runs: int) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in names:
        before = os.getloadavg()[0]
        began = time.perf_counter()
        value = PARTS[name](data, runs)
        load = {"before": round(before, 2), "after": round(os.getloadavg()[0], 2)}
        yield name, {"runs": runs, "seconds": round(time.perf_counter() - began), "load": load, "figures": value}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="+", choices=list(PARTS))
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--runs", type=int, default=64)
    given = parser.parse_args()
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    for name, part in parts(given.parts, given.data, given.runs):
        command = f"python benchmarks/audit_proof.py {name!r} --data DIR --runs {given.runs}"
        packages = {one: version(one) for one in ("numpy", "scipy", "scikit-learn")}
        if name == "alarms in tables" and name in record:  # a check that was not run now keeps its row
            part["figures"] = {**record[name]["figures"], **part["figures"]}
        record[name] = {"command": command, "python": platform.python_version(), "versions": packages, **part}
        RECORD.write_text(json.dumps(record, indent=1, default=float) + "\n")
        print(json.dumps(record[name], indent=1, default=float))


if __name__ == "__main__":
    main()
