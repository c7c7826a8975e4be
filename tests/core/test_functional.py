import pytest
import torch

from temperance import EMA, SAM, Dropout, MixUp, Recipe, WeightDecay, compile_recipe
from temperance.control.schedule import Linear
from temperance.core.optimizers import SGD
from temperance.records.errors import SettingError
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import assert_close, assert_same, attach, train

CONV = PROBLEMS["convnet"]
ALL = (Dropout(0.2), MixUp(0.4), SAM(0.1), WeightDecay(0.1), EMA(0.9))


def compiled(recipe, **settings):
    return compile_recipe(recipe, CONV.model(torch.float64), CONV.loss, SGD(0.05, momentum=0.9), **settings)


def test_it_equals_a_session_with_everything_in_it():
    step = compiled(Recipe(*ALL))
    state = step.begin(seed=4)
    for number in range(8):
        state, notes = step(state, CONV.batch(number, torch.float64))
    alone = train(attach(Recipe(*ALL), CONV, seed=4, dtype=torch.float64), CONV, range(8), torch.float64)
    assert_close(state.params, dict(alone.solo.home), 1e-10, "weights")
    assert_close(step.served(state), dict(alone.served), 1e-10, "served weights")
    own = dict(alone.model.named_buffers())
    for name in ("1.running_mean", "3.branch.1.running_var", "1.num_batches_tracked"):
        torch.testing.assert_close(state.buffers[name], own[name])
    assert state.steps == 8
    assert notes["loss"].shape == ()


def test_the_users_model_stays_as_it_is():
    model = CONV.model(torch.float64)
    before = {n: t.clone() for n, t in model.state_dict().items()}
    step = compile_recipe(Recipe(*ALL), model, CONV.loss, SGD(0.05))
    step(step.begin(), CONV.batch(0, torch.float64))
    assert_same(dict(model.state_dict()), before, "the model given")
    assert sum(len(m._forward_hooks) for m in model.modules()) == 0


def test_signals_let_the_controller_move_strengths():
    step = compiled(Recipe(Dropout(0.4), controller=Linear(0.0, 1.0)))
    state = step.begin()
    after, _ = step(state, CONV.batch(0, torch.float64), {"progress": 0.5})
    assert float(after.strengths["dropout"]["p"]) == pytest.approx(0.2)
    assert float(state.strengths["dropout"]["p"]) == pytest.approx(0.4)


def test_losses_are_plain_and_in_evaluation_mode():
    step = compiled(Recipe(Dropout(0.9)))
    state, batch = step.begin(), CONV.batch(0, torch.float64)
    model = CONV.model(torch.float64).eval()
    with torch.no_grad():
        expected = CONV.loss(model(batch.inputs), batch.targets)
    torch.testing.assert_close(step.losses(state.params, state.buffers, batch), expected)


def test_torchs_optimizers_are_refused():
    model = CONV.model()
    with pytest.raises(SettingError, match="functional optimizer"):
        compile_recipe(Recipe(), model, CONV.loss, torch.optim.SGD(model.parameters(), lr=0.1))
