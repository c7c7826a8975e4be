"""Frozen layers: no gradient, no update, statistics that stand still; then they thaw from the head down."""

import io
import warnings

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from temperance import EMA, L2, SAM, FrozenPrefix, GradientNoise, Recipe, WeightDecay
from temperance.records.errors import RecipeError, SettingError
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import assert_same, outcome

PROBLEM = PROBLEMS["transformer"]  # entry, two blocks, head
PARTS = ("entry.", "blocks.0.", "blocks.1.", "head.")


def attach(recipe, model=None, *, momentum=0.9, decay=0.0, problem=PROBLEM, **named):
    model = (problem.model() if model is None else model).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=momentum, weight_decay=decay)
    known = {"epochs": 3, "steps_per_epoch": 4, **named}
    return recipe.attach(model, optimizer, loss=problem.loss, **known)


def moved(session, number, problem=PROBLEM) -> list[str]:
    """Take a step; return the parts whose weights it changed."""
    before = {n: p.detach().clone() for n, p in session.module.named_parameters()}
    session.step(problem.batch(number))
    changed = [n for n, p in session.module.named_parameters() if not torch.equal(p, before[n])]
    return [part for part in PARTS if any(n.startswith(part) for n in changed)]


def test_one_layer_after_another_from_the_head_down() -> None:
    """Three layers thaw at 1/3, 2/3 and all of half of 12 steps."""
    session = attach(Recipe(FrozenPrefix(0.5)))
    seen = [len(moved(session, number)) for number in range(12)]
    assert seen == [1, 1, 2, 2, 3, 3, 4, 4, 4, 4, 4, 4]
    assert moved(attach(Recipe(FrozenPrefix(0.5))), 0) == ["head."]


def test_all_at_once_in_epochs_some_layers_only_and_never() -> None:
    once = attach(Recipe(FrozenPrefix(epochs=1, gradual=False)))
    assert [len(moved(once, number)) for number in range(6)] == [1, 1, 1, 1, 4, 4]
    some = attach(Recipe(FrozenPrefix(0.5, layers=1)))
    assert [moved(some, number)[0] for number in range(7)] == ["blocks.0."] * 6 + ["entry."]
    never = attach(Recipe(FrozenPrefix(1.0, layers=2, gradual=False)))
    assert {len(moved(never, number)) for number in range(14)} == {2}


@pytest.mark.parametrize(
    ("one", "count"),
    [
        (FrozenPrefix(epochs=3), 1),
        (FrozenPrefix(epochs=9, gradual=False), 3),
        (FrozenPrefix(1.0), 1),
        (FrozenPrefix(0.5), 0),
        (FrozenPrefix(1.0, gradual=False), 0),  # that is what it is for
    ],
    ids=str,
)
def test_layers_that_never_thawed_are_told_at_the_end(one, count) -> None:
    session = attach(Recipe(one))
    for number in range(12):
        session.step(PROBLEM.batch(number))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        session.finish()
    told = [str(one.message) for one in caught if "FrozenPrefix" in str(one.message)]
    assert [f"the deepest {count} of its layers: the training ended after 12 steps" in text for text in told] == [
        True
    ] * bool(count)


@pytest.mark.parametrize(
    "beside", [(WeightDecay(0.5),), (EMA(0.5),), (L2(0.1),), (SAM(),), (GradientNoise(0.1),)], ids=str
)
def test_frozen_is_bit_for_bit_whatever_stands_beside(beside) -> None:
    session = attach(Recipe(FrozenPrefix(0.5), *beside))
    start = {n: p.detach().clone() for n, p in session.module.named_parameters() if not n.startswith("head.")}
    for number in range(2):
        session.step(PROBLEM.batch(number))
    for name, w in start.items():
        p = session.module.get_parameter(name)
        assert torch.equal(p, w)
        assert torch.equal(session.served[name], w)
        assert p.grad is None
        assert p.requires_grad
        assert p not in session.optimizer.state


def test_decay_and_momentum_of_the_optimizer_do_not_move_it_either() -> None:
    session = attach(Recipe(FrozenPrefix(0.5)), decay=0.1)
    assert moved(session, 0) == ["head."]
    session.step(PROBLEM.batch(1))
    assert moved(session, 2) == ["blocks.1.", "head."]


def test_trains_as_a_loop_by_hand() -> None:
    """Frozen by ``requires_grad_``, BatchNorm in evaluation mode, until step 6; then all of it."""
    problem = PROBLEMS["convnet"]
    session = attach(Recipe(FrozenPrefix(0.5, gradual=False)), problem=problem)
    model = problem.model().train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for number in range(10):
        batch = problem.batch(number)
        session.step(batch)
        for part in model[:-1]:
            part.requires_grad_(number >= 6).train(number >= 6)
        optimizer.zero_grad()
        problem.loss(model(batch.inputs), batch.targets).mean().backward()
        optimizer.step()
    assert_same(dict(session.module.state_dict()), dict(model.state_dict()), "by hand")


def test_statistics_of_frozen_layers_stand_still_and_the_mode_is_the_users_after_it() -> None:
    problem = PROBLEMS["convnet"]
    session = attach(Recipe(FrozenPrefix(0.9)), problem=problem)
    norm = session.module[1]
    before = norm.running_mean.clone()
    session.step(problem.batch(0))
    assert torch.equal(norm.running_mean, before)
    assert norm.training
    norm.eval()
    session.step(problem.batch(1))
    assert not norm.training


def test_a_norm_without_weights_goes_with_its_block() -> None:
    model = nn.Sequential(nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4, affine=False)), nn.ReLU(), nn.Linear(4, 2))
    session = Recipe(FrozenPrefix(order=("0.*", "2.*"))).attach(
        model.train(), torch.optim.SGD(model.parameters(), lr=0.1), loss=nn.MSELoss(), steps=10
    )
    session.step((torch.randn(8, 4), torch.randn(8, 2)))
    assert int(model[0][1].num_batches_tracked) == 0


def test_what_the_user_froze_stays_so_and_what_joins_is_taken_in() -> None:
    model = PROBLEM.model()
    model.blocks[1].requires_grad_(False)
    session = attach(Recipe(FrozenPrefix(0.25)), model)
    assert [moved(session, number) for number in range(4)][-1] == ["entry.", "blocks.0.", "head."]
    model.head.requires_grad_(False)
    assert "head." not in moved(session, 4)
    model.blocks[1].requires_grad_(True)
    with pytest.warns(UserWarning, match="more parameters are trained"):
        assert "blocks.1." in moved(session, 5)


def test_a_loop_with_its_own_backward_and_micro_batches_end_alike() -> None:
    one, other, third = (attach(Recipe(FrozenPrefix(0.5))) for _ in range(3))
    for number in range(8):
        batch = PROBLEM.batch(number)
        one.step(batch)
        other.optimizer.zero_grad(set_to_none=False)  # zeros are no gradient either
        other.loss(batch).backward()
        other.update()
        third.step([batch, batch])
    assert_same(outcome(other), outcome(one), "own backward")
    for name, w in third.solo.home.items():
        torch.testing.assert_close(w, one.solo.home[name], rtol=1e-5, atol=1e-6)


def test_resumes_in_the_middle_of_the_thaw() -> None:
    whole = attach(Recipe(FrozenPrefix(0.8)))
    half = attach(Recipe(FrozenPrefix(0.8)))
    for number in range(5):
        whole.step(PROBLEM.batch(number))
        half.step(PROBLEM.batch(number))
    file = io.BytesIO()
    torch.save(half.state_dict(), file)
    file.seek(0)
    again = attach(Recipe(FrozenPrefix(0.8)), seed=5)
    again.load_state_dict(torch.load(file, weights_only=True))
    for number in range(5, 12):
        whole.step(PROBLEM.batch(number))
        again.step(PROBLEM.batch(number))
    assert_same(outcome(again), outcome(whole), "resumed")


@pytest.mark.parametrize("reentrant", [False, True])
def test_with_checkpointed_blocks(reentrant) -> None:
    class Checkpointed(nn.Module):
        def __init__(self, body: nn.Module) -> None:
            super().__init__()
            self.body = body

        def forward(self, x):
            x = self.body.entry(x)
            for block in self.body.blocks:
                x = checkpoint(block, x, use_reentrant=reentrant)
            return self.body.head(x.mean(1))

    session = attach(Recipe(FrozenPrefix(0.9)), Checkpointed(PROBLEM.model()))
    plain = attach(Recipe(FrozenPrefix(0.9)))
    for number in range(12):
        session.step(PROBLEM.batch(number))
        plain.step(PROBLEM.batch(number))
    for name, w in plain.solo.home.items():
        torch.testing.assert_close(session.solo.home[f"body.{name}"], w)


def test_the_backward_pass_ends_above_the_frozen_layers() -> None:
    session = attach(Recipe(FrozenPrefix(0.9)))
    has_slope = []
    session.module.blocks[1].register_forward_hook(lambda m, inputs, out: has_slope.append(out.requires_grad))
    for number in range(5):
        session.step(PROBLEM.batch(number))
    assert has_slope == [False, False, False, False, True]


def test_what_cannot_be_frozen_is_refused() -> None:
    with pytest.raises(RecipeError, match="length is not known"):
        attach(Recipe(FrozenPrefix()), epochs=None, steps_per_epoch=None)
    with pytest.raises(RecipeError, match="the head stays trained"):
        attach(Recipe(FrozenPrefix(layers=4)))
    with pytest.raises(RecipeError, match="epochs of the training are not known"):
        attach(Recipe(FrozenPrefix(epochs=1)), epochs=None, steps_per_epoch=None, steps=12)
    with pytest.raises(SettingError, match="layers=0"):
        FrozenPrefix(layers=0)
    with pytest.raises(SettingError, match="epochs=-1"):
        FrozenPrefix(epochs=-1)
    from temperance import compile_recipe
    from temperance.core.optimizers import SGD

    with pytest.raises(RecipeError, match="a session"):
        compile_recipe(Recipe(FrozenPrefix()), PROBLEM.model(), PROBLEM.loss, SGD(0.1), epochs=1, steps_per_epoch=5)
