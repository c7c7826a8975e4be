"""Are near copies found at any share of the rows, and is the check silent where there are none?

    python benchmarks/near_copies.py --data DIR [--half tuned] [--out FILE] [--go-on]

Each table of DIR (1,000 rows at random) three times: as it is; with each column shuffled among the rows of one
answer, so that no row is a copy of another but for chance (two seeds); and with copies of rows at random appended: 1,
5, 10 and 30 % of the rows, in which every number moved by 1 % of its column's spread (columns of nearly one value
stay), or up to three values were exchanged. Then the rows are mixed and split. Told: test rows blamed where nothing
was planted; and of the test rows that a planted pair puts beside a row for learning, the share found. Rows that
repeat in the set itself are left out of the first count.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np
from audit_proof import of_set
from halves import half

from temperance.audit.context import Context
from temperance.audit.crossfit import wilson
from temperance.audit.duplicates import Duplicates, Finder
from temperance.audit.features import Ruler
from temperance.data import split
from temperance.records.schema import Rows
from temperance.records.table import Table

RECORD = Path(__file__).parent / "records" / "near_copies.json"
SHARES = (0.01, 0.05, 0.1, 0.3)
ROWS = 1000
SHUFFLES = 2


def with_rows(table: Table, rows: Rows, target: Any) -> Table:
    return replace(table, rows=rows, target=target, group=None, time=None, weight=None)


def shuffled(table: Table, seed: int) -> Table:
    """Return rows whose columns were shuffled among the rows of one answer (numbers: one tenth of the answers)."""
    g = np.random.default_rng(seed)
    y = np.asarray(table.target)
    groups = y if y.dtype.kind != "f" else np.digitize(y, np.quantile(y, np.arange(0.1, 1, 0.1)))
    parts = [None if part is None else part.copy() for part in table.rows]
    for part in parts:
        for j in range(0 if part is None else part.shape[1]):
            for one in np.unique(groups):
                rows = np.flatnonzero(groups == one)
                part[rows, j] = part[g.permutation(rows), j]
    return with_rows(table, Rows(*parts), y)


def planted(table: Table, share: float, kind: str, seed: int) -> tuple[Table, np.ndarray[Any, Any]]:
    """Return the table with copies appended, and for each row its original (itself, where it is none)."""
    g = np.random.default_rng(seed)
    source = g.permutation(len(table))[: max(1, round(share * len(table)))]
    copy = table.rows.take(source)
    if kind == "noise":
        low, high = np.nanpercentile(table.rows.numeric, [1, 99], axis=0)
        spread = np.where(low < high, Ruler.fit(table.rows).spread, 0.0)  # a column of one value stays as it is
        copy = copy._replace(numeric=copy.numeric + 0.01 * spread * g.standard_normal(copy.numeric.shape))
    else:
        changed = copy.numeric.copy()
        for i in range(len(source)):
            for j in g.permutation(changed.shape[1])[: int(g.integers(1, 4))]:
                changed[i, j] = table.rows.numeric[int(g.integers(len(table))), j]
        copy = copy._replace(numeric=changed)
    rows = Rows.stack((table.rows, copy))
    target = np.concatenate([np.asarray(table.target), np.asarray(table.target)[source]])
    return with_rows(table, rows, target), np.concatenate([np.arange(len(table)), source])


def looked(table: Table, seed: int) -> tuple[Context, Any, Any]:
    context = Context(table, split(table, seed=seed), None, seed)
    sample = context.sample("duplicates")
    test = context.testing[1]
    return context, test, Finder(Duplicates(), context, sample).match(table.rows.take(test))


def clean(table: Table, seed: int) -> dict[str, int]:
    """Return how many test rows were blamed by the rules for near and for edited copies."""
    _, test, found = looked(table, seed)
    new = found.exact < 0
    return {"near": int((found.near >= 0).sum()), "edited": int(((found.edited >= 0) & new).sum()), "test": len(test)}


def hit(table: Table, share: float, kind: str, seed: int) -> dict[str, int]:
    """Return the test rows with an original, or a copy, among the rows for learning, and those found."""
    made, origin = planted(table, share, kind, seed)
    context, test, found = looked(made, seed)
    alike = np.isin(origin[test], origin[context.development])
    hits, wrong = int(found.copies[alike].sum()), int(found.copies[~alike].sum())
    return {"there": int(alike.sum()), "found": hits, "blamed": wrong, "test": len(test)}


def of_one(data: Path, name: str) -> dict[str, Any] | None:
    table = of_set(data, name, ROWS, shuffle=0)
    if table is None or table.rows.images is not None or table.schema.text or table.schema.series:
        return None
    out: dict[str, Any] = {"half": half(name), "rows": len(table), "columns": len(table.schema.columns)}
    out["as it is"] = clean(table, 0)
    out["shuffled"] = [clean(shuffled(table, seed), seed) for seed in range(SHUFFLES)]
    numbers = table.rows.numeric.shape[1]
    if numbers >= 3:
        out["noise"] = {str(share): hit(table, share, "noise", 0) for share in SHARES}
    if numbers >= 12:
        out["three values"] = {str(share): hit(table, share, "three values", 0) for share in SHARES}
    return out


def summary(sets: dict[str, Any]) -> dict[str, Any]:
    made = [one for row in sets.values() for one in row["shuffled"]]
    alarms = sum(one["near"] + one["edited"] > 0 for one in made)
    own = [name for name, row in sets.items() if row["as it is"]["near"] + row["as it is"]["edited"]]
    out: dict[str, Any] = {
        "clean copies of sets": len(made), "with an alarm": alarms,
        "share": alarms / len(made), "interval": wilson(alarms, len(made)), "stated": Duplicates.false_alarm_rate,
        "clean rows": sum(one["test"] for one in made),
        "clean rows blamed": sum(one["near"] + one["edited"] for one in made),
        "sets as they are": len(sets), "of them with near or edited copies": own,
    }  # fmt: skip
    for kind in ("noise", "three values"):
        for share in SHARES:
            rows = [row[kind][str(share)] for row in sets.values() if kind in row]
            rates = [row["found"] / row["there"] for row in rows if row["there"]]
            out[f"{kind}, {share:.0%}"] = {
                "sets": len(rates), "more than half found": sum(r > 0.5 for r in rates),
                "none found": sum(r == 0 for r in rates), "mean share found": float(np.mean(rates)),
                "rows without an original blamed": sum(row["blamed"] for row in rows),
            }  # fmt: skip
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--half", choices=("tuned", "once"), default="tuned")
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--go-on", action="store_true", help="keep the sets of the record")
    parser.add_argument("--out", type=Path, default=RECORD)
    given = parser.parse_args()
    record = json.loads(given.out.read_text()) if given.out.exists() else {}
    sets = dict(record.get(given.half, {}).get("sets", {})) if given.go_on else {}
    names = [p.name for p in sorted(given.data.iterdir()) if (p / "data.parquet").exists()]
    for name in names:
        if half(name) != given.half or name in sets or (given.only and name not in given.only):
            continue
        found = of_one(given.data, name)
        if found is None:
            continue
        sets[name] = found
        print(name, json.dumps(found), flush=True)
        record[given.half] = {
            "command": f"python benchmarks/near_copies.py --data DIR --half {given.half}", "rows": ROWS,
            "python": platform.python_version(), "versions": {p: version(p) for p in ("numpy", "scipy", "polars")},
            "load": os.getloadavg()[0], "summary": summary(sets), "sets": sets,
        }  # fmt: skip
        given.out.write_text(json.dumps(record, indent=1, default=float) + "\n")
    print(json.dumps(record[given.half]["summary"], indent=1))


if __name__ == "__main__":
    main()
