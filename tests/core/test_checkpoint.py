"""A session's state: kept, written, put back, in the same process and in another."""

import io

import pytest
import torch
from torch import nn

from temperance import EMA, L2, Dropout, EarlyStopping, GapFeedback, MixUp, Recipe, WeightDecay
from temperance.records.errors import RecipeError, SettingError
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import assert_same, attach, outcome, train

CONV, MLP = PROBLEMS["convnet"], PROBLEMS["mlp"]
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


def test_a_state_kept_while_training_goes_on_is_loaded_bit_for_bit():
    model = MLP.model().train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.05, weight_decay=0.0)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.9)
    session = Recipe(WeightDecay(0.1), EMA(0.8)).attach(model, optimizer, loss=MLP.loss, scheduler=scheduler)

    def three(start):
        for number in range(start, start + 3):
            session.step(MLP.batch(number))
            scheduler.step()
        return {**outcome(session), "lr": torch.tensor(optimizer.param_groups[0]["lr"])}

    three(0)
    state = session.state_dict()
    first = three(3)
    for _ in range(2):
        session.load_state_dict(state)
        assert scheduler.last_epoch == 3
        assert_same(three(3), first, "loaded in the same process")


def test_loading_does_not_let_the_dict_move_along():
    session = train(attach(RECIPE, CONV), CONV, range(2))
    state = session.state_dict()
    kept = through_a_file(state)
    session.load_state_dict(state)
    train(session, CONV, range(2, 5))
    for part in ("model", "optimizer", "memory"):
        assert_same(state[part], kept[part], f"{part} of the dict that was loaded")


def test_the_scalers_scale_and_calm_steps_are_part_of_the_state():
    def scaled():
        scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10, growth_interval=3)
        return attach(Recipe(WeightDecay(0.1)), MLP, scaler=scaler)

    session = train(scaled(), MLP, range(4))
    assert (session.solo.scaler.get_scale(), session.solo.scaling.calm) == (2.0**11, 1)
    again = scaled()
    again.load_state_dict(through_a_file(session.state_dict()))
    assert (again.solo.scaler.get_scale(), again.solo.scaling.calm) == (2.0**11, 1)
    state = session.state_dict()
    train(session, MLP, range(4, 12))
    session.load_state_dict(state)
    train(session, MLP, range(4, 6))
    train(again, MLP, range(4, 6))
    assert session.solo.scaler.get_scale() == again.solo.scaler.get_scale() == 2.0**12


def test_between_loss_and_update_the_pending_pass_is_kept():
    session = train(attach(Recipe(Dropout(0.2), EMA(0.9)), MLP), MLP, range(2))
    session.loss(MLP.batch(2)).backward()
    state = through_a_file(session.state_dict())
    session.update()
    first = outcome(session)
    again = attach(Recipe(Dropout(0.2), EMA(0.9)), MLP)
    again.load_state_dict(state)
    again.update()
    assert_same(outcome(again), first, "between loss and update, another process")
    session.load_state_dict(state)
    session.update()
    assert_same(outcome(session), first, "between loss and update, the same process")


def test_a_state_without_its_scheduler_or_from_another_version_is_refused():
    session = attach(RECIPE, CONV)
    state = session.state_dict()
    scheduler = torch.optim.lr_scheduler.StepLR(session.optimizer, 1)
    other = attach(Recipe(), MLP)
    with pytest.raises(RecipeError, match=r"without .*memory"):
        session.load_state_dict({k: v for k, v in state.items() if k != "memory"})
    model = MLP.model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduled = Recipe().attach(model, optimizer, loss=MLP.loss, scheduler=scheduler)
    with pytest.raises(RecipeError, match="0 schedulers, this session 1"):
        scheduled.load_state_dict(other.state_dict())


def test_inputs_that_a_file_cannot_hold_are_named():
    class Strange:
        def __init__(self, x):
            self.x, self.shape = x, x.shape

    session = attach(Recipe(), MLP)
    session._clean.append(MLP.batch(0)._replace(inputs=Strange(MLP.batch(0).inputs)))
    with pytest.raises(SettingError, match="Strange"):
        session.state_dict()


def test_modules_with_state_of_their_own_kind():
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear, self.seen = nn.Linear(6, 3), 0

        def get_extra_state(self):
            return {"seen": self.seen}

        def set_extra_state(self, state):
            self.seen = state["seen"]

        def forward(self, x):
            self.seen += self.training
            return self.linear(x)

    model = Counting()
    session = Recipe().attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=MLP.loss)
    session.step(MLP.batch(0))
    state = session.state_dict()
    session.step(MLP.batch(1))
    session.load_state_dict(state)
    assert model.seen == 1


def plain_session(loss, more=()):
    torch.manual_seed(0)
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD([*model.parameters(), *more], lr=0.1)
    return Recipe().attach(model, optimizer, loss=loss), model


def test_what_a_broken_off_step_left_in_the_gradients_is_gone_after_restoring():
    torch.manual_seed(1)
    batches = [(torch.randn(8, 4), torch.randint(0, 3, (8,))) for _ in range(2)]
    ends = []
    for is_broken in (True, False):
        session, model = plain_session(nn.functional.cross_entropy)
        state = session.state_dict()
        if is_broken:
            session.loss(batches[0]).backward()
            session.load_state_dict(state)
        session.loss(batches[1]).backward()
        session.update()
        ends.append([p.detach().clone() for p in model.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*ends, strict=True))


@pytest.mark.filterwarnings("ignore::temperance.core.joining.Noticed")
def test_gradients_of_the_losss_own_parameters_are_no_state():
    scale = nn.Parameter(torch.ones(()))
    session, _ = plain_session(lambda o, y: scale * nn.functional.cross_entropy(o, y), [scale])
    batch = torch.randn(8, 4), torch.randint(0, 3, (8,))
    session.loss(batch).backward()
    with pytest.raises(RecipeError, match="loss's own parameters"):
        session.state_dict()
    session.update()
    assert session.state_dict()["counts"]["steps"] == 1


@pytest.mark.parametrize("left", ["loss", "gradients"])
def test_a_step_does_not_mind_what_was_begun_before_it(left):
    torch.manual_seed(1)
    batches = [(torch.randn(8, 4), torch.randint(0, 3, (8,))) for _ in range(2)]
    ends = []
    for is_left in (True, False):
        session, model = plain_session(nn.functional.cross_entropy)
        if is_left:
            getattr(session, left)(batches[0])
        session.step(batches[1])
        assert session.state_dict()["counts"]["steps"] == 1
        with pytest.raises(SettingError, match="without a loss"):
            session.update()
        ends.append([p.detach().clone() for p in model.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*ends, strict=True))


def test_what_was_learnt_of_a_loss_survives_resuming():
    def loss(outputs, labels):
        return nn.functional.cross_entropy(outputs, labels, ignore_index=0)

    torch.manual_seed(1)
    x = torch.randn(4, 8, 4)
    y = torch.tensor([[0, 1, 2, 0, 1, 2, 0, 1]] * 3 + [[2, 1, 2, 0, 0, 0, 0, 1]])
    sessions = [plain_session(loss) for _ in range(2)]
    for k in range(3):
        sessions[0][0].step((x[k], y[k]))
    sessions[1][0].load_state_dict(through_a_file(sessions[0][0].state_dict()))
    for session, _ in sessions:
        session.step([(x[3][:3], y[3][:3]), (x[3][3:], y[3][3:])])  # nothing in the first part tells of class 0
    ends = [[p.detach() for p in model.parameters()] for _, model in sessions]
    assert all(torch.equal(a, b) for a, b in zip(*ends, strict=True))


def test_whether_a_loss_reaches_all_weights_survives_resuming():
    sessions = [attach(Recipe(L2(0.1)), MLP) for _ in range(2)]
    train(sessions[0], MLP, range(3))
    memory = sessions[0]._memory["l2"]
    memory.looks = -1
    sessions[1].load_state_dict(through_a_file(sessions[0].state_dict()))
    assert sessions[1]._memory["l2"].looks == -1
    memory.looks, memory.settled = 0, memory.plan
    sessions[1].load_state_dict(through_a_file(sessions[0].state_dict()))
    assert sessions[1]._memory["l2"].settled is sessions[1]._memory["l2"].plan
