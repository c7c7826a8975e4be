import json
import math
from pathlib import Path

import numpy as np

from temperance.cli.console import Console, plain, table
from temperance.records.measurement import Measurement


def test_one_of_words_json_and_nothing(capsys) -> None:
    Console().result({"a": 1}, "words")
    Console(as_json=True).result({"a": 1}, "words")
    Console(as_json=True, quiet=True).result({"a": 2}, "words")
    Console(quiet=True).result({"a": 1}, "words")
    assert capsys.readouterr().out == 'words\n{"a": 1}\n{"a": 2}\n'


def test_notes_go_to_standard_error_and_warnings_always(capsys) -> None:
    Console(quiet=True).note("by the way")
    Console().note("seen")
    Console(quiet=True).warn("important")
    assert capsys.readouterr() == ("", "seen\nimportant\n")


def test_everything_becomes_json() -> None:
    value = {"n": math.nan, "a": np.array([1.0, np.inf]), "p": Path("x"), 3: (1, 2), "m": Measurement("acc", 0.5)}
    row = json.loads(json.dumps(plain(value), allow_nan=False))
    assert row["n"] is None
    assert row["a"] == [1.0, None]
    assert row["p"] == "x"
    assert row["3"] == [1, 2]
    assert row["m"]["value"] == 0.5


def test_columns_are_aligned() -> None:
    assert table([("a", "one"), ("long", "two")]) == "  a     one\n  long  two"
    assert table([]) == ""
