"""Compiled and parallel modules: names of the module inside, no stale compiled code, second derivatives."""

import warnings
from contextlib import contextmanager

import pytest
import torch
from torch import nn

from temperance import (
    EMA,
    SAM,
    Dropout,
    GapFeedback,
    InputGradientPenalty,
    JacobianPenalty,
    Recipe,
    SpectralNorm,
    WeightDecay,
    compile_recipe,
)
from temperance.core.wrappers import bare, forget_compiled, is_compiled, uncompiled
from temperance.signals.curvature import Curvature
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import LR, assert_same, attach, train

MLP = PROBLEMS["mlp"]
COCKTAIL = Recipe(Dropout(0.4, at="*1"), SpectralNorm(), WeightDecay(0.1))


@contextmanager
def compiling():
    """Start and end without compiled code; dynamo warns about its own looking at .grad."""
    torch.compiler.reset()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    torch.compiler.reset()


def session_on(model, recipe=COCKTAIL):
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=0.9)
    return recipe.attach(model, optimizer, loss=MLP.loss, epochs=2, steps_per_epoch=3)


def test_the_module_inside_is_found_through_every_wrapper():
    model = MLP.model()
    wrapped = torch.compile(model, backend="eager")
    assert bare(wrapped) is model
    assert bare(torch.compile(nn.DataParallel(model), backend="eager")) is model
    assert bare(model) is model
    assert is_compiled(wrapped)
    assert not is_compiled(model)
    assert is_compiled(nn.Sequential(wrapped))
    model.compile(backend="eager")
    assert is_compiled(model)
    forget_compiled(nn.Linear(1, 1))


@pytest.mark.parametrize("way", ["wrapper", "in place", "after attaching"])
def test_a_model_that_ran_compiled_before_trains_as_a_plain_one(way):
    """Compiled code does not look whether hooks came since, so without a reset layer techniques would not act."""
    plain = train(attach(COCKTAIL, MLP), MLP, range(4))
    with compiling():
        model = MLP.model().train()
        if way == "wrapper":
            model = torch.compile(model, backend="eager")
        elif way == "in place":
            model.compile(backend="eager")
        model(MLP.batch(0).inputs)
        session = session_on(model)
        if way == "after attaching":
            session.model.compile(backend="eager")
        train(session, MLP, range(4))
        assert_same(dict(session.solo.home.clone()), dict(plain.solo.home.clone()), way)
        finished, expected = session.finish(), plain.finish()
        assert finished is model
        inputs = MLP.batch(5).inputs
        for one in (finished, expected):
            one.train()
        torch.testing.assert_close(finished(inputs), expected(inputs))
        again = session_on(finished, Recipe(Dropout(0.4)))
        again.step(MLP.batch(0))
        assert again.proof()[0].acted


def test_checkpoints_are_the_same_with_and_without_the_wrapper():
    plain = train(attach(COCKTAIL, MLP), MLP, range(2))
    session = session_on(torch.compile(MLP.model().train(), backend="eager"))
    state = session.state_dict()
    assert state["model"].keys() == plain.state_dict()["model"].keys()
    assert tuple(session.served) == tuple(plain.served) == tuple(name for name, _ in MLP.model().named_parameters())
    session.load_state_dict(plain.state_dict())
    assert_same(dict(session.served), dict(plain.served), "loaded")
    session.finish()


def test_a_compiled_model_can_be_attached_once_under_either_name():
    model = MLP.model()
    wrapped = torch.compile(model, backend="eager")
    session = session_on(wrapped)
    with pytest.raises(Exception, match="attached already"):
        session_on(model)
    session.finish()
    session_on(model).finish()


def test_a_pure_step_takes_a_compiled_model():
    from temperance.core.optimizers import SGD

    step = compile_recipe(Recipe(Dropout(0.4)), torch.compile(MLP.model(), backend="eager"), MLP.loss, SGD(0.1))
    state, notes = step(step.begin(), MLP.batch(0))
    assert tuple(state.params) == tuple(name for name, _ in MLP.model().named_parameters())
    assert bool(torch.isfinite(notes["loss"]))


def test_second_derivatives_run_uncompiled():
    """``torch.compile`` has no double backward; passes that need one run plainly, in techniques and in signals."""
    with compiling():
        model = torch.compile(MLP.model().train(), backend="aot_eager")
        x = MLP.batch(0).inputs.clone().requires_grad_()
        with pytest.raises(RuntimeError, match="double backward"):
            torch.autograd.grad(model(x).sum(), x, create_graph=True)[0].sum().backward()
        with uncompiled():
            torch.autograd.grad(model(x).sum(), x, create_graph=True)[0].sum().backward()
        assert bool(torch.isfinite(x.grad).all())
        session = session_on(model, Recipe(InputGradientPenalty(), JacobianPenalty()))
        session.step(MLP.batch(0))
        turned = session.solo.product(MLP.batch(0), session.solo.home.clone())
        assert float(turned.norm()) > 0


def test_a_controller_moves_strengths_of_a_compiled_model_and_nothing_is_compiled_again():
    from torch._dynamo.testing import CompileCounterWithBackend

    convnet = PROBLEMS["convnet"]
    recipe = Recipe(Dropout(0.3), SAM(0.1), WeightDecay(0.01), EMA(0.9), controller=GapFeedback())
    counter, ends = CompileCounterWithBackend("eager"), []
    with compiling():
        for compiled in (False, True):
            model = convnet.model().train()
            given = torch.compile(model, backend=counter) if compiled else model
            optimizer = torch.optim.SGD(given.parameters(), lr=LR)
            session = recipe.attach(
                given, optimizer, loss=convnet.loss, epochs=3, steps_per_epoch=3, signals=[Curvature()]
            )
            frames = []
            for _ in range(3):
                train(session, convnet, range(3))
                session.validate([convnet.batch(9)])
                frames.append(counter.frame_count)
            session.finish(batches=[convnet.batch(0)])
            ends.append(
                ({n: t.clone() for n, t in model.state_dict().items()}, session.strengths, dict(session.signals))
            )
    assert_same(ends[0], ends[1], "compiled")
    assert ends[0][1]["dropout.p"] != 0.3
    assert frames[0] == frames[-1] == counter.frame_count > 0
