"""Numbers that are none: the step and the technique are named, the step is skipped, or training goes on blindly."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import nn

from temperance import EMA, SAM, Dropout, EarlyStopping, MixUp, Recipe, WeightDecay
from temperance.control.strength import Strength
from temperance.core.finite import Watch
from temperance.core.readings import NotNumbers
from temperance.core.regularizer import Rank, Regularizer
from temperance.records.errors import RecipeError, SettingError
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import assert_same, attach, outcome, train

MLP, CONV = PROBLEMS["mlp"], PROBLEMS["convnet"]
NAN = float("nan")


@dataclass(frozen=True, repr=False)
class Breaks(Regularizer):
    """Add a term that is not a number."""

    rank: ClassVar[Rank] = Rank.PENALTY
    strengths: ClassVar[dict[str, Strength]] = {}

    def objective(self, inner, strengths, memory):
        def broken(params, buffers, batch, key):
            passed = inner(params, buffers, batch, key)
            return passed._replace(loss=passed.loss + torch.log(passed.loss - passed.loss - 1))

        return broken


def poisoned(batch, where):
    if where == "targets":
        return batch._replace(targets=batch.targets * NAN)
    inputs = batch.inputs.clone()
    inputs.view(-1)[3] = NAN
    return batch._replace(inputs=inputs)


@pytest.mark.parametrize(
    ("recipe", "batch", "said"),
    [
        (Recipe(MixUp(0.4)), poisoned(MLP.batch(0), "inputs"), "step 3 .* the inputs of the batch hold NaN"),
        (Recipe(MixUp(0.4), Breaks(), Dropout(0.1)), MLP.batch(2), "step 3 .* breaks made it from a finite loss"),
    ],
    ids=["inputs", "technique"],
)
@pytest.mark.parametrize("own", [False, True], ids=["step", "own backward"])
def test_the_step_and_what_saw_it_first_are_named(recipe, batch, said, own):
    session = attach(Recipe(MixUp(0.4)), MLP) if "inputs" in said else attach(recipe, MLP)
    session.steps = 2
    before = {n: p.detach().clone() for n, p in session.module.named_parameters()}
    with pytest.raises(RecipeError, match=said):
        session.loss(batch) if own else session.step(batch)
    assert_same(dict(session.module.named_parameters()), before, "weights after the refusal")


def test_targets_the_loss_and_weights_that_broke_before_are_told_apart():
    numbers = PROBLEMS["regression"]
    with pytest.raises(RecipeError, match="targets of the batch hold NaN"):
        attach(Recipe(), numbers).step(poisoned(numbers.batch(0), "targets"))
    net = nn.Linear(6, 3)
    session = Recipe(EMA(0.9)).attach(
        net, torch.optim.SGD(net.parameters(), lr=0.1), loss=lambda outputs, y: outputs.sum(1) * NAN
    )  # fmt: skip
    with pytest.raises(RecipeError, match="the model or the loss itself gave it"):
        session.step(MLP.batch(0))
    session = train(attach(Recipe(), MLP), MLP, range(2))
    with torch.no_grad():
        session.module[0].weight[0, 0] = NAN
    with pytest.raises(RecipeError, match=r"the weight 0\.weight .* was not finite before"):
        session.step(MLP.batch(2))


@pytest.mark.parametrize("recipe", [Recipe(), Recipe(Dropout(0.2), SAM(0.1), EMA(0.9))], ids=repr)
@pytest.mark.parametrize("micro", [False, True])
def test_a_step_that_is_skipped_leaves_no_trace(recipe, micro):
    session, plain = attach(recipe, CONV, nan="skip"), attach(recipe, CONV, nan="skip")
    bad = poisoned(CONV.batch(2), "inputs")
    for one in (session, plain):
        train(one, CONV, range(2))
    with pytest.warns(NotNumbers, match="step 3 is left out: the inputs of the batch hold NaN"):
        session.step([CONV.batch(3), bad] if micro else bad)
    assert_same(outcome(session), outcome(plain), "after a skipped step")
    assert (session.left_out, session.steps) == ([3], 3)
    session.step(bad)  # told once
    assert session.left_out == [3, 4]
    plain.steps = 4
    for one in (session, plain):
        train(one, CONV, range(4, 6))
    assert_same(outcome(session), outcome(plain), "trained on")
    again = attach(recipe, CONV, nan="skip")
    again.load_state_dict(session.state_dict())
    assert again.left_out == [3, 4]


def test_a_skip_in_a_loop_that_owns_its_backward():
    session, plain = attach(Recipe(WeightDecay(0.1)), CONV, nan="skip"), attach(Recipe(WeightDecay(0.1)), CONV)
    session.loss(poisoned(CONV.batch(0), "inputs")).backward()
    with pytest.warns(NotNumbers, match="step 1 is left out"):
        session.update()
    plain.steps = 1
    for number in range(1, 3):
        for one in (session, plain):
            one.optimizer.zero_grad()
            one.loss(CONV.batch(number)).backward()
            one.update()
    assert_same(outcome(session), outcome(plain), "after a skipped step")


@pytest.mark.parametrize("nan", ["raise", "ignore"])
def test_early_stopping_hears_of_it_and_the_last_good_weights_come_back(nan):
    session = attach(Recipe(Dropout(0.1), controller=EarlyStopping(2)), MLP, epochs=20, nan=nan)
    epochs, good = 0, {}
    for epoch in range(20):
        try:
            for number in range(3):
                batch = MLP.batch(3 * epoch + number)
                session.step(poisoned(batch, "inputs") if epoch >= 4 else batch)
        except RecipeError:
            assert nan == "raise"
            break
        epochs += 1
        session.validate([MLP.batch(90)])
        if session.stopped:
            break
    assert 4 <= epochs <= 5
    good = session.best
    assert good is not None
    kept = {n: t.clone() for n, t in good.items()}
    model = session.finish()
    assert all(torch.isfinite(p).all() for p in model.parameters())
    assert_same({n: model.state_dict()[n] for n in kept}, kept, "what ships")


def test_off_the_cpu_losses_are_looked_at_together():
    watch = Watch("raise", torch.device("cuda"))
    assert watch.later
    assert not watch.refuses(torch.tensor(NAN))
    for step in range(63):
        watch.keep(torch.tensor(NAN if step == 40 else 1.0), step)
    with pytest.raises(RecipeError, match="step 41 is not a finite number"):
        watch.keep(torch.tensor(1.0), 63)
    watch.keep(torch.tensor(1.0), 64)
    watch.keep(torch.tensor(NAN), 65)
    with pytest.raises(RecipeError, match="step 66 "):
        watch.look(66)
    watch.look(66)


def test_another_word_is_refused():
    with pytest.raises(SettingError, match="nan='stop'"):
        attach(Recipe(), MLP, nan="stop")


@dataclass
class Parts:
    """Inputs as a loader of one's own may give them."""

    row: torch.Tensor


def test_what_is_broken_is_found_in_packed_rows_and_dataclasses():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.head = nn.LSTM(2, 4), nn.Linear(4, 2)

        def forward(self, x):
            if isinstance(x, Parts):
                x = nn.utils.rnn.pack_sequence(list(x.row))
            return self.head(self.lstm(x)[1][0][-1])

    rows = torch.ones(3, 4, 2)
    rows[1, 2, 0] = torch.nan
    for inputs in (nn.utils.rnn.pack_sequence(list(rows)), Parts(rows)):
        net = Net()
        session = Recipe().attach(net, torch.optim.SGD(net.parameters(), lr=0.1), loss=nn.functional.cross_entropy)
        with pytest.raises(RecipeError, match="the inputs of the batch hold NaN"):
            session.step((inputs, torch.tensor([0, 1, 0])))
