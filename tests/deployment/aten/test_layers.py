"""Layers against torch, at batch sizes that were not recorded."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn


def spread_batch_norm():
    layer = nn.BatchNorm1d(6)
    layer.running_mean.uniform_(-1, 1)
    layer.running_var.uniform_(0.5, 2)
    return layer


VECTOR = {
    "linear": lambda Call: nn.Linear(6, 3),
    "linear without bias": lambda Call: nn.Linear(6, 3, bias=False),
    "batch norm": lambda Call: spread_batch_norm(),
    "batch norm without weights": lambda Call: nn.BatchNorm1d(6, affine=False),
    "layer norm": lambda Call: nn.LayerNorm(6),
    "layer norm without weights": lambda Call: nn.LayerNorm(6, elementwise_affine=False),
    "rms norm": lambda Call: nn.RMSNorm(6),
    "group norm": lambda Call: nn.GroupNorm(2, 6),
    "dropout is silent": lambda Call: nn.Sequential(nn.Linear(6, 4), nn.Dropout(0.5)),
    "softmax": lambda Call: nn.Softmax(dim=1),
    "log softmax": lambda Call: nn.LogSoftmax(dim=-1),
    "glu": lambda Call: nn.GLU(),
    "members by einsum": lambda Call: Call(
        lambda m, x: torch.einsum("bf,kfo->bko", x, m.w.weight.reshape(3, 6, 2)), w=nn.Linear(6, 6)
    ),
    "members by baddbmm": lambda Call: Call(
        lambda m, x: torch.baddbmm(m.w.weight[:3, None, :2], x.expand(3, -1, -1), m.w.weight.reshape(3, 6, 2))
        .transpose(0, 1),
        w=nn.Linear(6, 6),
    ),
    "attention": lambda Call: Call(
        lambda m, x: m.a(*[x.reshape(-1, 3, 2)] * 3)[0], a=nn.MultiheadAttention(2, 1, batch_first=True)
    ),
    "transformer": lambda Call: Call(
        lambda m, x: m.t(x.reshape(-1, 3, 2)).mean(1),
        t=nn.TransformerEncoderLayer(2, 1, 8, batch_first=True, activation="gelu"),
    ),
    "embedding of bins": lambda Call: Call(lambda m, x: m.e((x > 0).long() + 1).flatten(1), e=nn.Embedding(4, 3)),
    "tied weights": lambda Call: Call(lambda m, x: F.linear(m.w(x), m.w.weight.t()), w=nn.Linear(6, 3)),
    "weight norm": lambda Call: nn.utils.parametrizations.weight_norm(nn.Linear(6, 3)),
}  # fmt: skip
IMAGE = {
    "convolution": lambda Call: nn.Conv2d(3, 4, 3, stride=2, padding=1),
    "grouped convolution": lambda Call: nn.Conv2d(3, 6, (3, 1), groups=3, dilation=(2, 1), bias=False),
    "transposed convolution": lambda Call: nn.ConvTranspose2d(3, 2, 2, stride=2),
    "batch norm": lambda Call: nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()),
    "group norm": lambda Call: nn.GroupNorm(3, 3),
    "max pool": lambda Call: nn.MaxPool2d(2),
    "average pool": lambda Call: nn.AvgPool2d(3, 2, 1),
    "adaptive pool": lambda Call: nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    "mean over the image": lambda Call: Call(lambda m, x: x.mean((2, 3))),
    "residual": lambda Call: Call(lambda m, x: F.silu(m.c(x)) + x, c=nn.Conv2d(3, 3, 3, padding="same")),
}


@pytest.mark.parametrize("name", VECTOR)
def test_vector_layers(name, kit):
    assert kit.compare(VECTOR[name](kit.Call), (6,)).graph.node


@pytest.mark.parametrize("name", IMAGE)
def test_image_layers(name, kit):
    assert kit.compare(IMAGE[name](kit.Call), (3, 8, 8)).graph.node
