import json
import math

import pytest

from temperance.records.measurement import Measurement


def test_it_comes_back_from_json() -> None:
    one = Measurement("accuracy", 0.9, 0.8, 0.95, 100, convention="Wilson", flags=("few rows",))
    row = json.loads(json.dumps(one.to_dict(), allow_nan=False))
    assert Measurement.from_dict({**row, "later": 1}) == one


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_becomes_null(value: float) -> None:
    row = Measurement("x", value, value, value).to_dict()
    assert (row["value"], row["low"], row["high"]) == (None, None, None)
    assert math.isnan(Measurement.from_dict(row).value)
