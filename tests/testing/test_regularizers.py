"""The suite must find what is wrong with a technique: each fault planted here is caught by the check that is for it."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from temperance import Dropout, Strength
from temperance.core.regularizer import Rank, Regularizer, techniques
from temperance.records.cost import Cost
from temperance.testing import checks
from temperance.testing.problems import PROBLEMS

MLP = PROBLEMS["mlp"]


@dataclass(frozen=True, repr=False)
class Scaled(Regularizer):
    """Multiply the loss by 1 + s."""

    s: float = 0.5

    strengths: ClassVar[dict[str, Strength]] = {"s": Strength(0.5, low=0.0, high=1.0, neutral=0.0)}
    effect: ClassVar[dict] = {"s": ("step_length", "up")}
    rank: ClassVar[Rank] = Rank.PENALTY

    def objective(self, inner, strengths, memory):
        def scaled(params, buffers, batch, key):
            passed = inner(params, buffers, batch, key)
            return passed._replace(loss=passed.loss * (1 + strengths["s"]))

        return scaled


class NeverNeutral(Scaled):
    def objective(self, inner, strengths, memory):
        def scaled(params, buffers, batch, key):
            passed = inner(params, buffers, batch, key)
            return passed._replace(loss=passed.loss * 1.01)

        return scaled


class OwnDice(Scaled):
    def objective(self, inner, strengths, memory):
        def scaled(params, buffers, batch, key):
            passed = inner(params, buffers, batch, key)
            return passed._replace(loss=passed.loss * (1 + strengths["s"] * torch.rand(())))

        return scaled


class Twice(Scaled):
    def gradient(self, inner, strengths, memory):
        def again(params, buffers, batch, key):
            inner(params, buffers, batch, key)
            return inner(params, buffers, batch, key)

        return again


class Litters(Scaled):
    def rewire(self, model, strengths):
        model.register_buffer("left_behind", torch.zeros(1))
        return lambda: None


class Loud(Scaled):
    def rewire(self, model, strengths):
        return model.register_forward_hook(lambda _, __, out: out + strengths["s"].to(out.dtype)).remove


class Forgets(Scaled):
    def begin(self, params, context):
        return {}

    def update(self, inner, strengths, memory):
        count = [0]

        def step(params, grads, rate):
            count[0] += 1
            return inner(params, grads, rate).mul_(1.0 + 0.01 * count[0])

        return step


class Backwards(Scaled):
    effect: ClassVar[dict] = {"s": ("step_length", "down")}


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        (NeverNeutral(), checks.neutral),
        (OwnDice(), checks.twice),
        (OwnDice(), checks.pure),
        (OwnDice(), checks.resume),
        (Twice(), checks.cost),
        (Litters(), checks.undo),
        (Loud(), checks.quiet),
        (Forgets(), checks.resume),
        (Backwards(), checks.direction),
    ],
    ids=lambda x: getattr(x, "__name__", type(x).__name__),
)
def test_planted_faults_are_found(fault, check):
    torch.manual_seed(0)
    with pytest.raises(AssertionError):
        check(fault, MLP)


def test_a_sound_technique_passes():
    one = Scaled()
    for check in (checks.neutral, checks.pure, checks.population, checks.resume, checks.twice, checks.undo):
        check(one, MLP)
    checks.direction(one, MLP)
    checks.errors(one)
    checks.cost(one, MLP)
    assert checks.applies(one, MLP) == ""
    assert one.cost == Cost()


def test_what_refuses_a_model_says_why():
    assert "matches none" in checks.applies(Dropout(0.1, at="nowhere"), MLP)


def test_a_technique_must_be_registered():
    assert "Scaled" not in techniques
    with pytest.raises(Exception, match="Scaled"):
        checks.round_trip(Scaled())


AUTHOR = """
import pytest
from temperance import Dropout
from temperance.testing.regularizers import RegularizerSuite

class Exempt(Dropout):
    exceptions = {"quiet": "planted: the check holds, so the strict exception must fail"}

class TestMine(RegularizerSuite):
    @pytest.fixture
    def regularizer(self):
        return Exempt(0.3)
"""


def test_authors_need_one_fixture_and_exceptions_are_strict(tmp_path, monkeypatch):
    (tmp_path / "test_mine.py").write_text(AUTHOR)
    monkeypatch.chdir(tmp_path)
    seen = []

    class Watch:
        def pytest_runtest_logreport(self, report):
            if report.when == "call":
                seen.append((report.nodeid.split("::")[-1], report.outcome))

    pytest.main(["-q", "-p", "no:cacheprovider", "-k", "quiet or errors", "test_mine.py"], plugins=[Watch()])
    outcomes = dict(seen)
    assert outcomes["test_errors"] == "passed"
    assert outcomes["test_quiet[mlp]"] == "failed"
