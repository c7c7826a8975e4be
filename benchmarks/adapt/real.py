"""Real streams: simple models are trained on the first rows, weighed out of fold; the rest is the stream."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from adapt.play import Model, Stream
from temperance.data import read
from temperance.lifecycle.streaming.learner import learn
from temperance.records.schema import Rows

FIRST, MOST = 0.3, 4000  # share of the rows that the model learns from, and how many at most
SETS = ("electricity_elec2", "bike_sharing_hour", "noaa_weather", "keystroke", "phishing_stream", "outdoor_objects")
LONGEST = 6000  # rows of a stream


def load(data: Path, name: str, cache: Path) -> tuple[Model, Stream]:
    """Return the model of the first rows of a set, trained once and kept in ``cache``, and the stream of the rest."""
    meta = json.loads((data / name / "meta.json").read_text())
    table = read(str(data / name / "data.parquet"), target=meta["target"]).table
    first = min(MOST, int(FIRST * len(table)))
    kept = cache / f"{name}.pickle"
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(pickle.dumps(learn(table.take(np.arange(first)), seed=0, net=False)))
    learned: Any = pickle.loads(kept.read_bytes())
    rest = table.take(np.arange(first, min(len(table), first + LONGEST)))
    rows = Rows(*(None if part is None else np.asarray(part) for part in rest.rows))  # type: ignore[arg-type]
    shares = learned.members(rows.take(slice(0, 1)))[1]
    model = Model(table.schema, lambda some: learned.members(some)[0], shares, learned.reference)
    return model, Stream(name, "real", rows, np.asarray(rest.target), 0, 64)
