"""Sessions in every kind of loop."""

import copy
import math
import pickle
import warnings

import pytest
import torch
from torch import nn

from temperance import EMA, SAM, Batch, Constraint, Dropout, EarlyStopping, GapFeedback, MixUp, Recipe, WeightDecay
from temperance.control.schedule import Linear
from temperance.core import steering
from temperance.core.batch import Pass
from temperance.records.errors import RecipeError, SettingError
from temperance.signals.gap import Gap
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import assert_same, attach, outcome, train, trained

MLP, CONV = PROBLEMS["mlp"], PROBLEMS["convnet"]
COCKTAIL = (Dropout(0.2), MixUp(0.4), WeightDecay(0.1), EMA(0.9))


def test_an_empty_recipe_is_the_plain_loop_bit_for_bit():
    session = trained(Recipe(), CONV)
    model = CONV.model().train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for number in range(6):
        batch = CONV.batch(number)
        optimizer.zero_grad()
        CONV.loss(model(batch.inputs), batch.targets).mean().backward()
        optimizer.step()
    assert_same(dict(session.model.state_dict()), dict(model.state_dict()), "plain loop")


@pytest.mark.parametrize("recipe", [Recipe(), Recipe(WeightDecay(0.1), EMA(0.9)), Recipe(SAM(0.1))], ids=repr)
def test_micro_batches_add_up_to_the_big_batch(recipe):
    whole, parts = attach(recipe, MLP, dtype=torch.float64), attach(recipe, MLP, dtype=torch.float64)
    for number in range(5):
        batch = MLP.batch(number, torch.float64)
        cut = [slice(0, 5), slice(5, 8), slice(8, 12)]
        passed = parts.step([(batch.inputs[c], batch.targets[c]) for c in cut])
        one = whole.step(batch)
        assert passed.loss.item() == pytest.approx(one.loss.item(), rel=1e-12)
    assert parts.steps == 5
    for a, b in zip(whole.solo.home.tensors, parts.solo.home.tensors, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-13)


def test_a_loop_that_owns_its_backward_equals_step():
    own, ours = attach(Recipe(*COCKTAIL), MLP), trained(Recipe(*COCKTAIL), MLP)
    for number in range(6):
        own.optimizer.zero_grad()
        own.loss(MLP.batch(number)).backward()
        own.update()
    assert_same(outcome(own), outcome(ours), "loss, backward, update")
    with pytest.raises(SettingError, match="without a loss"):
        own.update()


@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: (x,), lambda x: {"input": x}], ids=["tensor", "tuple", "dict"])
def test_inputs_of_every_form_give_the_same_training(wrap):
    session = attach(Recipe(*COCKTAIL), MLP)
    for number in range(6):
        batch = MLP.batch(number)
        session.step(Batch(wrap(batch.inputs), batch.targets))
    assert_same(outcome(session), outcome(trained(Recipe(*COCKTAIL), MLP)), "form of the inputs")


def test_tied_weights_stay_tied_and_are_decayed_once():
    model = nn.Sequential(nn.Linear(3, 3, bias=False), nn.ReLU(), nn.Linear(3, 3, bias=False))
    model[2].weight = model[0].weight
    start = model[0].weight.detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    session = Recipe(WeightDecay(1.0), SAM(0.1), EMA(0.5)).attach(model, optimizer, loss=lambda o, y: o.sum(1) * 0)
    session.step((torch.ones(4, 3), torch.zeros(4)))
    torch.testing.assert_close(model[0].weight, start * 0.9)
    model = session.finish()
    assert model[2].weight is model[0].weight


def test_frozen_and_unused_parameters_are_left_alone():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.unused = nn.Linear(2, 3), nn.Linear(2, 3)
            self.frozen = nn.Linear(2, 2).requires_grad_(False)
            self.act = nn.ReLU()

        def forward(self, x):
            return self.act(self.used(self.frozen(x)))

    model = Net()
    unused, frozen = model.unused.bias.detach().clone(), model.frozen.weight.clone()
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    session = Recipe(SAM(0.1), Dropout(0.1), EMA(0.9)).attach(model, optimizer, loss=MLP.loss)
    for _ in range(3):
        session.step((torch.randn(5, 2), torch.zeros(5, dtype=torch.int64)))
    assert torch.equal(model.unused.bias, unused)
    assert torch.equal(model.frozen.weight, frozen)


def test_autocast_trains_and_keeps_float32_weights():
    session = trained(Recipe(*COCKTAIL, SAM(0.1)), MLP, autocast=torch.bfloat16)
    assert {p.dtype for p in session.model.parameters()} == {torch.float32}
    plain = trained(Recipe(*COCKTAIL, SAM(0.1)), MLP)
    far = float(session.solo.home.clone().add(plain.solo.home, -1.0).norm() / plain.solo.home.norm())
    assert 0 < far < 0.1


def test_two_recipes_on_one_model_are_refused():
    session = attach(Recipe(Dropout(0.1)), MLP)
    optimizer = torch.optim.SGD(session.model.parameters(), lr=0.1)
    with pytest.raises(RecipeError, match="attached already"):
        Recipe().attach(session.model, optimizer, loss=MLP.loss)
    session.finish()
    Recipe().attach(session.model, optimizer, loss=MLP.loss)


def test_a_failed_attach_leaves_nothing_behind():
    model = MLP.model()
    with pytest.raises(RecipeError, match="weight_decay=0"):
        Recipe(Dropout(0.1), WeightDecay()).attach(model, torch.optim.AdamW(model.parameters()), loss=MLP.loss)
    assert sum(len(m._forward_hooks) for m in model.modules()) == 0
    Recipe().attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=MLP.loss)


def test_optimizers_that_cannot_work_are_refused():
    model = MLP.model()
    with pytest.raises(RecipeError, match="holds none of the model's"):
        Recipe().attach(model, torch.optim.SGD(MLP.model().parameters(), lr=0.1), loss=MLP.loss)
    with pytest.raises(RecipeError, match="LBFGS"):
        Recipe().attach(model, torch.optim.LBFGS(model.parameters()), loss=MLP.loss)


@pytest.mark.parametrize("kind", ["onecycle", "linear", "lambda"])
def test_the_rate_counts_against_the_top_of_its_schedule(kind):
    model = MLP.model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.4)
    lr = torch.optim.lr_scheduler
    made = {
        "onecycle": lambda: lr.OneCycleLR(optimizer, max_lr=0.4, total_steps=10),
        "linear": lambda: lr.LinearLR(optimizer, start_factor=0.1, total_iters=5),
        "lambda": lambda: lr.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 5)),
    }[kind]()
    session = Recipe().attach(model, optimizer, loss=MLP.loss)
    assert session.probe().lr_ratio < 0.5
    seen = []
    for number in range(8):
        session.step(MLP.batch(number))
        made.step()
        seen.append(session.probe().lr_ratio)
    assert max(seen) == pytest.approx(1.0, abs=0.1)


def test_the_controller_waits_for_the_end_of_the_warm_up():
    session = attach(Recipe(Dropout(0.1), controller=GapFeedback(-1.0, noise=0.0)), MLP)
    group = session.optimizer.param_groups[0]
    group["initial_lr"] = 0.5
    held, moved = [], []
    for number, (rate, kept) in enumerate([(0.1, held), (0.3, held), (0.5, moved), (0.5, moved), (0.4, moved)]):
        group["lr"] = rate
        train(session, MLP, [number])
        session.validate([MLP.batch(100)])
        kept.append(session.strengths["dropout.p"])
    assert held == [0.1, 0.1]
    assert max(moved) > 0.1


@pytest.mark.parametrize("steps", [50, 399, 1000, 4321])
def test_a_schedule_leaves_at_most_about_200_lines(steps):
    recipe = Recipe(Dropout(0.1), controller=Linear(0.0, 1.0))
    session = attach(recipe, MLP, epochs=1, steps_per_epoch=steps)
    none = Pass(torch.zeros(()), torch.zeros(()), {}, {}, {})
    session.solo.step = lambda micros, key: none  # the steps themselves are not needed here
    for _ in range(steps):
        session.step(MLP.batch(0))
    assert min(steps, 100) - 2 <= len(session.trace) <= 200
    assert session.trace[-1].fraction >= 0.98
    assert session.trace[-1].epoch >= 0.98
    assert session.strengths["dropout.p"] == pytest.approx(0.1, rel=0.02)


def test_readings_become_rarer_where_the_end_is_unknown():
    session = attach(Recipe(Dropout(0.1), controller=Linear()), MLP, epochs=None, steps_per_epoch=None)
    count = 0
    for step in range(1, 200_001):
        session.steps = step
        count += step % steering.interval(session.steps, session.planned_steps) == 0
    assert 200 <= count <= 1500


def test_early_stopping_brings_back_the_best_weights_and_their_statistics(monkeypatch):
    session = attach(Recipe(Dropout(0.1), controller=EarlyStopping(2)), CONV, epochs=50)
    values, best = iter([1.0, 0.5, 0.9, 0.8, 0.7]), None
    monkeypatch.setattr(Gap, "measure", lambda _, probe: {"valid_loss": next(values)})
    for epoch in range(5):
        train(session, CONV, [epoch])
        session.validate([CONV.batch(50)])
        if epoch == 1:
            best = {name: t.clone() for name, t in session.model.state_dict().items()}
        if session.stopped:
            break
    assert session.stopped
    assert epoch >= 3
    model = session.finish()
    assert_same(dict(model.state_dict()), best, "the best state")


def test_validate_measures_and_learns_the_length_of_an_epoch():
    session = attach(Recipe(Dropout(0.3), controller=GapFeedback()), MLP, epochs=4, steps_per_epoch=None)
    train(session, MLP, range(7))
    numbers = session.validate([MLP.batch(20), MLP.batch(21)])
    assert session.steps_per_epoch == 7
    assert session.planned_steps == 28
    assert math.isfinite(numbers["gap"])
    assert session.signals["epoch"] == 1.0
    with pytest.raises(SettingError, match="no batches"):
        session.validate([])


def test_every_move_is_logged_with_its_reason():
    session = attach(Recipe(Dropout(0.1), WeightDecay(1e-3), controller=GapFeedback(-1.0, noise=0.0)), MLP)
    train(session, MLP, range(5))
    before = session.strengths
    session.validate([MLP.batch(20)])
    moved = {name for name, value in session.strengths.items() if value != before[name]}
    assert moved == {move.strength for move in session.trace} == {"dropout.p", "weight_decay.rate"}
    assert all(move.reason and move.step == 5 for move in session.trace)


def test_strengths_by_hand_are_checked_and_reach_the_layers():
    session = attach(Recipe(Dropout(0.1)), MLP)
    session.set_strength("dropout.p", 0.9)
    assert session.strengths == {"dropout.p": 0.9}
    assert float(session.model[1]._temperance_dropout_p) == pytest.approx(0.9)
    with pytest.raises(SettingError, match=r"p=1\.5"):
        session.set_strength("dropout.p", 1.5)
    with pytest.raises(SettingError, match="there is no strength"):
        session.set_strength("dropout.q", 0.5)


def test_only_the_gap_makes_it_keep_several_training_batches():
    adaptive = Recipe(Dropout(0.1), controller=GapFeedback())
    for recipe, select, count in ((Recipe(), None, 1), (Recipe(), "average", 4), (adaptive, None, 4)):
        session = train(attach(recipe, MLP, select=select), MLP, range(6))
        assert len(session._clean) == count


@pytest.mark.parametrize("recipe", [Recipe(*COCKTAIL), Recipe(SAM(0.1), Dropout(0.2))], ids=["cocktail", "sam"])
def test_gradients_then_update_is_a_step_and_the_user_may_clip_between(recipe):
    whole, halves, clipped = (attach(recipe, MLP) for _ in range(3))
    for number in range(4):
        whole.step(MLP.batch(number))
        halves.gradients(MLP.batch(number))
        halves.update()
        clipped.gradients([MLP.batch(number), MLP.batch(number + 4)])
        for p in clipped.model.parameters():
            p.grad = p.grad * 0.0
        clipped.update()
    assert halves.steps == clipped.steps == 4
    assert_same(outcome(halves), outcome(whole), "gradients, update")
    with pytest.raises(SettingError, match="without a loss"):
        halves.update()


def test_a_half_done_step_is_no_state():
    session = attach(Recipe(Dropout(0.2)), MLP)
    session.gradients(MLP.batch(0))
    with pytest.raises(RecipeError, match="half done"):
        session.state_dict()
    session.update()
    assert session.state_dict()["counts"]["steps"] == 1


def test_gradients_that_are_no_numbers_are_left_out_at_the_update():
    session = attach(Recipe(SAM(0.1)), MLP, nan="skip")
    batch = MLP.batch(0)
    session.gradients(batch._replace(inputs=batch.inputs * math.nan))
    assert session.steps == 0
    with pytest.warns(UserWarning, match="left out"):
        session.update()
    assert (session.steps, session.left_out) == (1, [1])
    session.step(batch)
    assert all(bool(torch.isfinite(p).all()) for p in session.model.parameters())


def test_any_backward_runs_and_two_are_refused():
    seen = []
    plain, own = (
        attach(Recipe(SAM(0.1)), MLP),
        attach(Recipe(SAM(0.1)), MLP, backward=lambda loss: (seen.append(float(loss.detach())), loss.backward())),
    )
    for session in (plain, own):
        session.step(MLP.batch(0))
    assert len(seen) == 2
    assert_same(outcome(own), outcome(plain), "backward=")

    class Fabric:
        backward = staticmethod(lambda loss: loss.backward())

    with pytest.raises(SettingError, match="fabric= and backward="):
        attach(Recipe(), MLP, backward=Fabric.backward, fabric=Fabric())


def test_a_training_that_breaks_off_leaves_the_plain_model():
    session = attach(Recipe(Dropout(0.2), EMA(0.5)), MLP)
    session.step(MLP.batch(0))
    trained = {n: t.clone() for n, t in session.model.state_dict().items()}
    session.close()
    session.close()
    assert_same(dict(session.model.state_dict()), trained, "trained weights")
    assert [type(m) for m in session.model.modules()] == [type(m) for m in MLP.model().modules()]
    with pytest.raises(RecipeError, match="is closed"):
        session.step(MLP.batch(0))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps], ids=lambda f: f.__name__)
def test_copies_are_refused_with_what_to_do_instead(copied):
    with pytest.raises(RecipeError, match="state_dict"):
        copied(attach(Recipe(), MLP))


def test_a_held_out_loss_of_the_users_own_steers_as_batches_do():
    recipe = Recipe(Dropout(0.2), controller=GapFeedback())
    ours, own = attach(recipe, MLP), attach(recipe, MLP)
    for number in range(6):
        for session in (ours, own):
            session.step(MLP.batch(number))
        told = ours.validate([MLP.batch(50)])
        own.validate(valid_loss=(told["valid_loss"], told["valid_loss_error"]))
    assert own.strengths == ours.strengths
    assert own.signals["gap"] == ours.signals["gap"]
    assert math.isnan(own.validate(valid_loss=1.0)["gap_error"])
    with pytest.raises(SettingError, match="valid_loss=1"):
        own.validate([MLP.batch(50)], valid_loss=1.0)


def test_a_step_without_anything_to_train_says_so():
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    session = Recipe().attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=nn.functional.cross_entropy)
    batch = (torch.randn(4, 6), torch.tensor([0, 1, 2, 0]))
    session.step(batch)
    model.requires_grad_(False)
    with pytest.raises(RecipeError, match="does not depend on any parameter that is trained"):
        session.step(batch)


def test_validate_takes_lists_of_micro_batches_and_refuses_what_is_none():
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    session = Recipe().attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=nn.functional.cross_entropy)
    x, y = torch.randn(8, 6), torch.tensor([0, 1, 2, 0] * 2)
    session.step((x, y))
    whole = session.validate([(x, y)])["valid_loss"]
    assert session.validate([[(x[:5], y[:5]), (x[5:], y[5:])]])["valid_loss"] == pytest.approx(whole, rel=1e-6)
    with pytest.raises(SettingError, match="an iterable of held-out batches"):
        session.validate(5)


def test_each_move_tells_how_far_the_training_is_whatever_the_rule_reads():
    recipe = Recipe(Dropout(0.1), controller=Constraint(0.0, signal="weight_norm", ki=0.1))
    session = attach(recipe, MLP, epochs=2, steps_per_epoch=2)
    train(session, MLP, range(4))
    assert [(move.fraction, move.epoch) for move in session.trace] == [(0.25, 0.5), (0.5, 1.0), (0.75, 1.5), (1.0, 2.0)]


@pytest.mark.parametrize("clears", ["no", "before", "between", "in place"])
def test_gradients_that_pile_up_in_the_users_own_backward_are_told_of(clears):
    session = attach(Recipe(), MLP)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for index in range(4):
            if clears == "before":
                session.optimizer.zero_grad()
            parts = [session.loss(MLP.batch(index)) for _ in range(1 + index % 2)]
            if clears in ("between", "in place"):
                session.optimizer.zero_grad(set_to_none=clears == "between")
            for part in parts:
                part.backward()
            session.update()
    told = [str(one.message) for one in said if "pile up" in str(one.message)]
    assert len(told) == (clears == "no")
    assert session.steps == 4
