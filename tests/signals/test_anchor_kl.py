"""The divergence that training steps told, as a signal."""

import pytest
import torch
from torch import nn

from temperance import L2SP, Constraint, KLAnchor, Recipe, Within
from temperance.records.errors import RecipeError
from temperance.signals import AnchorKL


def test_is_the_mean_of_the_steps_since_the_last_reading(probe):
    memory, one = {}, AnchorKL()
    assert one.measure(probe(memory=memory)) == {}
    for value in (0.1, 0.3):
        one.note({"kl_anchor.kl": torch.tensor(value), "r_drop.disagreement": torch.tensor(9.0)}, memory)
    assert one.measure(probe(memory=memory))["kl"] == pytest.approx(0.2)
    assert one.measure(probe(memory=memory)) == {}
    one.note({"kl_anchor.kl": torch.tensor(0.5)}, memory)
    assert one.measure(probe(memory=memory))["kl"] == pytest.approx(0.5)


def test_a_session_hands_it_what_its_steps_told():
    torch.manual_seed(0)
    model = nn.Linear(3, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    session = Recipe(KLAnchor(), controller=Constraint.hold("kl", 0.1)).attach(
        model, optimizer, loss=nn.CrossEntropyLoss(), steps=400
    )
    batch = torch.randn(8, 3), torch.arange(8) % 4
    told = [float(session.step(batch).notes["kl_anchor.kl"]) for _ in range(2)]
    assert session.signals["kl"] == pytest.approx(sum(told) / 2)  # 400 steps are read every second step
    session.validate([batch])
    assert session.signals["kl"] == pytest.approx(sum(told) / 2)  # still known where nothing is new


@pytest.mark.parametrize("named", [{}, {"select": Within(kl=0.1)}])
def test_without_an_anchor_nothing_tells_it(named):
    model = nn.Linear(3, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    rule = {} if named else {"controller": Constraint.hold("kl", 0.1)}
    with pytest.raises(RecipeError, match=r"reads 'kl', and nothing in this recipe tells it.*Add KLAnchor"):
        Recipe(L2SP(), **rule).attach(model, optimizer, loss=nn.CrossEntropyLoss(), epochs=2, **named)
