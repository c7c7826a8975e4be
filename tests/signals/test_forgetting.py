"""What was lost of what the net knew: the rise of a loss since attach, and the choice within a limit."""

import math
import warnings

import pytest
import torch
from torch import nn

from temperance import EMA, Mixout, Recipe, Within
from temperance.core.readings import NothingWithin
from temperance.records.errors import RecipeError
from temperance.signals import Forgetting

X = torch.sin(torch.arange(24.0)).reshape(8, 3)
OLD = [(X, (X[:, 0] > 0).long())]
NEW = (X, (X[:, 0] < 0).long())  # the opposite of what is to be kept


def attached(recipe=None, lr=0.05, **settings):
    torch.manual_seed(1)
    model = nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    known = {"signals": [Forgetting({"old": OLD, "new": [NEW]})], "epochs": 4, "steps_per_epoch": 2, **settings}
    return (recipe or Recipe()).attach(model, optimizer, loss=nn.CrossEntropyLoss(), **known)


def loss_of(model, batches):
    with torch.no_grad():
        return float(torch.stack([nn.functional.cross_entropy(model(x), y) for x, y in batches]).mean())


def test_is_the_rise_since_attach_and_the_largest_counts():
    session = attached()
    begun = {"old": loss_of(session.model, OLD), "new": loss_of(session.model, [NEW])}
    session.step(NEW)
    told = session.validate([NEW])
    for name, batches in (("old", OLD), ("new", [NEW])):
        rise = loss_of(session.model, batches) - begun[name]
        assert told[f"forgetting/{name}"] == pytest.approx(rise, abs=1e-6)
    assert told["forgetting"] == max(told["forgetting/old"], told["forgetting/new"])


def test_as_a_share_of_the_loss_at_attach():
    session = attached(signals=[Forgetting({"old": OLD}, share=True)])
    begun = loss_of(session.model, OLD)
    session.step(NEW)
    told = session.validate([NEW])
    assert told["forgetting"] == pytest.approx(loss_of(session.model, OLD) / begun - 1, abs=1e-6) != 0


def test_a_share_of_no_loss_is_refused():
    model = nn.Linear(3, 1)
    nothing = (torch.zeros(4, 3), model(torch.zeros(4, 3)).detach())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(RecipeError, match="a loss above 0"):
        Recipe().attach(model, optimizer, loss=nn.MSELoss(), signals=[Forgetting({"old": [nothing]}, share=True)])


def test_is_that_of_the_weights_that_would_ship():
    session = attached(Recipe(EMA(0.9)))
    begun = loss_of(session.model, OLD)
    session.step(NEW)
    told = session.validate([NEW])
    with session.served_weights() as model:
        assert told["forgetting/old"] == pytest.approx(loss_of(model, OLD) - begun, abs=1e-6)


def test_weights_loaded_after_attach_are_the_start_and_it_goes_along_in_a_checkpoint():
    session = attached()
    with torch.no_grad():
        session.model.weight.mul_(3.0)
    begun = loss_of(session.model, OLD)
    session.step(NEW)
    again = attached()
    again.load_state_dict(session.state_dict())
    for one in (session, again):
        assert one.validate([NEW])["forgetting/old"] == pytest.approx(loss_of(one.model, OLD) - begun, abs=1e-6)


def test_the_best_within_the_limit_is_kept():
    session, seen = attached(select=Within(forgetting=0.05)), []
    for _ in range(8):
        session.step(NEW)
        told = session.validate([NEW])
        seen.append((told["forgetting"], told["valid_loss"]))
    within = [i for i, (lost, _) in enumerate(seen) if lost <= 0.05]
    assert 0 < len(within) < len(seen)
    best = min(within, key=lambda i: seen[i][1])
    assert session.chosen.readings == (best + 1,)
    assert session.chosen.value == pytest.approx(seen[best][1])


def test_nothing_within_is_said_and_limits_need_a_signal():
    session = attached(select=Within(forgetting=-5.0))
    session.step(NEW)
    session.validate([NEW])
    assert session.chosen is None
    with pytest.warns(NothingWithin, match="forgetting ≤ -5"):
        session.finish()
    with pytest.raises(RecipeError, match="forgeting"):
        attached(select=Within(forgeting=0.1))


def test_no_batches_and_used_up_ones_are_refused():
    with pytest.raises(RecipeError, match="no batches"):
        attached(signals=[Forgetting()])
    session = attached(signals=[Forgetting({"old": iter(OLD)})])
    session.step(NEW)
    with warnings.catch_warnings(), pytest.raises(RecipeError, match="used up"):
        session.validate([NEW])


def test_a_loss_that_is_no_number_is_not_passed_over():
    model = nn.Linear(1, 1)
    kept = {"one": [(torch.ones(2, 1), torch.ones(2, 1))], "two": [(torch.ones(2, 1), torch.ones(2, 1))]}
    session = Recipe().attach(
        model, torch.optim.SGD(model.parameters(), lr=0.1), loss=nn.MSELoss(), signals=[Forgetting(kept)]
    )
    kept["two"] = [(torch.full((2, 1), math.nan), torch.ones(2, 1))]
    told = session.validate(kept["one"])
    assert told["forgetting/one"] == 0.0
    assert math.isnan(told["forgetting"])


def test_a_reading_at_which_it_was_not_measured_is_not_within():
    session = attached(signals=[Forgetting({"old": OLD}, every=2)], select=Within(forgetting=0.05))
    session.validate([NEW])
    for _ in range(40):
        session.step(NEW)
    session.validate([NEW])  # a lower loss, and nobody knows what was forgotten
    assert session.readings.chosen.readings == (1,)


@pytest.mark.parametrize("looks_first", [True, False])
def test_frozen_weights_that_are_loaded_after_attach_are_the_start(looks_first):
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 2))
    model[0].requires_grad_(False)
    session = Recipe(Mixout(0.5)).attach(
        model, torch.optim.SGD(model[1].parameters(), lr=0.0), loss=nn.CrossEntropyLoss(),
        signals=[Forgetting({"old": OLD})],
    )  # fmt: skip
    model.load_state_dict({**model.state_dict(), "0.weight": torch.eye(3), "0.bias": torch.ones(3)})
    begun = loss_of(model.eval(), OLD)
    model.train()
    if looks_first:
        assert session.validate(OLD)["forgetting"] == pytest.approx(0.0, abs=1e-6)
    passed = session.step(OLD[0])
    assert float(passed.loss.detach()) == pytest.approx(begun, abs=1e-6)  # what is put back is what stands there
    assert session.validate(OLD)["forgetting"] == pytest.approx(0.0, abs=1e-6)


def test_batches_without_a_name_are_refused():
    with pytest.raises(RecipeError, match=r'Forgetting\(\{"old": batches\}\)'):
        attached(signals=[Forgetting(OLD)])
