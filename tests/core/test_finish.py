"""The end of a session: averages, BatchNorm, what never began, what may follow."""

import warnings

import pytest
import torch
from torch import nn

from temperance import EMA, LAWA, SWA, Batch, Dropout, GreedySoup, Recipe, SpectralNorm, WeightDecay
from temperance.core.readings import NeverBegan
from temperance.records.errors import RecipeError, SettingError
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import assert_same, attach, train

CONV, MLP = PROBLEMS["convnet"], PROBLEMS["mlp"]


def with_norm(rows=8):
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3)).train()
    session = Recipe(EMA(0.5)).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=MLP.loss)
    batches = [MLP.batch(number) for number in range(4)]
    for batch in batches:
        session.step(batch)
    return session, model, batches


@pytest.mark.parametrize("empty", [[], iter(())], ids=["list", "used up"])
def test_no_batches_are_refused_and_nothing_has_changed(empty):
    session, model, batches = with_norm()
    before = {n: t.clone() for n, t in model.state_dict().items()}
    with pytest.raises(RecipeError, match="used up, or the list is empty"):
        session.finish(batches=empty)
    assert_same(dict(model.state_dict()), before, "after a refusal")
    session.step(batches[0])
    assert session.finish(batches=batches) is model


def test_a_last_batch_of_one_row_is_left_out():
    session, model, batches = with_norm()
    lone = Batch(batches[0].inputs[:1], batches[0].targets[:1])
    model = session.finish(batches=[*batches, lone])
    plain, _, _ = with_norm()
    assert_same(dict(model.state_dict()), dict(plain.finish(batches=batches).state_dict()), "with a lone row")
    assert int(model[1].num_batches_tracked) == 4
    other, _, _ = with_norm()
    before = {n: t.clone() for n, t in other.module.state_dict().items()}
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        other.finish(batches=[lone])
    assert_same(dict(other.module.state_dict()), before, "after torch's refusal")


def test_a_normalization_that_was_kept_in_evaluation_mode_keeps_its_statistics():
    batches = [MLP.batch(number) for number in range(4)]
    torch.manual_seed(1)
    frozen = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3)).train()
    with torch.no_grad():
        frozen[1].running_mean.fill_(0.3)
    frozen[1].eval()
    own = Recipe(EMA(0.5), Dropout(0.1)).attach(frozen, torch.optim.SGD(frozen.parameters(), lr=0.1), loss=MLP.loss)
    for batch in batches:
        own.step(batch)
        own.validate([batch])
        own.proof(batch)
        assert not frozen[1].training
        assert frozen[0].training
    assert torch.equal(own.finish().cpu()[1].running_mean, torch.full((8,), 0.3))  # and no batches are asked for


def test_a_session_is_used_until_it_is_finished():
    session = train(attach(Recipe(Dropout(0.2)), MLP), MLP, range(2))
    state = session.state_dict()
    session.finish()
    for verb in (
        session.finish, lambda: session.step(MLP.batch(0)), lambda: session.loss(MLP.batch(0)), session.proof,
        lambda: session.validate([MLP.batch(0)]), lambda: session.load_state_dict(state),
        lambda: session.served_weights().__enter__(), lambda: session.gradients(MLP.batch(0)), session.update,
        lambda: session.set_strength("dropout.p", 0.1), session.probe, session.noise, session.snapshot,
        session.state_dict, lambda: session.restore(session.snapshot()),
    ):  # fmt: skip
        with pytest.raises(RecipeError, match="this session is finished"):
            verb()


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (SWA(tail=0.25, every=1), "SWA averaged nothing: the training ended after 2 steps, before its last 25 %"),
        (LAWA(window=2, every=5), "LAWA kept no copy: the training ended after 2 steps"),
        (GreedySoup(), "GreedySoup has no weights to mix"),
    ],
    ids=["SWA", "LAWA", "GreedySoup"],
)
def test_an_average_that_never_began_is_told_and_the_trained_weights_ship(one, said):
    session = train(attach(Recipe(one), CONV), CONV, range(2))
    trained = {n: t.clone() for n, t in session.module.state_dict().items()}
    assert_same(dict(session.served), {n: trained[n] for n in session.served}, "served before the begin")
    with pytest.warns(NeverBegan, match=said):
        model = session.finish()  # no batches: nothing was averaged, the statistics are right
    assert_same(dict(model.state_dict()), trained, "what ships")


def test_before_its_begin_an_average_is_validated_at_the_trained_weights():
    session = train(attach(Recipe(SWA(tail=0.5, every=1)), MLP, epochs=2, steps_per_epoch=4), MLP, range(3))
    seen = session.validate([MLP.batch(9)])["valid_loss"]
    plain = train(attach(Recipe(), MLP, epochs=2, steps_per_epoch=4), MLP, range(3))
    assert seen == plain.validate([MLP.batch(9)])["valid_loss"]
    train(session, MLP, range(3, 8))
    late = {n: t.clone() for n, t in session.served.items()}
    assert not torch.equal(late["0.weight"], session.module.state_dict()["0.weight"])


def test_validation_streams_its_batches():
    import gc
    import weakref

    session = train(attach(Recipe(EMA(0.9)), MLP), MLP, range(2))
    alive: list[weakref.ref] = []
    most = 0

    def loader():
        nonlocal most
        for number in range(8):
            batch = MLP.batch(number)
            alive.append(weakref.ref(batch.inputs))
            yield batch
            del batch
            gc.collect()
            most = max(most, sum(one() is not None for one in alive))

    session.validate(loader())
    assert most <= 2


def test_spectral_norm_leaves_frozen_and_unused_layers_as_they_are():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(2)
            self.frozen, self.used, self.unused = nn.Linear(6, 6), nn.Linear(6, 3), nn.Linear(6, 3)
            self.frozen.requires_grad_(False)

        def forward(self, x):
            return self.used(torch.relu(self.frozen(x)))

    model = Net()
    start = {n: t.clone() for n, t in model.state_dict().items()}
    answer = None
    session = Recipe(SpectralNorm()).attach(
        model, torch.optim.SGD(model.used.parameters(), lr=0.1), loss=MLP.loss
    )  # fmt: skip
    for number in range(3):
        session.step(MLP.batch(number))
    model.eval()
    with torch.no_grad():
        answer = model(MLP.batch(5).inputs)
    shipped = session.finish()
    for name in ("frozen.weight", "frozen.bias", "unused.weight", "unused.bias"):
        assert torch.equal(shipped.state_dict()[name], start[name]), name
    assert not torch.equal(shipped.state_dict()["used.weight"], start["used.weight"])
    with torch.no_grad():
        torch.testing.assert_close(shipped(MLP.batch(5).inputs), answer)


def test_what_was_scored_is_what_ships():
    session = attach(Recipe(EMA(0.5)), CONV, select="best")
    scores, kept = [], []
    for number in range(4):
        train(session, CONV, [number])
        scores.append(session.validate([CONV.batch(50)])["valid_loss"])
        kept.append({n: t.clone() for n, t in session.served.items()})
    assert_same(dict(session.best), kept[scores.index(min(scores))], "the averaged weights that were scored")


def test_statistics_of_an_average_are_estimated_outside_the_scaler():
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**8)
    session = train(attach(Recipe(EMA(0.5)), CONV, scaler=scaler), CONV, range(3))
    plain = train(attach(Recipe(EMA(0.5)), CONV), CONV, range(3))
    batches = [CONV.batch(0), CONV.batch(1)]
    ours, theirs = session.finish(batches=batches), plain.finish(batches=batches)
    torch.testing.assert_close(dict(ours.state_dict()), dict(theirs.state_dict()), rtol=1e-5, atol=1e-6)
    assert scaler.get_scale() == 2.0**8


def test_an_empty_batch_is_refused():
    session = attach(Recipe(), MLP)
    with pytest.raises(SettingError, match="without rows"):
        session.step(Batch(MLP.batch(0).inputs[:0], MLP.batch(0).targets[:0]))


@pytest.mark.parametrize("look", ["loss", "gradients"])
def test_a_loss_that_was_only_looked_at_is_no_update_past_the_session(look):
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    session = Recipe(WeightDecay(0.1)).attach(model, optimizer, loss=MLP.loss)
    getattr(session, look)(MLP.batch(0))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        session.finish()
    assert not [one for one in told if "updated past" in str(one.message)]
    model.train()
    session = Recipe(WeightDecay(0.1)).attach(model, optimizer, loss=MLP.loss)
    found = getattr(session, look)(MLP.batch(0))
    if look == "loss":
        found.backward()
    optimizer.step()
    with pytest.warns(NeverBegan, match="updated past"):
        session.finish()
