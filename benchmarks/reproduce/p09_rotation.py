"""P9: under decoupled decay, weights settle at a predictable angle per step and a predictable norm."""

from __future__ import annotations

import math

import torch
from benchmarks.reproduce.lab import digits, losses
from benchmarks.reproduce.shape import Check, Figures, Shape
from torch import Tensor, nn

from temperance import Recipe, WeightDecay

RATE, DECAY, SIDE = 1e-2, 0.5, 64


class Pull(nn.Module):
    """Return the inner product of the weights with what comes in, so that the gradient is what comes in."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(SIDE, SIDE))

    def forward(self, x: Tensor) -> Tensor:
        return (self.weight * x).sum()


def run(seed: int) -> Figures:
    torch.manual_seed(seed)
    angle, norm = _random_gradients(seed)
    wanted = WeightDecay(DECAY).equilibrium_angle(lr=RATE)
    size = math.sqrt(SIDE * SIDE * RATE / (2 * DECAY))
    net = _digits(seed)
    wanted_net = WeightDecay(1.0).equilibrium_angle(lr=5e-3)
    return {
        "angle": angle, "angle_wanted": wanted, "angle_error": abs(angle / wanted - 1),
        "norm": norm, "norm_wanted": size, "norm_error": abs(norm / size - 1),
        "net_angle": net, "net_angle_wanted": wanted_net, "net_angle_error": abs(net / wanted_net - 1),
    }  # fmt: skip


def _random_gradients(seed: int) -> tuple[float, float]:
    model = Pull()
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.0)
    session = Recipe(WeightDecay(DECAY, policy="all")).attach(model, optimizer, loss=lambda out, _: out, seed=seed)
    generator, nothing = torch.Generator().manual_seed(seed), torch.zeros(())
    angles, norms = [], []
    for step in range(3000):  # 1/(rate · decay) = 200 steps, so ten e-foldings are 2000
        before = model.weight.detach().clone()
        session.step((torch.randn(SIDE, SIDE, generator=generator), nothing))
        if step >= 2000:
            angles.append(_squared_angle(before, model.weight.detach()))
            norms.append(float(model.weight.detach().norm()))
    return math.sqrt(sum(angles) / len(angles)), sum(norms) / len(norms)


def _digits(seed: int) -> float:
    """Return the angle per step (root mean square) of the middle layer of a net with BatchNorm, once settled."""
    data = digits(seed, 1400)
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Linear(64, 128, bias=False), nn.BatchNorm1d(128), nn.ReLU(),
        nn.Linear(128, 128, bias=False), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.0)
    session = Recipe(WeightDecay(1.0)).attach(model, optimizer, loss=losses, seed=seed)
    generator, angles = torch.Generator().manual_seed(seed), []
    middle = model[3].weight
    for step in range(4000):
        rows = torch.randint(0, len(data.x), (64,), generator=generator)
        before = middle.detach().clone()
        session.step((data.x[rows], data.y[rows]))
        if step >= 2000:
            angles.append(_squared_angle(before, middle.detach()))
    return math.sqrt(sum(angles) / len(angles))


def _squared_angle(a: Tensor, b: Tensor) -> float:
    """Return the mean over rows (units) of the squared angle between two weights."""
    cosine = torch.cosine_similarity(a.double(), b.double(), dim=1).clamp(-1, 1)
    return float(torch.arccos(cosine).square().mean())


SHAPE = Shape(
    "P9",
    "Under decoupled weight decay the weights settle where they turn by a fixed angle per step, which learning rate, "
    "decay and momentum alone decide.",
    "Kosson, Messmer and Jaggi (2024), arXiv:2305.17212, table 1",
    "random gradients on a 64 × 64 matrix, AdamW 1e-2, decay 0.5, 3000 steps, the last 1000 counted; then the middle "
    "layer of a net with BatchNorm on 1400 digits, AdamW 5e-3, decay 1, 4000 steps, the last 2000 counted; angles "
    "are root mean squares over units and steps, which is what the formula predicts",
    ("WeightDecay",),
    8,
    run,
    (
        Check("angle_error", "relative error of the predicted angle per step, random gradients", high=0.02, techniques=("weight_decay",)),  # noqa: E501
        Check("norm_error", "relative error of the predicted norm, random gradients", high=0.03, techniques=("weight_decay",)),  # noqa: E501
        Check("net_angle_error", "relative error of the predicted angle per step, digits net with BatchNorm", high=0.02, techniques=("weight_decay",)),  # noqa: E501
    ),
)  # fmt: skip
