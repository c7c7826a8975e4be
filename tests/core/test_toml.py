import math
import tomllib

from temperance.core.toml import dumps


def test_what_is_written_is_read_back():
    row = {
        "name": 'with "quotes" and ü',
        "on": True,
        "count": 3,
        "rate": 1e-5,
        "edge": math.inf,
        "many": [1.0, 2.0],
        "nested": {"deep": {"x": 1}, "list": [{"a": 1}, {"a": 2}]},
        "rows": [{"name": "one", "inner": {"k": [True]}}, {"name": "two"}],
        "none": [],
    }
    assert tomllib.loads(dumps(row)) == row
