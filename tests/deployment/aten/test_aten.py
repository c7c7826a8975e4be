"""Every rule against torch: modules of all kinds, run by ONNX Runtime at batch sizes that were not recorded."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from temperance.deployment.aten import RULES, Unsupported, draw_module
from temperance.deployment.aten.tape import BatchSize
from temperance.deployment.bundle import session
from temperance.deployment.sketch import WEIGHT, Sketch
from temperance.records.schema import Column, Schema, Target

torch.set_num_threads(1)


class Call(nn.Module):
    """A function as a module."""

    def __init__(self, function, **modules):
        super().__init__()
        self.function = function
        for name, module in modules.items():
            setattr(self, name, module)

    def forward(self, x):
        return self.function(self, x)


def compare(module, shape, tolerance=2e-6, seed=0):
    """Draw ``module`` on inputs (b, *shape) and compare at 1, 2 and 33 rows."""
    generator = torch.Generator().manual_seed(seed)
    module.eval()
    width = int(np.prod(shape))
    columns = tuple(Column(f"x{i}", "numeric") for i in range(width))
    sketch = Sketch(Schema(columns, Target("y", "regression")))
    source = sketch.add("Reshape", sketch.cast("numeric", np.float32), sketch.constant([-1, *shape]))
    value = draw_module(sketch, module, lambda b: ((torch.randn(b, *shape, generator=generator),), {}), [source])
    assert isinstance(value.shape[0], BatchSize)
    graph = sketch.finish({"out": (sketch.cast(value.name, np.float64), ["b"] + ["s"] * (len(value.shape) - 1))})
    runner = session(graph.SerializeToString())
    for rows in (1, 2, 33):
        x = torch.randn(rows, *shape, generator=generator)
        with torch.no_grad():
            expected = module(x).double().numpy()
        actual = runner.run(None, {"numeric": x.reshape(rows, -1).double().numpy()})[0]
        assert actual.shape == expected.shape
        assert np.abs(actual - expected).max() <= tolerance * max(1.0, np.abs(expected).max())
    return graph


def seeded(make):
    torch.manual_seed(0)
    return make()


def spread_batch_norm():
    layer = nn.BatchNorm1d(6)
    layer.running_mean.uniform_(-1, 1)
    layer.running_var.uniform_(0.5, 2)
    return layer


VECTOR = {
    "linear": lambda: nn.Linear(6, 3),
    "linear without bias": lambda: nn.Linear(6, 3, bias=False),
    "batch norm": spread_batch_norm,
    "batch norm without weights": lambda: nn.BatchNorm1d(6, affine=False),
    "layer norm": lambda: nn.LayerNorm(6),
    "layer norm without weights": lambda: nn.LayerNorm(6, elementwise_affine=False),
    "rms norm": lambda: nn.RMSNorm(6),
    "group norm": lambda: nn.GroupNorm(2, 6),
    "dropout is silent": lambda: nn.Sequential(nn.Linear(6, 4), nn.Dropout(0.5)),
    "softmax": lambda: nn.Softmax(dim=1),
    "log softmax": lambda: nn.LogSoftmax(dim=-1),
    "prelu": lambda: nn.PReLU(6),
    "glu": lambda: nn.GLU(),
    "slices and steps": lambda: Call(lambda m, x: torch.cat([x[:, 1:4], x[:, ::2], x[:, -1:]], 1)),
    "index": lambda: Call(lambda m, x: x[:, torch.tensor([3, 0, 0])]),
    "flip": lambda: Call(lambda m, x: x.flip(1)),
    "stack and unbind": lambda: Call(lambda m, x: torch.stack(x.unbind(1)[::-1], 1)),
    "chunk": lambda: Call(lambda m, x: torch.cat(x.chunk(3, 1)[::-1], 1)),
    "split": lambda: Call(lambda m, x: torch.cat(x.split([1, 2, 3], 1)[::-1], 1)),
    "where and compare": lambda: Call(lambda m, x: torch.where((x > 0) & (x != 1), x, -2 * x + (x <= -1))),
    "clamp": lambda: Call(lambda m, x: x.clamp(-0.5, 0.5) + x.clamp(min=0.1) + x.clamp_max(0.3)),
    "powers": lambda: Call(lambda m, x: x**2 + (x.abs() + 0.1) ** 0.5 + 2.0 ** x + x.abs().add(1).rsqrt()),
    "logs": lambda: Call(lambda m, x: torch.log1p(x.abs()) + torch.expm1(x) + (x.abs() + 1).log()),
    "reductions": lambda: Call(
        lambda m, x: torch.stack([x.mean(1), x.sum(1), x.amax(1), x.amin(1), x.var(1), x.std(1), x.logsumexp(1)], 1)
    ),
    "norms": lambda: Call(lambda m, x: torch.stack([x.norm(dim=1), x.norm(p=1, dim=1)], 1)),
    "normalize": lambda: Call(lambda m, x: F.normalize(x, dim=1)),
    "max with index": lambda: Call(lambda m, x: x.max(1).values + x.min(dim=1).indices.float()),
    "top k": lambda: Call(lambda m, x: x.topk(2, 1).values),
    "cumsum": lambda: Call(lambda m, x: x.cumsum(1)),
    "expand and repeat": lambda: Call(
        lambda m, x: x[:, None].expand(-1, 4, -1).sum(1) + x.repeat(1, 2)[:, :6] + x.new_ones(x.shape[0], 1)
    ),
    "zeros like": lambda: Call(lambda m, x: torch.cat([torch.zeros_like(x), torch.full((len(x), 1), 3.0), x], 1)),
    "pad": lambda: Call(lambda m, x: F.pad(x, (1, 2), value=0.5)),
    "types": lambda: Call(lambda m, x: x.double().mul(2).float() + x.long() + x.bool()),
    "in place": lambda: Call(lambda m, x: x.clone().add_(1).mul_(2).relu_()),
    "members by einsum": lambda: Call(
        lambda m, x: torch.einsum("bf,kfo->bko", x, m.w.weight.reshape(3, 6, 2)), w=nn.Linear(6, 6)
    ),
    "members by baddbmm": lambda: Call(
        lambda m, x: torch.baddbmm(m.w.weight[:3, None, :2], x.expand(3, -1, -1), m.w.weight.reshape(3, 6, 2))
        .transpose(0, 1),
        w=nn.Linear(6, 6),
    ),
    "attention": lambda: Call(
        lambda m, x: m.a(*[x.reshape(-1, 3, 2)] * 3)[0], a=nn.MultiheadAttention(2, 1, batch_first=True)
    ),
    "transformer": lambda: Call(
        lambda m, x: m.t(x.reshape(-1, 3, 2)).mean(1),
        t=nn.TransformerEncoderLayer(2, 1, 8, batch_first=True, activation="gelu"),
    ),
    "embedding of bins": lambda: Call(lambda m, x: m.e((x > 0).long() + 1).flatten(1), e=nn.Embedding(4, 3)),
    "tied weights": lambda: Call(lambda m, x: F.linear(m.w(x), m.w.weight.t()), w=nn.Linear(6, 3)),
    "weight norm": lambda: nn.utils.parametrizations.weight_norm(nn.Linear(6, 3)),
    "shapes follow the batch": lambda: Call(lambda m, x: x.reshape(-1, 2).sum(1).reshape(x.shape[0], -1)),
    "row numbers": lambda: Call(lambda m, x: x * 0 + torch.arange(x.shape[0])[:, None]),
    "gather": lambda: Call(lambda m, x: x.gather(1, (x[:, :2] > 0).long())),
}  # fmt: skip
IMAGE = {
    "convolution": lambda: nn.Conv2d(3, 4, 3, stride=2, padding=1),
    "grouped convolution": lambda: nn.Conv2d(3, 6, (3, 1), groups=3, dilation=(2, 1), bias=False),
    "transposed convolution": lambda: nn.ConvTranspose2d(3, 2, 2, stride=2),
    "batch norm": lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()),
    "group norm": lambda: nn.GroupNorm(3, 3),
    "max pool": lambda: nn.MaxPool2d(2),
    "average pool": lambda: nn.AvgPool2d(3, 2, 1),
    "adaptive pool": lambda: nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    "mean over the image": lambda: Call(lambda m, x: x.mean((2, 3))),
    "residual": lambda: Call(lambda m, x: F.silu(m.c(x)) + x, c=nn.Conv2d(3, 3, 3, padding="same")),
}
POINTWISE = (
    F.relu, F.gelu, F.silu, F.leaky_relu, F.elu, F.selu, F.softplus, F.logsigmoid, F.hardtanh, F.hardswish,
    F.hardsigmoid, F.mish, F.relu6, torch.tanh, torch.sigmoid, torch.sin, torch.cos, torch.erf,
    torch.floor, torch.ceil, torch.round,
    torch.abs, torch.sign, torch.exp, torch.square, torch.reciprocal, torch.neg, torch.atan, F.softsign, F.tanhshrink,
    torch.nan_to_num,
)  # fmt: skip


@pytest.mark.parametrize("name", VECTOR)
def test_vector_modules(name):
    compare(seeded(VECTOR[name]), (6,))


@pytest.mark.parametrize("name", IMAGE)
def test_image_modules(name):
    compare(seeded(IMAGE[name]), (3, 8, 8))


@pytest.mark.parametrize("function", POINTWISE, ids=lambda f: f.__name__)
def test_pointwise_functions(function):
    compare(Call(lambda m, x: function(x)), (5,), tolerance=5e-6)


def test_tanh_gelu_is_the_tanh_kind():
    compare(nn.GELU(approximate="tanh"), (5,))


def test_weights_keep_their_names():
    graph = compare(seeded(lambda: nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 2))), (6,))
    names = {t.name.removeprefix(WEIGHT) for t in graph.graph.initializer if t.name.startswith(WEIGHT)}
    assert names == {"0.weight", "0.bias", "2.weight", "2.bias"}


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda m, x: x * torch.rand(x.shape), "rand"),
        (lambda m, x: x * 2 if x.sum() > 0 else x, "recorded"),
        (lambda m, x: x * 2 if len(x) == 5 else x + 1, "another batch size"),
        (lambda m, x: (x, x), "more than one"),
        (lambda m, x: x * len(x) ** 2, "rows"),
        (lambda m, x: torch.fft.fft(x).abs(), "fft"),
    ],
)
def test_what_no_rule_covers_is_named(function, reason):
    with pytest.raises(Unsupported, match=reason):
        compare(Call(function), (6,))


def test_rules_have_names_of_operations():
    assert len(RULES) > 120
    assert all(hasattr(torch.ops.aten, name) for name in RULES)
