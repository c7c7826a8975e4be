"""Settings go into the ledger as plain values."""

import json
from pathlib import Path

from temperance.study.clock import Budget
from temperance.study.settings import StudySettings


def test_plain_values_and_data_in_memory():
    one = StudySettings([[1.0]], None, Path("x"), Budget(trials=3), task="mynet:task")
    row = json.loads(json.dumps(one.to_dict()))
    assert row["data"] == "in memory"
    assert row["budget"] == {"seconds": None, "trials": 3}
    assert one.user_task == "mynet:task"
    assert StudySettings("a.csv", "y", Path("x"), Budget(trials=3)).user_task == ""
