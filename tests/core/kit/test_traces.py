"""What techniques leave in a module: a deepcopy comes out without it, wherever in the model it begins."""

import copy

import pytest
import torch
from torch import nn

from temperance import Recipe
from temperance.core.kit.traces import (
    add_parameter,
    hold,
    hook_after,
    hook_before,
    keep_attribute,
    replace_forward,
    together,
)
from temperance.core.regularizer import techniques
from temperance.records.errors import RecipeError
from temperance.testing.checks import shape_of
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import attach


def touched():
    module = nn.Linear(2, 2)
    module.rate = 0.3
    mine = module.register_forward_hook(lambda m, x, out: out + 1)
    undos = [
        hold(module, "strength", torch.ones(())),
        add_parameter(module, "logit", nn.Parameter(torch.ones(()))),
        hook_after(module, lambda m, x, out: out * 5, always=True),
        hook_before(module, lambda m, x: None),
        keep_attribute(module, "rate"),
        replace_forward(module, lambda x: x),
    ]
    module.rate = 0.9
    return module, mine, together(undos)


def test_a_copy_is_the_module_as_it_was():
    module, _, _ = touched()
    twin = copy.deepcopy(nn.Sequential(module))[0]
    assert (dict(twin.named_buffers()), [n for n, _ in twin.named_parameters()]) == ({}, ["weight", "bias"])
    assert twin.rate == 0.3
    assert len(twin._forward_hooks) == 1  # the user's own
    assert len(twin._forward_pre_hooks) == 0
    x = torch.ones(1, 2)
    torch.testing.assert_close(twin(x), nn.functional.linear(x, module.weight, module.bias) + 1)
    assert torch.equal(module(x), (x + 1) * 5)
    assert twin.weight is not module.weight
    assert not any(name in twin.__dict__ for name in ("__deepcopy__", "forward"))


def test_undone_the_module_holds_nothing():
    module, mine, undo = touched()
    undo()
    mine.remove()
    plain = nn.Linear(2, 2)
    plain.rate = 0.3
    assert module.__dict__.keys() == plain.__dict__.keys()
    assert module.rate == 0.3
    assert (len(module._forward_hooks), len(module._buffers), len(module._parameters)) == (0, 0, 2)


def layer_techniques():
    return [one for _, cls in techniques.items() for one in cls.samples() if "rewire" in cls.stages()]


@pytest.mark.parametrize("one", layer_techniques(), ids=repr)
@pytest.mark.parametrize("problem", ["mlp", "transformer", "convnet"])
def test_copies_of_parts_of_an_attached_model_are_plain(one, problem):
    try:
        session = attach(Recipe(one), PROBLEMS[problem])
    except RecipeError as refusal:
        assert type(one).__name__ in str(refusal)  # noqa: PT017 (a refusal names itself)
        return
    fresh = PROBLEMS[problem].model()
    for (name, part), plain in zip(list(session.module.named_children()), fresh.children(), strict=True):
        twin = copy.deepcopy(part)
        assert shape_of(twin) == shape_of(plain), name
        assert [m.__dict__.keys() for m in twin.modules()] == [m.__dict__.keys() for m in plain.modules()]
