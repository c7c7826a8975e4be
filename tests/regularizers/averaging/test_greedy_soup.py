"""A soup of the checkpoints that help on held-out rows."""

import math

import pytest
import torch

from temperance import GreedySoup, Recipe
from temperance.records.errors import SettingError
from temperance.regularizers.averaging.greedy_soup import greedy_soup
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import attach

MLP = PROBLEMS["mlp"]


def points(*values):
    return [{"w": torch.tensor([v], dtype=torch.float64)} for v in values]


def far_from(target):
    return lambda leaves: float((leaves["w"] - target).square().sum())


def test_by_hand():
    # target 0, best first: 1, -2, 3. Mean(1, -2) = -0.5 is better, mean(1, -2, 3) = 0.67 is worse: left out.
    soup = greedy_soup(points(3.0, 1.0, -2.0), far_from(0.0))
    assert soup.members == (1, 2)
    assert soup.weights["w"].item() == pytest.approx(-0.5)
    assert soup.score == pytest.approx(0.25)
    assert soup.scores == (9.0, 1.0, 4.0)


def test_the_candidates_stay_as_they_are_and_a_nan_never_joins():
    given = points(1.0, math.nan, -1.0)
    soup = greedy_soup(given, far_from(0.0))
    assert soup.members == (0, 2)
    assert [one["w"].item() for one in given][::2] == [1.0, -1.0]
    with pytest.raises(SettingError, match="no candidates"):
        greedy_soup([], far_from(0.0))


def run(one, epochs=8, rate=0.4):
    session = attach(Recipe(one), MLP)
    for group in session.optimizer.param_groups:
        group["lr"] = rate
    valid, alone = [MLP.batch(i) for i in range(100, 106)], []
    for epoch in range(epochs):
        for number in range(4):
            session.step(MLP.batch(epoch * 4 + number))
        alone.append(loss_at(session, session.solo.home, valid))
        session.validate(valid)
    return session, valid, alone


def loss_at(session, leaves, valid):
    return float(torch.cat([session.solo.losses(b, leaves) for b in valid]).double().mean())


def test_never_worse_than_the_best_checkpoint_on_the_held_out_rows():
    session, valid, alone = run(GreedySoup())
    served = loss_at(session, session.served, valid)
    assert served <= min(alone) + 1e-9
    assert served < alone[-1]
    model = session.finish()
    assert all(torch.equal(p, session.served[n]) for n, p in model.named_parameters())


def test_only_the_best_ones_are_kept():
    session, _, alone = run(GreedySoup(keep=2))
    kept = sorted(float(session._memory["greedy_soup"][f"loss_{j}"]) for j in range(2))
    assert kept == pytest.approx(sorted(alone)[:2])


def test_nothing_is_changed_before_a_validation_nor_at_share_0():
    session = attach(Recipe(GreedySoup()), MLP)
    session.step(MLP.batch(0))
    assert session.served is session.solo.home
    session, _, _ = run(GreedySoup(0.0), epochs=2)
    assert session.served is session.solo.home


def test_soups_survive_a_checkpoint():
    session, _, _ = run(GreedySoup(keep=3), epochs=3)
    again = attach(Recipe(GreedySoup(keep=3)), MLP)
    again.load_state_dict(session.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(session.served.tensors, again.served.tensors, strict=True))


def test_wrong_settings_are_refused():
    with pytest.raises(SettingError, match="keep=0"):
        GreedySoup(keep=0)
