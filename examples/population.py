"""Train eight strengths at once: python examples/population.py"""

import torch
from sklearn.datasets import load_wine
from torch import nn
from torch.nn import functional as F  # noqa: N812

from temperance import Dropout, Population, Recipe, WeightDecay
from temperance.core.optimizers import AdamW


def loss(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return one loss per row."""
    return F.cross_entropy(outputs, targets, reduction="none")


def main(steps: int = 100) -> list[float]:
    """Train on scikit-learn's wine data and return each member's held-out loss."""
    torch.manual_seed(0)
    x, y = (torch.as_tensor(part) for part in load_wine(return_X_y=True))
    x = ((x - x.mean(0)) / x.std(0)).float()
    order = torch.randperm(len(x))
    train, valid = order[:100], order[100:]
    model = nn.Sequential(nn.Linear(13, 64), nn.ReLU(), nn.Linear(64, 3))
    population = Population(Recipe(Dropout(0.1), WeightDecay(1e-2)), model, loss, AdamW(3e-3), members=8)
    shares = [0.0, 0.1, 0.2, 0.3, 0.5, 0.6, 0.8, 0.9]
    state = population.begin(strengths={"dropout.p": shares})
    for _ in range(steps):
        rows = train[torch.randint(len(train), (50,))]
        state, _ = population(state, (x[rows], y[rows]))
    print(f"{population.choice['executor']}: {population.choice['reason']}")
    held_out = population.losses(state, (x[valid], y[valid])).mean(1).tolist()
    for p, value in zip(shares, held_out, strict=True):
        print(f"dropout {p:.1f}: held-out loss {value:.3f}")
    return held_out


if __name__ == "__main__":
    main()
