"""SAM-ON moves normalization parameters only; every second pass leaves running statistics alone."""

import pytest
import torch

from temperance import ASAM, AWP, GSAM, FriendlySAM, GatedSAM, LookSAM, NormSAM, Recipe
from temperance.records.errors import RecipeError
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import attach, train


def test_only_normalization_parameters_move_uphill():
    problem = PROBLEMS["convnet"]
    session = attach(Recipe(NormSAM(0.5)), problem)
    start = session.solo.home.clone(owned=True)
    seen = []
    session.model.register_forward_pre_hook(lambda *_: seen.append(session.solo.home.clone(owned=True)))
    train(session, problem, [0])
    moved = {name for name in start.names if not torch.equal(seen[1][name], start[name])}
    assert moved == {"1.weight", "1.bias", "3.branch.1.weight", "3.branch.1.bias"}
    distance = float(seen[1].add(start, -1.0).norm())
    assert distance == pytest.approx(0.5, abs=1e-5)


def test_a_model_without_normalization_is_refused():
    with pytest.raises(RecipeError, match="NormSAM finds no normalization"):
        attach(Recipe(NormSAM()), PROBLEMS["mlp"])


@pytest.mark.parametrize(
    "one", [ASAM(), GSAM(), FriendlySAM(), NormSAM(), LookSAM(every=1), GatedSAM(fraction=1.0), AWP()]
)
def test_running_statistics_move_once_a_step(one):
    problem = PROBLEMS["convnet"]
    both = [train(attach(recipe, problem), problem, [0]).model for recipe in (Recipe(one), Recipe())]
    for a, b in zip(both[0].buffers(), both[1].buffers(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("one", [ASAM(), GSAM(), FriendlySAM(), LookSAM(every=2), AWP()])
def test_a_scaler_changes_nothing_but_the_scale(one):
    problem = PROBLEMS["mlp"]
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    with_scaler = train(attach(Recipe(one), problem, scaler=scaler), problem, range(4))
    without = train(attach(Recipe(one), problem), problem, range(4))
    for a, b in zip(with_scaler.model.parameters(), without.model.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)
