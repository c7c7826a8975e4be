import io

import pytest
import torch

from temperance import EMA, Dropout, EarlyStopping, GapFeedback, MixUp, Recipe, WeightDecay
from temperance.records.errors import RecipeError
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import assert_same, attach, outcome, train

CONV = PROBLEMS["convnet"]
RECIPE = Recipe(
    Dropout(0.2), MixUp(0.3), WeightDecay(0.1), EMA(0.8), controller=[GapFeedback(0.01, noise=0.0), EarlyStopping(5)]
)


def epochs(session, numbers):
    for epoch in numbers:
        train(session, CONV, range(3 * epoch, 3 * epoch + 3))
        session.validate([CONV.batch(70)])
    return session


def through_a_file(state):
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def test_an_adaptive_run_resumed_is_the_uninterrupted_one_bit_for_bit():
    whole = epochs(attach(RECIPE, CONV, epochs=6, steps_per_epoch=3), range(6))
    half = epochs(attach(RECIPE, CONV, epochs=6, steps_per_epoch=3), range(3))
    again = attach(RECIPE, CONV, epochs=6, steps_per_epoch=3, seed=5)
    again.load_state_dict(through_a_file(half.state_dict()))
    epochs(again, range(3, 6))
    assert_same(outcome(again), outcome(whole), "resumed")
    assert again.strengths == whole.strengths
    assert [m.to_dict() for m in again.trace] == [m.to_dict() for m in whole.trace]
    assert len(whole.trace) > 0
    batches = [CONV.batch(0)]
    assert_same(
        dict(again.finish(batches=batches).state_dict()), dict(whole.finish(batches=batches).state_dict()), "finished"
    )


def test_the_state_is_a_copy():
    session = train(attach(RECIPE, CONV), CONV, range(2))
    state = session.state_dict()
    kept = {n: t.clone() for n, t in state["model"].items()}
    train(session, CONV, range(2, 4))
    assert_same(state["model"], kept, "the saved state moved on")


def test_another_recipe_is_refused():
    state = attach(RECIPE, CONV).state_dict()
    with pytest.raises(RecipeError, match="another recipe"):
        attach(Recipe(Dropout(0.3)), CONV).load_state_dict(state)
