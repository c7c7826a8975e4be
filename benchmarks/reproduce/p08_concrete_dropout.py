"""P8: learned dropout rates fall as rows are added."""

from __future__ import annotations

import torch
from benchmarks.reproduce.shape import Check, Figures, Shape
from torch import Tensor, nn

from temperance import ConcreteDropout, Recipe
from temperance.regularizers.units.concrete_dropout import learned

ROWS = (100, 1000, 10_000)


def run(seed: int) -> Figures:
    rates = {rows: _rate(seed, rows) for rows in ROWS}
    few, some, many = rates.values()
    found = {f"p_{rows}": rate for rows, rate in rates.items()}
    return {**found, "first_fall": few - some, "second_fall": some - many}


def _rate(seed: int, rows: int) -> float:
    """Return the mean learned rate of the hidden layers on y = 2x + 8 + noise with a learned variance."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, 1, generator=generator)
    y = 2 * x + 8 + torch.randn(rows, 1, generator=generator)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(1, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 2))

    def loss(out: Tensor, target: Tensor) -> Tensor:
        return (torch.exp(-out[:, 1:]) * (target - out[:, :1]) ** 2 + out[:, 1:]).squeeze(1)

    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    session = Recipe(ConcreteDropout(rows=rows, at="[24]")).attach(model, optimizer, loss=loss, seed=seed)
    for _ in range(1200):
        now = torch.randint(0, rows, (64,), generator=generator)
        session.step((x[now], y[now]))
    rates = learned(model)
    return sum(rates.values()) / len(rates)


SHAPE = Shape(
    "P8",
    "The dropout rate that concrete dropout learns falls as training rows are added.",
    "Gal, Hron and Kendall (2017), arXiv:1705.07832, section 4.1",
    "generated, y = 2x + 8 + noise, 100, 1000 and 10,000 rows; MLP 1-256-256-2 with learned variance, Adam 5e-3, "
    "1200 steps of 64 rows",
    ("ConcreteDropout",),
    3,
    run,
    (
        Check("first_fall", "learned rate at 100 rows minus at 1000 rows", low=0.0, techniques=("concrete_dropout",)),
        Check("second_fall", "learned rate at 1000 rows minus at 10,000 rows", low=0.0, techniques=("concrete_dropout",)),  # noqa: E501
    ),
)  # fmt: skip
