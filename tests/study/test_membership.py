"""Attacks on the winner: banks as references are fair, a memorized target is found, an unlearned one is not."""

from dataclasses import replace

import numpy as np
import pytest

from temperance.models.mixture import Pick
from temperance.records.cost import TrialCost
from temperance.records.table import Table
from temperance.study import folded
from temperance.study.membership import membership
from temperance.study.readings import Readings
from temperance.study.runner import Fitted
from temperance.study.spec import TrialSpec

SETTINGS = {"epochs": 60.0, "batch_size": 32, "lr": 0.03}
PLAIN = {"regularizers": []}
SPEC = TrialSpec("t000", "folded run", "folded", "Tabular", PLAIN, SETTINGS, slots=({}, {}))


def with_target(runner, target):
    other = object.__new__(type(runner))
    other.__dict__ |= vars(runner)
    other._preprocess = {}
    other.table = other.test_table = Table(runner.table.schema, runner.table.rows, target)
    return other


@pytest.fixture(scope="module")
def noisy(runner):
    """A workbench whose answers are coins: whatever is known of them was learned by heart."""
    return with_target(runner, np.random.default_rng(0).integers(0, 2, len(runner.table)).astype(np.int64))


def attacked(bench, folder, spec=SPEC, seed=0):
    """Train on and ship the last moment: a mixture would stop before coins are learned by heart, which is its worth."""
    mixture = Readings.mixture

    def last(self, task):
        made = mixture(self, task)
        return replace(made, picks=[Pick(len(self.fractions) - 1, 0, 1.0)])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Readings, "mixture", last)
        net = folded.run(bench, spec, folder).fitted
    learned = folded.rows_of(bench.roles)
    return membership(bench, [net], net.predictor, learned, seed=seed), net


@pytest.fixture(scope="module")
def found(noisy, tmp_path_factory):
    return attacked(noisy, tmp_path_factory.mktemp("coins"))


def test_what_was_learned_by_heart_is_found_by_each_attack(found) -> None:
    row, _ = found
    assert [one["attack"] for one in row["attacks"]] == ["loss", "lira", "rmia"]
    for one in row["attacks"]:
        assert one["auc"]["low"] > 0.5, one["attack"]
    assert row["not_done"] == []
    assert row["flags"] == []


def test_the_same_seed_gives_the_same_figures(found, noisy) -> None:
    row, net = found
    learned = folded.rows_of(noisy.roles)
    again = membership(noisy, [net], net.predictor, learned, seed=0)
    assert again["attacks"] == row["attacks"]


def test_a_model_that_learned_other_answers_gives_nothing_away(found, noisy) -> None:
    """The attacks see the answers of this table, and the net learned others: rows of both kinds are alike."""
    _, net = found
    other = with_target(noisy, np.random.default_rng(9).integers(0, 2, len(noisy.table)).astype(np.int64))
    row = membership(other, [net], net.predictor, folded.rows_of(noisy.roles), seed=0)
    for one in row["attacks"]:
        assert one["auc"]["low"] < 0.5 < one["auc"]["high"] + 0.02, one["attack"]


def test_without_banks_or_time_only_the_loss_attack_is_made_and_why_is_said(found, noisy) -> None:
    _, net = found
    learned = folded.rows_of(noisy.roles)
    basic = Fitted(TrialSpec("b", "b", "basic", "Linear"), net.predictor, TrialCost())
    row = membership(noisy, [basic], net.predictor, learned, seed=0)
    assert [one["attack"] for one in row["attacks"]] == ["loss"]
    assert "folded run" in row["not_done"][0]["why"]
    hurried = membership(noisy, [net], net.predictor, learned, seed=0, budget_seconds=0.0)
    assert hurried["not_done"] == [{"what": "attacks with reference models", "why": "no time left"}]


def test_too_few_rows_are_said(noisy, found) -> None:
    _, net = found
    row = membership(noisy, [net], net.predictor, folded.rows_of(noisy.roles)[:5], seed=0)
    assert row["attacks"] == []
    assert "it takes 30 of each" in row["not_done"][0]["why"]


def test_folded_runs_together_are_attacked_with_the_banks_of_all(found, noisy) -> None:
    row, net = found
    both = membership(noisy, [net, net], net.predictor, folded.rows_of(noisy.roles), seed=0, weights=(0.25, 0.75))
    for one, other in zip(both["attacks"], row["attacks"], strict=True):
        assert one["auc"]["value"] == pytest.approx(other["auc"]["value"], abs=1e-6)
