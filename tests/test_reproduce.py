"""The verdicts of `make reproduce`, its record, and what the cards take from it."""

import importlib
import json
import math
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def shape(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.reproduce.shape")


@pytest.fixture
def cards(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    yield importlib.import_module("card_figures")
    sys.modules.pop("card_figures", None)


def test_the_interval_is_students(shape) -> None:
    mean, low, high = shape.interval([1.0, 2.0, 3.0])
    assert mean == 2.0
    assert high - mean == pytest.approx(mean - low) == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)
    assert math.isnan(shape.interval([1.0])[1])


@pytest.mark.parametrize(
    ("values", "holds", "clear"), [([0.2, 0.21], True, True), ([0.0, 0.3], True, False), ([0.0, 0.1], False, False)]
)
def test_a_check_judges_mean_and_interval(shape, values, holds, clear) -> None:
    judged = shape.Check("gain", "gain", low=0.1).judge(values)
    assert (judged["holds"], judged["clear"]) == (holds, clear)


def test_one_failed_check_is_enough(shape) -> None:
    checks = (shape.Check("a", "a", low=0.0), shape.Check("b", "b", high=1.0))
    one = shape.Shape("P0", "", "", "", (), 2, lambda _: {}, checks)
    assert one.verdict([{"a": 1.0, "b": 0.5}, {"a": 1.0, "b": 0.6}])["verdict"] == "reproduced"
    assert one.verdict([{"a": 1.0, "b": 1.5}, {"a": 1.0, "b": 1.6}])["verdict"] == "not reproduced"


def test_a_check_beside_the_claim_does_not_decide(shape) -> None:
    checks = (shape.Check("a", "a", low=0.0), shape.Check("b", "b", high=1.0, beside=True))
    found = shape.Shape("P0", "", "", "", (), 2, lambda _: {}, checks).verdict([{"a": 1.0, "b": 2.0}] * 2)
    assert found["verdict"] == "reproduced"
    assert [one["holds"] for one in found["checks"]] == [True, False]


def test_the_record_holds_what_its_seeds_say(shape) -> None:
    record = json.loads((ROOT / "benchmarks" / "records" / "reproduce.json").read_text(encoding="utf-8"))
    done = [row for row in record["shapes"].values() if row["verdict"] in ("reproduced", "not reproduced")]
    assert done
    for row in done:
        assert len(row["per_seed"]) == row["seeds"]
        for check in row["checks"]:
            assert check["mean"] == pytest.approx(shape.interval([one[check["figure"]] for one in row["per_seed"]])[0])


def test_a_card_says_what_could_not_be_confirmed(cards, tmp_path) -> None:
    check = {
        "words": "gain", "mean": -0.1, "low": -0.2, "high": 0.0, "n": 3, "bound": "at least 0", "holds": False,
        "clear": False, "techniques": ["sam"], "beside": False,
    }  # fmt: skip
    row = {
        "id": "P0", "claim": "It helps.", "paper": "A (2020)", "settings": "digits", "verdict": "not reproduced",
        "checks": [check],
    }  # fmt: skip
    (tmp_path / "reproduce.json").write_text(json.dumps({"shapes": {"P0": row}}), encoding="utf-8")
    assert "- **we could not confirm** gain: -0.100 [-0.200, 0.000], 3 seeds; wanted: at least 0" in (
        cards.shape_lines("sam", tmp_path)
    )
    assert cards.shape_lines("ema", tmp_path) == []
    assert cards.price_lines("sam", tmp_path) == []
