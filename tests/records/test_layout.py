from __future__ import annotations

import json

from temperance.records.layout import Forecast, Long, lag_name
from temperance.records.schema import Column, Schema, Target


def test_both_go_through_json_with_their_schema() -> None:
    forecast = Forecast("year+month", (1, 12), 1, "shop", 0.0, "row")
    assert forecast.names("sales") == (lag_name("sales", 1), "sales 12 before")
    for schema in (
        Schema((Column("x", "series", "x"),), Target("y", "regression"), long=Long("id", "t")),
        Schema((Column("x", "numeric", "x"),), Target("y", "regression"), forecast=forecast),
        Schema((Column("x", "numeric", "x"),), Target("y", "regression")),
    ):
        assert Schema.from_dict(json.loads(json.dumps(schema.to_dict()))) == schema


def test_a_schema_of_an_earlier_version_has_neither() -> None:
    row = Schema((Column("x", "numeric", "x"),), Target("y", "regression")).to_dict()
    del row["long"], row["forecast"]
    found = Schema.from_dict(row)
    assert found.long is None
    assert found.forecast is None
