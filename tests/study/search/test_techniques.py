"""Every technique of the list can be reached, in the order of what it gained per second."""

import pytest

from temperance.core.recipe import Recipe
from temperance.study.search.portfolio import folded_specs
from temperance.study.search.techniques import Alternate, Techniques, in_order, known

SETTINGS = {"epochs": 10.0, "batch_size": 64, "lr": 0.03}


def proposals(task):
    proposer = Techniques(folded_specs(settings=SETTINGS, task=task, seed=0)[0], task=task)
    found = []
    while (spec := proposer.propose()) is not None:
        found.append(spec)
    return found


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_each_is_proposed_once_and_its_recipe_stands(task):
    specs = proposals(task)
    names = [spec.recipe["regularizers"][-1]["name"] for spec in specs]
    assert names == in_order(task)
    assert len(set(names)) == len(names) > 25
    for spec in specs:
        recipe = Recipe.from_dict(spec.recipe)
        assert spec.kind == "folded"
        assert all(address in recipe.specs for slot in spec.slots for address in slot)


def test_what_the_record_finds_best_is_within_reach():
    assert {"FGSMTraining", "TRADES", "PGDTraining", "AdaptiveGradientClipping", "InputGradientPenalty"} <= set(known())


def test_gain_per_second_decides():
    rows, order = known(), in_order("binary")
    rates = [rows[name]["classes"] / rows[name]["price"] for name in order]
    assert rates == sorted(rates, reverse=True)
    assert "CMixUp" not in order


def test_a_second_decay_replaces_the_first():
    one = next(spec for spec in proposals("binary") if spec.name.endswith("with StableDecay"))
    assert [row["name"] for row in one.recipe["regularizers"]] == ["Dropout", "StableDecay"]
    assert one.slots == ({}, {"dropout.p": 0.0})


def test_proposers_take_turns_until_all_are_done():
    base = folded_specs(settings=SETTINGS, task="binary", seed=0)[0]
    one, two = Techniques(base, task="binary"), Techniques(base, task="regression")
    both = Alternate(one, two)
    names = []
    while (spec := both.propose()) is not None:
        names.append(spec.name)
    assert names[:2] == [f"folded run with {in_order('binary')[0]}", f"folded run with {in_order('regression')[0]}"]
    assert len(names) == len(in_order("binary")) + len(in_order("regression"))
