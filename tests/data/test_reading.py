from __future__ import annotations

import json
import tomllib

import numpy as np
import polars as pl

from temperance import data


def reading() -> data.Reading:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "price": [f"{v:.2f}".replace(".", ",") for v in rng.normal(40, 9, 60)],
            "same": ["a"] * 60,
            "y": ["no", "yes"] * 30,
        }
    )
    return data.read(frame, target="y")


def test_what_was_read_is_json_safe() -> None:
    found = reading()
    row = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert (row["rows"], row["target"], row["classes"]) == (60, "y", ["no", "yes"])
    assert row["read"][0]["column"] == "price"
    assert row["dropped"][0]["column"] == "same"


def test_the_file_for_the_schema_holds_each_column_and_its_evidence() -> None:
    text = reading().to_toml()
    columns = tomllib.loads(text)["columns"]
    assert columns["price"]["decimal"] == ","
    assert columns["same"]["read"] == "drop"
    assert "60 of 60 cells fit" in text
