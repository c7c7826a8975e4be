"""One way to write JSON, and no number in it that JSON does not know."""

import json
import math
from enum import StrEnum
from pathlib import Path

import numpy as np
import pytest

from temperance.control.base import Move
from temperance.records.measurement import Measurement
from temperance.records.plain_json import dumps, plain


class Word(StrEnum):
    one = "one"


def test_everything_becomes_json():
    value = {
        "n": math.nan, "a": np.array([1.0, np.inf]), "p": Path("x"), 3: (1, 2), "m": Measurement("acc", 0.5),
        "i": np.int64(3), "f": np.float64(0.5), "b": np.bool_(True), "w": Word.one, "none": None, "s": {2, 1},
        "move": Move(0, math.nan, "dropout.p", "gap", math.inf, 0.1, False, ""),
    }  # fmt: skip
    row = json.loads(dumps(value))
    assert row["n"] is row["none"] is row["move"]["error"] is None
    assert row["a"] == [1.0, None]
    assert (row["p"], row["3"], row["m"]["value"], row["w"], row["s"]) == ("x", [1, 2], 0.5, "one", [1, 2])
    assert (row["i"], row["f"], row["b"]) == (3, 0.5, True)


def test_letters_stay_and_strangers_are_refused():
    assert dumps({"a": "ä"}) == '{"a": "ä"}'
    assert dumps([1], indent=1) == "[\n 1\n]"
    with pytest.raises(TypeError, match="object does not go into JSON"):
        plain({"x": [object()]})
