"""What the headroom benchmark makes of answers, on answers that are written by hand."""

import importlib
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
CELLS = importlib.import_module("benchmarks.headroom.cells")
POLICIES = importlib.import_module("benchmarks.headroom.policies")
SUMMARY = importlib.import_module("benchmarks.headroom.summary")
Run = importlib.import_module("benchmarks.headroom.train").Run
sys.path.remove(str(ROOT))
RECORD = ROOT / "benchmarks" / "records" / "headroom.json"
TRUTH = np.array([0, 1, 1, 0])


def answers(right: float) -> np.ndarray:
    """Return (4, 2) probabilities that give the right class ``right``."""
    return np.where(np.arange(2) == TRUTH[:, None], right, 1 - right).astype(np.float32)


def run(held: list[float], test: list[float]) -> Run:
    """Return a training whose eight readings give the right class these probabilities."""
    return Run(np.stack([answers(p) for p in held]), np.stack([answers(p) for p in test]), answers(test[-1]), 1.0)


@pytest.fixture
def judge():
    return POLICIES.Judge(TRUTH, TRUTH, 2)


def test_ends_of_one_training(judge) -> None:
    one = run([0.5, 0.9, *[0.6] * 6], [0.5, 0.8, *[0.7] * 5, 0.4])
    found = POLICIES.of_one(judge, one)
    assert found["last"] == pytest.approx((-math.log(0.4), 0.0), abs=1e-6)
    assert found["stopped"] == pytest.approx((-math.log(0.8), 1.0), abs=1e-6)
    assert found["answers averaged"][0] == pytest.approx(-math.log((3 * 0.7 + 0.4) / 4), abs=1e-6)


def test_a_temperature_that_helps_is_found(judge) -> None:
    shy = run([0.6] * 8, [0.6] * 8)  # always right, never sure
    reading, heat = judge.refined(shy)
    assert heat == pytest.approx(POLICIES.HEATS[0])
    assert judge.score(POLICIES.tempered(shy.test[reading], heat))[0] < -math.log(0.6)


def test_hindsight_looks_at_the_test_and_choosing_does_not(judge) -> None:
    lucky, honest = run([0.6] * 8, [0.95] * 8), run([0.9] * 8, [0.8] * 8)
    found = POLICIES.of_many(judge, [lucky, honest])
    assert found["hindsight"][0] == pytest.approx(-math.log(0.95), abs=1e-6)
    assert found["chosen"][0] == pytest.approx(-math.log(0.8), abs=1e-6)
    assert found["weighed"][0] == pytest.approx(-math.log(0.8), abs=1e-6)
    assert found["plain mean"][0] == pytest.approx(-math.log(0.875), abs=1e-6)


def test_weighing_mixes_what_complements_each_other() -> None:
    truth = np.array([0.0, 0.0])
    judge = POLICIES.Judge(truth, truth, 0)
    up, down = (Run(*[np.full((8, 2, 1), v, np.float32)] * 2, np.full((2, 1), v), 1.0) for v in (1.0, -1.0))
    assert POLICIES.of_many(judge, [up, down])["weighed"][0] == pytest.approx(0.0, abs=1e-3)


def test_a_figure_counts_sets_not_seeds() -> None:
    figure = SUMMARY._figure({"a": [(math.log(0.5), 0.1), (math.log(0.5), 0.1)], "b": [(math.log(2.0), -0.1)]})
    assert figure["ratio"] == pytest.approx(1.0)
    assert (figure["won"], figure["lost"], figure["sets"], figure["points"]) == (1, 1, 2, 0.0)
    assert (figure["low"], figure["high"]) == (0.5, 2.0)


def test_no_set_of_one_half_is_in_the_other() -> None:
    for which in ("tuned", "once"):
        assert {cell.half for cell in CELLS.cells(Path("nowhere"), which)} == {which}


def test_the_record_names_its_halves_and_its_luck() -> None:
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    for regimes in record["halves"].values():
        for one in regimes.values():
            assert {"strengths, hindsight", "seeds, hindsight", "net, hindsight"} <= set(one["figures"])
