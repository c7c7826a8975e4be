"""Served weights in the model for a while, and checkpoints that are written meanwhile."""

import io

import pytest
import torch

from temperance import EMA, Dropout, Recipe, WeightDecay
from temperance.records.errors import RecipeError
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import assert_same, attach, outcome, train

CONV, MLP = PROBLEMS["convnet"], PROBLEMS["mlp"]


def through_a_file(state):
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def test_served_weights_stand_in_the_model_and_leave_it_bit_for_bit():
    session = train(attach(Recipe(Dropout(0.3), EMA(0.6), WeightDecay(0.1)), MLP), MLP, range(4))
    plain = train(attach(Recipe(Dropout(0.3), EMA(0.6), WeightDecay(0.1)), MLP), MLP, range(4))
    with session.served_weights() as model:
        inside = {n: t.clone() for n, t in model.state_dict().items()}
    assert_same(inside, dict(session.served), "inside")
    with pytest.raises(ZeroDivisionError), session.served_weights():
        raise ZeroDivisionError
    assert_same(outcome(train(session, MLP, range(4, 6))), outcome(train(plain, MLP, range(4, 6))), "trained on")
    session.finish()


def test_a_checkpoint_saved_while_averaged_weights_stand_in_the_model():
    recipe = Recipe(Dropout(0.2), EMA(0.5))
    whole = train(attach(recipe, CONV), CONV, range(6))
    half = train(attach(recipe, CONV), CONV, range(3))
    trained = {n: t.clone() for n, t in half.module.state_dict().items()}
    served = {n: t.clone() for n, t in half.served.items()}
    with half.served_weights(batches=[CONV.batch(0), CONV.batch(1)]) as model:
        shown = dict(model.state_dict())
        assert_same({n: shown[n] for n in served}, served, "what stands in the model")
        assert not torch.equal(shown["1.running_mean"], trained["1.running_mean"])
        state = through_a_file(half.state_dict())
        assert_same({n: model.state_dict()[n] for n in served}, served, "after the checkpoint")
        for verb in (lambda: half.step(CONV.batch(3)), half.finish, lambda: half.validate([CONV.batch(3)])):
            with pytest.raises(RecipeError, match="served weights in the model"):
                verb()
    assert_same(dict(half.module.state_dict()), trained, "afterwards")
    again = attach(recipe, CONV, seed=8)
    again.load_state_dict(state)
    for one in (half, again):
        assert_same(outcome(train(one, CONV, range(3, 6))), outcome(whole), "resumed from inside")
