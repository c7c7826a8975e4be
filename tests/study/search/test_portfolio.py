"""The fixed list: every recipe can be built, short trainings get short averages."""

import pytest

from temperance.core.recipe import Recipe
from temperance.study.recipes import text
from temperance.study.search.portfolio import Portfolio, average, net_specs, without
from temperance.study.spec import TrialSpec

SETTINGS = {"epochs": 10.0, "batch_size": 64, "lr": 0.03}


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("images", [False, True])
def test_every_recipe_can_be_built(task, images):
    model = "ResNet" if images else "Tabular"
    specs = net_specs(model=model, settings=SETTINGS, steps=100, task=task, images=images, folded=False, seed=0)
    names = [spec.name for spec in specs]
    assert len(set(names)) == len(names)
    assert all(text(spec.recipe).startswith("Recipe(") for spec in specs)
    assert any(spec.kind == "plain" for spec in specs)
    first = next(spec for spec in specs if spec.adaptive)
    assert first.recipe["regularizers"]
    assert ("LabelSmoothing" in str([s.recipe for s in specs])) == (task != "regression")


def test_the_adaptive_trials_follow_a_schedule():
    specs = net_specs(model="Tabular", settings=SETTINGS, steps=9, task="binary", images=False, folded=False, seed=0)
    assert next(s for s in specs if s.adaptive).recipe["controller"] == {"name": "Curriculum"}


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_folded_runs_come_first_and_each_has_a_slot_of_the_plain_net(task):
    specs = net_specs(model="Tabular", settings=SETTINGS, steps=9, task=task, images=False, folded=True, seed=0)
    assert {s.kind for s in specs} == {"folded"}
    assert len({s.name for s in specs}) == len(specs)
    assert specs[0].slots[0] == {}
    for spec in specs:
        addresses = Recipe.from_dict(spec.recipe).specs
        assert any(slot and all(value == 0.0 for value in slot.values()) for slot in spec.slots)
        assert all(address in addresses for slot in spec.slots for address in slot)


def test_an_average_looks_back_over_a_share_of_the_training():
    assert average(100)["decay"] == 0.5
    assert average(5000)["decay"] == 0.99
    assert average(10**7)["decay"] == 0.999


def test_a_portfolio_runs_out():
    names = ("Majority", "Linear")
    portfolio = Portfolio([TrialSpec("", name, "basic", name) for name in names])
    assert portfolio.propose().model == "Majority"
    assert [spec.model for spec in portfolio.left] == ["Linear"]
    assert portfolio.propose().model == "Linear"
    assert portfolio.left == ()
    assert portfolio.propose() is None


def test_techniques_that_do_not_fit_are_taken_out_and_nothing_is_tried_twice():
    specs = net_specs(model="user", settings=SETTINGS, steps=100, task="binary", images=True, folded=False, seed=0)
    kept = without(specs, frozenset({"MixUp", "FeatureNoise"}))
    assert not {"MixUp", "FeatureNoise"} & {one["name"] for s in kept for one in s.recipe["regularizers"]}
    names = [spec.name for spec in kept]
    assert "plain net" in names
    assert "mixup alone" not in names
    assert len({str((s.recipe, s.settings)) for s in kept}) == len(kept)
    assert without(specs, frozenset()) == specs
