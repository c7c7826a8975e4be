"""Does guarded adaptation help, and does it ever harm? Made-up and real streams, with and without labels.

    python benchmarks/adapt_battery.py --part synthetic [--seeds 2]
    python benchmarks/adapt_battery.py --part tuned --data DIR       # real sets of the half that may be looked at
    python benchmarks/adapt_battery.py --part once --data DIR        # the other half, once, at the end
    python benchmarks/adapt_battery.py --summary

Record: benchmarks/records/adapt_battery.json; finished cells stay. A cell is a stream in a regime: no labels; 5 % of
the labels at once; all labels 500 rows late. Models are five small nets and a linear one on 1,500 rows (three worlds:
two classes, five classes, values), or what ``temperance stream --fast`` trains on the first 30 % of a real set, with
6,000 rows of stream at most. Settings are the defaults of ``adaptation.Steward`` on every stream.

The method was chosen on seed 0 of the made-up worlds; seeds from 100 on were looked at once, when it was fixed.

Points are of 100 answers (values: of R² times 100). ``lost``: what the change of the data cost the model as it is;
``gain``: what adaptation won back. A *change* is each time something else than the source model was in force; it is
harmful where it cost more than ten answers in all (0.5 points of 2,000 rows); *kept* where it stayed in force through
2,000 rows that it made worse by more than 0.5 points, or to the end of the stream so far in debt. ``worst_2000_rows``:
the worst stretch of that length in the stream, whatever was in force.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))
import numpy as np
from adapt.play import REGIMES, Model, Stream, play
from adapt.real import SETS, load
from adapt.worlds import World, streams, train
from halves import half

from temperance import __version__
from temperance.records.atomic import write_text
from temperance.records.plain_json import dumps, plain

RECORD = Path(__file__).parent / "records" / "adapt_battery.json"
WORLDS = {"two classes": (2, 6), "five classes": (5, 10), "values": (0, 6)}
FIXABLE = ("label", "covariate")
LEAST_LOST = 1.0  # points below which there is nothing to win back


def cells(part: str, given: argparse.Namespace) -> Iterator[tuple[str, Model, Stream]]:
    if part == "synthetic":
        for seed in range(given.first_seed, given.seeds):
            for name, (classes, d) in WORLDS.items():
                if given.world not in ("", name):
                    continue
                world = World(classes, d, seed)
                model = train(world, seed)
                for stream in streams(world, seed):
                    if not given.only or given.only in stream.name:
                        yield f"{name}, seed {seed}", model, stream
    else:
        for name in SETS:
            if half(name) == part and (not given.only or given.only in name):
                yield f"real ({part})", *load(given.data, name, given.cache)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=("synthetic", "tuned", "once"))
    parser.add_argument("--data", type=Path)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "temperance-adapt-battery")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--world", choices=("", *WORLDS), default="")
    parser.add_argument("--regime", choices=REGIMES)
    parser.add_argument("--summary", action="store_true")
    parser.add_argument("--out", type=Path, default=RECORD)
    given = parser.parse_args()
    record = json.loads(given.out.read_text()) if given.out.exists() else {"cells": []}
    done = {(c["world"], c["stream"], c["regime"]) for c in record["cells"]}
    if given.part:
        for world, model, stream in cells(given.part, given):
            for regime in [given.regime] if given.regime else REGIMES:
                if (world, stream.name, regime) in done:
                    continue
                row = plain({"world": world, **play(model, stream, regime)})
                record["cells"].append(row)
                print(line(row), flush=True)
                record |= summary(record["cells"])
                write_text(given.out, dumps(record, indent=1) + "\n")
    for name, value in summary(record["cells"])["summary"].items():
        print(name, json.dumps(value))


def line(row: dict[str, Any]) -> str:
    lost = "" if row["lost"] is None else f"lost {row['lost']:7.2f}"
    return (
        f"{row['world']:22s}{row['stream']:28s}{row['regime']:22s}{lost} gain {row['gain']:7.2f} "
        f"changes {row['changes']:2d} worst {row['worst_change']:6.2f} "
        f"harmful {row['harmful_changes']}/{row['harmful_kept']} stretch {row['worst_2000_rows']:6.2f} "
        f"{row['ms_per_row']:.2f} ms"
    )


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for regime in REGIMES:
        own = [r for r in rows if r["regime"] == regime]
        made = [r for r in own if not r["world"].startswith("real")]
        fixable = [r for r in made if r["kind"] in FIXABLE and r["lost"] >= LEAST_LOST]
        moved = [r for r in made if r["kind"] not in ("none", "order", "poison") and r["lost"] >= LEAST_LOST]
        found[regime] = {
            "streams": len(own), "changes": sum(r["changes"] for r in own),
            "harmful_changes": sum(r["harmful_changes"] for r in own),
            "harmful_changes_kept": sum(r["harmful_kept"] for r in own),
            "streams_that_end_worse_by_half_a_point": sum(r["gain"] < -0.5 for r in own),
            "worst_stream": min((r["gain"] for r in own), default=None),
            "worst_2000_rows": min((r["worst_2000_rows"] for r in own), default=None),
            "label_and_covariate": _share(fixable), "all_shifts": _share(moved),
            "real": {r["stream"]: {"observe": round(100 - r["observe"], 2), "gain": r["gain"]}
                     for r in own if r["world"].startswith("real")},
        }  # fmt: skip
    return {
        "command": "python benchmarks/adapt_battery.py --part synthetic | tuned | once",
        "versions": {"temperance": __version__, "numpy": np.__version__, "python": platform.python_version()},
        "created": time.strftime("%Y-%m-%d"), "load": round(os.getloadavg()[0], 1),
        "not_verified": "made-up worlds are Gaussian; real sets are six, of one seed each; nets with normalization "
        "layers and images are not among them",
        "summary": found,
    }  # fmt: skip


def _share(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return how much of what was lost was won back: over all, and as the mean and the least of the streams."""
    if not rows:
        return {}
    shares = [r["gain"] / r["lost"] for r in rows]
    return {
        "streams": len(rows), "lost": round(float(np.mean([r["lost"] for r in rows])), 2),
        "won_back_of_all": round(sum(r["gain"] for r in rows) / sum(r["lost"] for r in rows), 3),
        "won_back_mean": round(float(np.mean(shares)), 3),
        "won_back_mean_each_at_most_1": round(float(np.minimum(shares, 1.0).mean()), 3),
        "won_back_least": round(min(shares), 3),
    }  # fmt: skip


if __name__ == "__main__":
    main()
