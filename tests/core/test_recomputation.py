"""Activation checkpointing: a part that runs again in the backward pass draws what it drew in the forward pass."""

import threading

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from temperance import (
    R1,
    SAM,
    TRADES,
    VAT,
    ConcreteDropout,
    DropBlock,
    DropConnect,
    Dropout,
    FGSMTraining,
    GaussianDropout,
    GhostBatchNorm,
    InputGradientPenalty,
    JacobianPenalty,
    LoRADropout,
    ManifoldMixUp,
    PGDTraining,
    RDrop,
    Recipe,
    SelfDistillation,
    SpectralNorm,
    StochasticDepth,
)
from temperance.core.random import pulse, site_uniform
from temperance.core.recomputation import follow_checkpoints
from temperance.records.errors import RecipeError
from temperance.signals import Curvature, GradientDisparity

FORMS = {"reentrant": {"use_reentrant": True}, "other form": {"use_reentrant": False}}
NOISES = (
    Dropout(0.5), GaussianDropout(0.4), RDrop(1.0, p=0.4), StochasticDepth(0.5, at="block"), DropConnect(0.5),
    DropBlock(0.3, size=2, at="block.1"), ConcreteDropout(start=0.4), LoRADropout(0.5, at="block.0"),
    ManifoldMixUp(2.0, inputs=False, at="block.1"), SpectralNorm(), GhostBatchNorm(size=2),
)  # fmt: skip
SLOPES = (  # they take gradients by inputs, which torch's reentrant form does not give, or ask without gradient
    TRADES(1.0),
    VAT(1.0),
    FGSMTraining(),
    PGDTraining(),
    InputGradientPenalty(0.1),
    JacobianPenalty(0.1),
    R1(0.1),
    SelfDistillation(),
)


class Looped(nn.Module):
    """The same block three times, as in ALBERT, each time as a part that may run again."""

    def __init__(self, form):
        super().__init__()
        self.form = form
        self.first = nn.Linear(16, 16)
        self.block = nn.Sequential(nn.Linear(16, 16), nn.GELU(), nn.BatchNorm1d(4, track_running_stats=False))
        self.last = nn.Linear(16, 3)

    def forward(self, x):
        x = self.first(x)
        for _ in range(3):
            h = x.view(-1, 4, 2, 2)  # four axes for DropBlock
            x = self._part(h) if self.form is None else checkpoint(self._part, h, **self.form)
        return self.last(x)

    def _part(self, h):
        h = self.block[1](self.block[0](h.flatten(1)).view(h.shape))
        return self.block[2](h.flatten(2)).flatten(1)


class Looping(Looped):
    """The same, through the call of the block, for techniques that act on what a block gives."""

    def __init__(self, form):
        super().__init__(form)
        self.block[2] = nn.Identity()

    def _part(self, h):
        return self.block(h.flatten(1))


def batches():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(3, 8, 16, generator=generator, dtype=torch.float64)
    return [(one, torch.randint(3, (8,), generator=generator)) for one in x]


def trained(recipe, form, kind=Looped, own_backward=False):
    model = kind(form).double()
    generator = torch.Generator().manual_seed(0)  # not torch's own, which threads share
    for p in model.parameters():
        nn.init.normal_(p, std=0.3, generator=generator)
    session = recipe.attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=functional.cross_entropy)
    for batch in batches():
        if own_backward:
            session.loss(batch).backward()
            session.update()
            session.optimizer.zero_grad()
        else:
            session.step(batch)
    kept = {name: p.detach().clone() for name, p in model.named_parameters()}
    session._detach()
    return kept


@pytest.mark.parametrize(
    ("one", "form"),
    [(one, form) for one in NOISES + SLOPES for form in FORMS],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_training_is_the_same_with_checkpoints_and_without(one, form):
    kind = Looping if isinstance(one, StochasticDepth) else Looped
    one = Recipe(one, *([Dropout(0.3)] if one in SLOPES else []))
    expected = trained(one, None, kind)
    torch.testing.assert_close(trained(one, FORMS[form], kind), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("form", FORMS)
def test_several_noises_and_second_passes_together_and_with_the_users_own_backward(form):
    noises = (Dropout(0.3), DropConnect(0.3), GaussianDropout(0.2))
    both = Recipe(*noises, SAM(0.1))
    torch.testing.assert_close(trained(both, FORMS[form]), trained(both, None), rtol=1e-9, atol=1e-12)
    alone = Recipe(*noises)
    own = trained(alone, FORMS[form], own_backward=True)
    torch.testing.assert_close(own, trained(alone, None), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("form", FORMS)
def test_a_part_inside_a_part_draws_the_same(form):
    class Nested(Looping):
        def _part(self, h):
            return checkpoint(super()._part, h, **self.form) if self.form else super()._part(h)

    recipe = Recipe(Dropout(0.5))
    torch.testing.assert_close(
        trained(recipe, FORMS[form], Nested), trained(recipe, None, Nested), rtol=1e-9, atol=1e-12
    )


def test_checkpoints_are_followed_once():
    follow_checkpoints()
    before = torch.utils.checkpoint.CheckpointFunction.apply
    follow_checkpoints()
    assert torch.utils.checkpoint.CheckpointFunction.apply is before


@pytest.mark.parametrize("form", FORMS)
def test_signals_and_readings_look_through_parts_that_may_run_again(form):
    found = []
    for one in (FORMS[form], None):
        model = Looped(one).double()
        generator = torch.Generator().manual_seed(0)
        for p in model.parameters():
            nn.init.normal_(p, std=0.3, generator=generator)
        session = Recipe().attach(
            model, torch.optim.SGD(model.parameters(), lr=0.1), loss=functional.cross_entropy,
            signals=[GradientDisparity(), Curvature()],
        )  # fmt: skip
        session.step(batches()[0])
        found.append(session.validate(batches()[1:]))
        session.finish()
    assert {"lambda_max", "gradient_coherence"} <= found[0].keys()
    assert found[0] == pytest.approx(found[1], nan_ok=True)


def test_checkpoints_of_others_are_left_alone():
    follow_checkpoints()
    x = torch.ones(2, requires_grad=True)
    out = checkpoint(torch.square, x, use_reentrant=True)
    assert type(out.grad_fn).__name__ == "CheckpointFunctionBackward"


def test_another_kind_of_recomputation_is_refused_and_not_silently_wrong():
    class Again(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * site_uniform("dropout/0", x)

        @staticmethod
        def backward(ctx, grad):
            return grad * site_uniform("dropout/0", grad)

    x = torch.ones(3, requires_grad=True)
    with pulse(1):
        out = Again.apply(x)
    with pytest.raises(RecipeError, match="runs a part of the model again"):
        out.sum().backward()


def test_noise_outside_a_step_is_refused_with_what_to_do():
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
    session = Recipe(Dropout(0.5)).attach(
        model, torch.optim.SGD(model.parameters(), lr=0.1), loss=functional.cross_entropy
    )
    x = torch.ones(2, 4)
    with pytest.raises(RecipeError, match=r"outside a training step.*session\.noise"):
        model.train()(x)
    with session.noise():
        probed = model(x)
    with session.noise():
        assert torch.equal(model(x), probed)
    assert torch.equal(model.eval()(x), model(x))
    model.train()
    assert torch.isfinite(session.loss((x, torch.tensor([0, 1]))))


def test_two_sessions_in_two_threads_do_not_disturb_each_other():
    recipes = (Recipe(Dropout(0.5), DropConnect(0.2)), Recipe(GaussianDropout(0.3), RDrop(1.0)))
    alone = [trained(recipe, FORMS["other form"]) for recipe in recipes]
    start, found = threading.Barrier(2), [[], []]

    def run(i):
        for _ in range(6):
            start.wait()
            found[i].append(trained(recipes[i], FORMS["other form"]))

    threads = [threading.Thread(target=run, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for expected, several in zip(alone, found, strict=True):
        assert len(several) == 6
        for one in several:
            torch.testing.assert_close(one, expected, rtol=0, atol=0)
