import json
from typing import get_args

from temperance.records.finding import STATES, Finding, State


def test_it_comes_back_from_json() -> None:
    one = Finding("leaks:x", "leaks", "look_at_this", "Column x gives it away.", action=("Ask.",), references=("A",))
    row = json.loads(json.dumps(one.to_dict()))
    assert Finding.from_dict({**row, "later": 1}) == one


def test_there_are_words_for_each_state() -> None:
    assert set(STATES) == set(get_args(State))
