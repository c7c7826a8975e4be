"""R3F: its loss by hand, with torch's own KL as fairseq's formula has it; kinds of noise; what is refused."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from temperance import R3F, VAT, Recipe
from temperance.core.random import fold, normal, uniform
from temperance.records.errors import RecipeError, SettingError

CPU = torch.device("cpu")


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(12, 8), nn.Tanh(), nn.Linear(8, 3)).double()


def rows():
    torch.manual_seed(1)
    return torch.randint(9, (6, 3)), torch.randint(3, (6,))


@pytest.mark.filterwarnings("ignore::temperance.core.embedding.OnEmbeddings")
@pytest.mark.parametrize("noise", ["uniform", "normal"])
def test_it_equals_a_loop_by_hand(noise):
    ours, hand = model(), model()
    optimizer = torch.optim.SGD(ours.parameters(), lr=0.5)
    session = Recipe(R3F(0.7, eps=0.2, noise=noise)).attach(ours, optimizer, loss=F.cross_entropy)
    (ids, y), key = rows(), fold(fold(fold(0, 0), "r3f"), 0)
    passed = session.step((ids, y))
    shape = (6, 3, 4)
    draw = (
        uniform(key, shape, CPU, torch.float64) * 2 - 1
        if noise == "uniform"
        else normal(key, shape, CPU, torch.float64)
    )
    vectors = hand[0](ids)
    clean, there = hand[1:](vectors), hand[1:](vectors + 0.2 * draw)
    apart = (
        sum(F.kl_div(b.log_softmax(-1), a.softmax(-1), reduction="sum") for a, b in ((clean, there), (there, clean)))
        / 6
    )
    loss = F.cross_entropy(clean, y) + 0.7 * apart
    loss.backward()
    torch.optim.SGD(hand.parameters(), lr=0.5).step()
    assert float(passed.loss.detach()) == pytest.approx(float(loss.detach()), abs=1e-12)
    assert float(passed.notes["r3f.disagreement"]) == pytest.approx(float(apart.detach()), abs=1e-12)
    for a, b in zip(ours.parameters(), hand.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-10)


def test_noise_on_inputs_with_decimals():
    net = nn.Linear(3, 2)
    session = Recipe(R3F(eps=1.0)).attach(net, torch.optim.SGD(net.parameters(), lr=0.1), loss=F.cross_entropy)
    passed = session.step((torch.randn(4, 3), torch.arange(4) % 2))
    assert float(passed.notes["r3f.disagreement"]) > 0


def test_refusals():
    with pytest.raises(SettingError, match="noise='big'"):
        R3F(noise="big")
    with pytest.raises(RecipeError, match=r"R3F.*VAT|VAT.*R3F"):
        Recipe(R3F(), VAT())
