"""Ten steps equal those of the authors' code, to 1e-6, where that code is sound."""

import json
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

from temperance import ASAM, GSAM, SAM, FriendlySAM, NormSAM, Recipe

FIGURES = json.loads((Path(__file__).parent / "figures.json").read_text())
ONE = torch.float64


def net():
    model = nn.Sequential(
        OrderedDict(one=nn.Linear(3, 4), norm=nn.LayerNorm(4), act=nn.Tanh(), two=nn.Linear(4, 3))
    ).to(ONE)
    with torch.no_grad():
        for i, p in enumerate(model.parameters()):
            p.copy_(torch.sin(torch.arange(p.numel(), dtype=ONE) * 1.7 + i).reshape(p.shape) * 0.8)
    return model


def batch(t):
    inputs = torch.cos(torch.arange(24, dtype=ONE) * (1.1 + 0.1 * t)).reshape(8, 3)
    return inputs, (torch.arange(8) * (t + 2)) % 3


@pytest.mark.parametrize(
    ("name", "one"),
    [
        ("sam", SAM(0.1)),
        ("asam", ASAM(0.5, eta=0.01)),
        ("asam_eta_0", ASAM(0.5, eta=0.0)),
        ("gsam", GSAM(0.1, alpha=0.4)),
        ("gsam_alpha_0", GSAM(0.1, alpha=0.0)),
        ("friendly_sam", FriendlySAM(0.1, sigma=1.0, decay=0.6)),
        ("friendly_sam_sigma_0", FriendlySAM(0.1, sigma=0.0, decay=0.6)),
        ("norm_sam", NormSAM(0.5)),
    ],
)
def test_ten_steps(name, one):
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    session = Recipe(one).attach(model, optimizer, loss=functional.cross_entropy)
    for t in range(10):
        session.step(batch(t))
    ended = torch.cat([p.detach().flatten() for p in model.parameters()])
    torch.testing.assert_close(ended, torch.tensor(FIGURES[name], dtype=ONE), rtol=1e-6, atol=1e-6)


def test_the_special_cases_are_sam():
    assert FIGURES["gsam_alpha_0"] == FIGURES["friendly_sam_sigma_0"] == FIGURES["sam"]
    assert FIGURES["gsam"] != FIGURES["sam"] != FIGURES["friendly_sam"]
