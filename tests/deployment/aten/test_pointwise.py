"""Functions of single numbers against torch, at batch sizes that were not recorded."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

CASES = {
    "prelu": lambda Call: nn.PReLU(6),
    "where and compare": lambda Call: Call(lambda m, x: torch.where((x > 0) & (x != 1), x, -2 * x + (x <= -1))),
    "clamp": lambda Call: Call(lambda m, x: x.clamp(-0.5, 0.5) + x.clamp(min=0.1) + x.clamp_max(0.3)),
    "powers": lambda Call: Call(lambda m, x: x**2 + (x.abs() + 0.1) ** 0.5 + 2.0 ** x + x.abs().add(1).rsqrt()),
    "logs": lambda Call: Call(lambda m, x: torch.log1p(x.abs()) + torch.expm1(x) + (x.abs() + 1).log()),
    "types": lambda Call: Call(lambda m, x: x.double().mul(2).float() + x.long() + x.bool()),
    "in place": lambda Call: Call(lambda m, x: x.clone().add_(1).mul_(2).relu_()),
}  # fmt: skip
POINTWISE = (
    F.relu, F.gelu, F.silu, F.leaky_relu, F.elu, F.selu, F.softplus, F.logsigmoid, F.hardtanh, F.hardswish,
    F.hardsigmoid, F.mish, F.relu6, torch.tanh, torch.sigmoid, torch.sin, torch.cos, torch.erf,
    torch.floor, torch.ceil, torch.round,
    torch.abs, torch.sign, torch.exp, torch.square, torch.reciprocal, torch.neg, torch.atan, F.softsign, F.tanhshrink,
    torch.nan_to_num,
)  # fmt: skip


@pytest.mark.parametrize("function", POINTWISE, ids=lambda f: f.__name__)
def test_functions(function, kit):
    assert kit.compare(kit.Call(lambda m, x: function(x)), (5,), tolerance=5e-6).graph.node


@pytest.mark.parametrize("name", CASES)
def test_cases(name, kit):
    assert kit.compare(CASES[name](kit.Call), (6,)).graph.node


def test_tanh_gelu_is_the_tanh_kind(kit):
    graph = kit.compare(nn.GELU(approximate="tanh"), (5,))
    assert any(node.op_type == "Gelu" for node in graph.graph.node)


def test_rules_have_names_of_operations():
    from temperance.deployment.aten import RULES

    assert len(RULES) > 120
    assert all(hasattr(torch.ops.aten, name) for name in RULES)
