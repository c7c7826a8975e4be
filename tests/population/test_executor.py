"""Populations: choice of the executor, members alike solo runs, copies between members."""

import logging

import numpy as np
import pytest
import torch
from torch import nn

from temperance import EMA, SAM, Dropout, LabelSmoothing, MixUp, Recipe, WeightDecay
from temperance.control.population_based import PopulationBased
from temperance.core.optimizers import AdamW
from temperance.population import Population, member
from temperance.records.errors import SettingError
from temperance.testing.problems import CLASSES, PROBLEMS
from temperance.testing.training import assert_close, assert_same

MLP = PROBLEMS["mlp"]
ALL = (Dropout(0.2), MixUp(0.4), LabelSmoothing(0.1), SAM(0.1), WeightDecay(0.1), EMA(0.9))


class Asks(nn.Module):
    """Looks at a number: no map over members can run it."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, CLASSES))

    def forward(self, x):
        out = self.layers(x)
        return out * 2 if out.sum().item() > 0 else out


def population(recipe, members=4, model=None, **how):
    return Population(recipe, model or MLP.model(torch.float64), MLP.loss, AdamW(lr=0.01), members, **how)


def run(pop, steps, state=None, **begin):
    state = pop.begin(**begin) if state is None else state
    for number in range(steps):
        state, notes = pop(state, MLP.batch(number, torch.float64))
    return state, notes


def test_a_whole_cocktail_under_vmap_equals_the_loop():
    values = {"dropout.p": [0.0, 0.1, 0.5, 0.9], "mixup.alpha": [0.0, 0.2, 1.0, 8.0], "sam.rho": [0.0, 0.01, 0.1, 1.0]}
    mapped, notes = run(population(Recipe(*ALL), mode="vmap"), 8, strengths=values, seeds=[3, 1, 4, 1])
    looped, _ = run(population(Recipe(*ALL), mode="loop"), 8, strengths=values, seeds=[3, 1, 4, 1])
    assert notes["loss"].shape == (4,)
    for i in range(4):
        assert_close(member(mapped, i).params, member(looped, i).params, 1e-9, f"member {i}")


def test_the_choice_is_measured_and_logged(caplog):
    pop = population(Recipe(Dropout(0.1)))
    assert pop.choice == {}
    with caplog.at_level(logging.INFO, logger="temperance"):
        run(pop, 2)
    assert pop.choice["executor"] in ("vmap", "loop")
    assert "times faster than" in pop.choice["reason"]
    assert set(pop.choice["seconds"]) == {"vmap", "loop"}
    assert "population of 4" in caplog.text


def test_the_trial_steps_leave_no_trace():
    chosen, fixed = population(Recipe(*ALL)), population(Recipe(*ALL), mode="loop")
    first, _ = run(chosen, 3)
    second, _ = run(fixed, 3)
    for i in range(4):
        assert_close(member(first, i).params, member(second, i).params, 1e-9, f"member {i}")


def test_a_model_that_cannot_be_mapped_falls_back_with_the_reason():
    pop = population(Recipe(Dropout(0.1)), model=Asks().double())
    run(pop, 2)
    assert pop.choice["executor"] == "loop"
    assert "vmap" in pop.choice["reason"]
    assert ".item()" in pop.choice["reason"]


def test_recurrent_nets_can_be_mapped_on_this_torch_or_fall_back():
    problem = PROBLEMS["rnn"]
    pop = Population(Recipe(Dropout(0.1)), problem.model(), problem.loss, AdamW(), 3)
    state, _ = pop(pop.begin(), problem.batch(0))
    assert pop.choice["executor"] in ("vmap", "loop")
    assert torch.isfinite(state.params["gru.weight_hh_l0"]).all()


def test_members_start_from_their_own_weights_and_values():
    weights = [{n: p + i for n, p in MLP.model(torch.float64).named_parameters()} for i in range(2)]
    state = population(Recipe(Dropout(0.1)), 2).begin(weights=weights, strengths={"dropout.p": [0.2, 0.3]})
    torch.testing.assert_close(state.params["0.weight"][1], weights[1]["0.weight"].detach())
    assert state.values["dropout.p"].tolist() == pytest.approx([0.2, 0.3])
    with pytest.raises(SettingError, match="p=2"):
        population(Recipe(Dropout(0.1)), 2).begin(strengths={"dropout.p": [0.2, 2]})


def test_replaced_members_take_everything_from_their_source():
    recipe = Recipe(Dropout(0.2), EMA(0.9), controller=PopulationBased(interval=1.0, resample=0.0))
    pop = population(recipe, mode="vmap")
    state, _ = run(pop, 3)
    kept = {name: t.clone() for name, t in state.params.items()}
    scores = {"valid_loss": np.array([0.4, 0.1, 0.9, 0.3]), "epoch": 1.0}
    after = pop.steer(state, scores)
    assert after.control["source"].tolist() == [0, 1, 1, 3]
    one, two = member(after, 1), member(after, 2)
    for part in ("params", "buffers", "memory", "optimizer"):
        assert_same(getattr(two, part), getattr(one, part), part)
    assert_same(dict(state.params), kept, "the state given")
    assert after.values["dropout.p"][2] / 0.2 == pytest.approx(1.0, abs=0.21)
    assert after.values["dropout.p"][2] != state.values["dropout.p"][2]
    assert after.values["dropout.p"][[0, 1, 3]].tolist() == pytest.approx([0.2] * 3)
    assert after.seeds == state.seeds
    later, _ = pop(after, MLP.batch(9, torch.float64))
    assert not torch.equal(later.params["0.weight"][1], later.params["0.weight"][2])  # their noise differs


def test_with_nothing_to_copy_the_state_stays():
    pop = population(Recipe(Dropout(0.2), controller=PopulationBased()), mode="loop")
    state = pop.begin()
    after = pop.steer(state, {})
    assert after.params["0.weight"] is state.params["0.weight"]


def test_losses_of_every_member_at_its_served_weights():
    pop = population(Recipe(EMA(0.9)), 3, mode="vmap")
    state, _ = run(pop, 4)
    assert pop.losses(state, MLP.batch(0, torch.float64)).shape == (3, 12)
