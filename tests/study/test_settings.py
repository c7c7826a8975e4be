"""Settings go into the ledger as plain values."""

import json
from pathlib import Path

import pytest

from temperance.records.errors import SettingError
from temperance.study.clock import Budget
from temperance.study.settings import StudySettings


def test_plain_values_and_data_in_memory():
    one = StudySettings([[1.0]], None, Path("x"), Budget(trials=3), task="mynet:task")
    row = json.loads(json.dumps(one.to_dict()))
    assert row["data"] == "in memory"
    assert row["budget"] == {"seconds": None, "trials": 3, "runs": None}
    assert one.user_task == "mynet:task"
    assert StudySettings("a.csv", "y", Path("x"), Budget(trials=3)).user_task == ""


def test_what_cannot_be_meant_is_refused():
    with pytest.raises(SettingError, match=r"best, balanced, cheap\. Did you mean 'cheap'"):
        StudySettings("a.csv", "y", Path("x"), Budget(trials=3), prefer="cheep")
    with pytest.raises(SettingError, match="module:function"):
        StudySettings("a.csv", "y", Path("x"), Budget(trials=3), only=True)
