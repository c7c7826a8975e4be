import json

from temperance.records.verdict import Verdict


def test_it_becomes_json() -> None:
    one = Verdict("feature:age", "alarm", 250.0, 200.0, 1000, "Age has changed.", {"mean": 41.0})
    row = json.loads(json.dumps(one.to_dict()))
    assert Verdict(**row) == one
