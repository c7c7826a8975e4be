"""What validate keeps, finish serves, and a session says."""

import copy
import math
import warnings

import pytest
import torch
from torch import nn

from temperance import (
    EMA,
    Constraint,
    Dropout,
    EarlyStopping,
    GapFeedback,
    GreedySoup,
    Hypergradient,
    PopulationBased,
    Recipe,
    Spectral,
    WeightDecay,
)
from temperance.core.readings import NotNumbers
from temperance.records.errors import RecipeError, SettingError
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import assert_same, attach, train

MLP, CONV = PROBLEMS["mlp"], PROBLEMS["convnet"]


def loop(session, problem=MLP, epochs=6, **asked):
    for epoch in range(epochs):
        train(session, problem, range(4 * epoch, 4 * epoch + 4))
        session.validate([problem.batch(100), problem.batch(101)], **asked)
    return session


@pytest.mark.parametrize("select", ["average", "best"])
@pytest.mark.parametrize("name", ["mlp", "convnet"])
def test_what_is_served_scores_on_the_held_out_rows_what_was_said(name, select):
    problem = PROBLEMS[name]  # the convnet has BatchNorm: its statistics are averaged with the weights
    session = loop(attach(Recipe(Dropout(0.1)), problem, select=select), problem)
    said, single = session.chosen.value, session.chosen.single
    model = session.finish()
    with torch.no_grad():
        rows = [problem.loss(model(b.inputs), b.targets) for b in (problem.batch(100), problem.batch(101))]
    assert float(torch.cat(rows).mean()) == pytest.approx(said, rel=1e-5)
    assert said <= single
    line = session.trace[-1]
    assert (line.strength, line.value, line.old) == ("weights", said, single)
    assert line.reason.startswith("serves ")


def test_a_change_of_measure_and_bad_settings_are_refused():
    with pytest.raises(SettingError, match="patience=0"):
        attach(Recipe(), MLP, patience=0)
    session = train(attach(Recipe(), MLP), MLP, [0])
    session.validate([MLP.batch(9)])
    with pytest.raises(SettingError, match="Keep to one measure"):
        session.validate([MLP.batch(9)], metric="accuracy")
    with pytest.raises(SettingError, match="got nothing"):
        session.validate()


def test_validate_gives_the_losses_and_the_gap_for_any_recipe():
    numbers = loop(attach(Recipe(), MLP), epochs=1).signals
    assert {"train_loss", "valid_loss", "valid_loss_error", "gap", "gap_error"} <= set(numbers)
    assert numbers["gap"] == pytest.approx(numbers["valid_loss"] - numbers["train_loss"])
    assert "gap" not in loop(attach(Recipe(), MLP, select=None), epochs=1).signals


def test_without_selection_the_last_weights_are_served():
    session = loop(attach(Recipe(), MLP, select=None))
    last = session.solo.home.clone()
    assert session.best is None
    session.finish()
    assert_same(dict(session.solo.home), dict(last), "last weights")


def test_a_loader_is_streamed_once_and_not_held():
    session, alive = train(attach(Recipe(), MLP), MLP, [0]), []

    def stream():
        for number in range(5):
            alive.append(MLP.batch(100 + number))
            yield alive[-1]

    seen, answers = [], session.solo.answers

    def spied(batch, weights):
        if any(batch.inputs is one.inputs for one in alive):
            seen.append(len(alive))
        return answers(batch, weights)

    session.solo.answers = spied
    session.validate(stream())
    session.validate(stream())
    assert seen == [1, 2, 3, 4, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10]


def test_any_measure_of_the_users_steers():
    recipe = Recipe(Dropout(0.1), controller=Constraint(0.0, signal="metric", ki=0.1))
    session = loop(attach(recipe, MLP), metric=lambda outputs, targets: 5.0 + len(targets), better="lower")
    assert session.signals["metric"] == 5.0 + len(MLP.batch(100).targets) + len(MLP.batch(101).targets)
    assert session.strengths["dropout.p"] > 0.1
    assert session.trace[0].signal == "metric"
    session = attach(Recipe(), MLP)
    for value in (0.5, 0.8, 0.6):
        train(session, MLP, [0])
        session.validate(value=value, better="higher")
    assert session.chosen.to_dict() == {"readings": [2], "signal": "metric", "value": 0.8, "single": 0.8}
    assert "valid_loss" not in session.signals or math.isnan(session.signals["valid_loss"])


def test_accuracy_is_known_by_name():
    session = loop(attach(Recipe(), MLP), metric="accuracy")
    assert 0.0 <= session.chosen.single <= session.chosen.value <= 1.0


def test_lost_weights_stop_the_training_and_are_not_served():
    session = loop(attach(Recipe(), MLP), epochs=2)
    with torch.no_grad():
        session.solo.home.tensors[0].fill_(math.nan)
    assert not session.stopped
    session.validate([MLP.batch(100)])
    assert session.stopped
    assert "not a number" in session.trace[-1].reason
    assert "1 of 3 readings gave no number" in session.warnings[-1]
    model = session.finish()
    assert all(bool(torch.isfinite(p).all()) for p in model.parameters())


def test_a_training_that_gets_worse_is_told_to_stop():
    session = attach(Recipe(), MLP, patience=2)
    values = iter([0.5, 0.6, 0.7, 0.8])
    for _ in range(4):
        train(session, MLP, [0])
        session.validate(value=next(values), better="lower")
    assert session.stopped
    lines = [move for move in session.trace if move.strength == "training"]
    assert [line.reason for line in lines] == ["stop: metric has not improved for 2 readings"]


def test_what_is_kept_is_in_the_checkpoint():
    whole, parts = attach(Recipe(EMA(0.9)), MLP), attach(Recipe(EMA(0.9)), MLP)
    loop(whole, epochs=6)
    loop(parts, epochs=3)
    state, parts = copy.deepcopy(parts.state_dict()), attach(Recipe(EMA(0.9)), MLP)
    parts.load_state_dict(state)
    for epoch in range(3, 6):
        train(parts, MLP, range(4 * epoch, 4 * epoch + 4))
        parts.validate([MLP.batch(100), MLP.batch(101)])
    assert parts.chosen == whole.chosen
    assert_same(dict(parts.finish().state_dict()), dict(whole.finish().state_dict()), "resumed")


def test_controllers_and_techniques_that_choose_go_first():
    session = loop(attach(Recipe(controller=EarlyStopping(9)), MLP))
    assert session.chosen is None
    assert session.best is not None
    session = loop(attach(Recipe(GreedySoup()), MLP))
    assert session.chosen is None
    assert session.best is None


def test_a_controller_that_heard_nothing_says_so():
    session = train(attach(Recipe(Dropout(0.1), controller=[GapFeedback(), EarlyStopping()]), MLP), MLP, range(3))
    assert "GapFeedback never heard gap" in session.warnings[-2]
    with pytest.warns(UserWarning, match=r"validate was never called\. Call session\.validate") as told:
        session.finish()
    assert len(told) == 2
    heard = loop(attach(Recipe(Dropout(0.1), controller=GapFeedback()), MLP), epochs=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        heard.finish()


def test_a_rule_with_nothing_to_move_says_so():
    session = attach(Recipe(EMA(), controller=GapFeedback()), MLP)
    assert "GapFeedback has no strength to move" in session.warnings[-1]


@pytest.mark.parametrize(
    ("controller", "words"),
    [
        (Constraint(5.0, signal="wieght_norm"), r"reads 'wieght_norm', which nothing measures.*'weight_norm'"),
        (Hypergradient(), r"Hypergradient reads 'hypergradient', which nothing measures"),
        (Spectral(), r"Spectral found 0 strengths with a tail"),
        (PopulationBased(), r"attached to one net"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_controllers_that_can_never_act_are_refused_at_attach(controller, words):
    with pytest.raises(RecipeError, match=words):
        attach(Recipe(Dropout(0.1), WeightDecay(1e-3), controller=controller), MLP)


def test_at_its_limit_the_trace_says_what_is_left():
    session = attach(Recipe(Dropout(0.1), controller=GapFeedback(-9.0, noise=0.0, rate=1.0, kp=9.0)), MLP)
    loop(session, epochs=4)
    moved = [move for move in session.trace if move.strength == "dropout.p"]
    assert sum("at its limit, the gap is still" in move.reason for move in moved) == 1
    first = moved[0]
    assert first.old == 0.1 < first.value
    assert first.epoch == pytest.approx(4 / 3)
    assert math.isfinite(first.spread)


def test_a_model_without_statistics_or_parameters_that_train_all_the_same():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[0].requires_grad_(False)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    session = Recipe().attach(model, optimizer, loss=MLP.loss)
    rows = (torch.randn(6, 2), torch.randint(0, 2, (6,)))
    for _ in range(3):
        session.step(rows)
        session.validate([rows])
    assert session.finish() is model


def test_weights_that_are_not_numbers_are_said() -> None:
    net = torch.nn.Linear(2, 2)
    optimizer = torch.optim.SGD(net.parameters(), lr=1.0)
    session = Recipe().attach(net, optimizer, loss=lambda o, y: o.sum(1) * float("nan"), nan="ignore")
    session.step((torch.ones(4, 2), torch.zeros(4, dtype=torch.int64)))
    with pytest.warns(NotNumbers, match="not usable"):
        session.finish()
