"""Series and forecasts through the commands: a file in, a model, answers with their names."""

from __future__ import annotations

import csv
import io

import numpy as np
import polars as pl
import pytest

from temperance.deployment import load


@pytest.mark.slow
def test_a_long_table_to_answers_per_series(temperance, tmp_path):
    rng = np.random.default_rng(0)
    rows = [
        {
            "id": f"m{i}",
            "t": t,
            "x": float(np.sin(t * (0.3 + 0.5 * (i % 2)) + i) + 0.1 * rng.normal()),
            "y": "ab"[i % 2],
        }
        for i in range(60)
        for t in range(20 + i % 5)
    ]
    frame = pl.DataFrame(rows)
    frame.write_csv(tmp_path / "long.csv")
    words = ("--target", "y", "--id", "id", "--time", "t", "--budget", "2trials", "--workers", "1", "--quiet")
    done = temperance("study", tmp_path / "long.csv", *words, "--out", tmp_path / "out")
    assert done.status == 0, done.err
    frame.filter(pl.col("id").is_in(["m8", "m9", "m10"])).drop("y").write_csv(tmp_path / "later.csv")
    told = temperance("predict", tmp_path / "out", tmp_path / "later.csv")
    assert told.status == 0, told.err
    answers = list(csv.DictReader(io.StringIO(told.out)))
    assert [(one["id"], one["prediction"]) for one in answers] == [("m8", "a"), ("m9", "b"), ("m10", "a")]
    assert load(tmp_path / "out" / "bundle").schema.long.id == "id"


@pytest.mark.slow
def test_a_forecast_keeps_its_lags_and_says_what_it_needs(temperance, tmp_path):
    rng = np.random.default_rng(0)
    when = pl.datetime_range(pl.datetime(2024, 1, 1), pl.datetime(2024, 1, 20, 23), "1h", eager=True)
    load_ = 50 + 20 * np.sin(np.arange(len(when)) * 2 * np.pi / 24) + rng.normal(size=len(when))
    frame = pl.DataFrame({"when": when, "load": load_})
    frame.write_csv(tmp_path / "power.csv")
    words = ("--target", "load", "--time", "when", "--lags", "24", "--horizon", "24", "--budget", "3trials")
    done = temperance("study", tmp_path / "power.csv", *words, "--workers", "1", "--quiet", "--out", tmp_path / "out")
    assert done.status == 0, done.err
    assert load(tmp_path / "out" / "bundle").schema.forecast.lags == (24,)
    frame.tail(30).drop("load").write_csv(tmp_path / "bare.csv")
    refused = temperance("predict", tmp_path / "out", tmp_path / "bare.csv")
    assert refused.status != 0
    assert "go back 24 steps (a step: hour)" in refused.err
    frame.tail(48).write_csv(tmp_path / "known.csv")
    assert temperance("predict", tmp_path / "out", tmp_path / "known.csv").out.count("\n") == 49
