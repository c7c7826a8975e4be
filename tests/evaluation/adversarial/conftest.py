"""Linear models, whose robustness is known exactly, and a small convolutional net on digits."""

import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from temperance.evaluation.adversarial.victim import Victim


class Linear:
    """Scores W x + b of rows (b, 6); three classes."""

    def __init__(self, classes=3, seed=0):
        g = torch.Generator().manual_seed(seed)
        self.w = torch.randn(classes, 6, generator=g, dtype=torch.float64)
        self.b = 0.1 * torch.randn(classes, generator=g, dtype=torch.float64)
        self.x = torch.randn(200, 6, generator=g, dtype=torch.float64)
        self.y = self(self.x).argmax(dim=1)

    def __call__(self, x):
        return x @ self.w.T + self.b

    def distance(self, order):
        """Return the exact distance to the nearest other class: gap over the dual norm of the difference of weights."""
        z = self(self.x)
        gaps = z.gather(1, self.y[:, None]) - z
        apart = (self.w[self.y][:, None] - self.w[None]).norm(p=order, dim=2)
        return torch.where(apart > 0, gaps / apart.clamp(min=1e-12), torch.inf).amin(dim=1)


@pytest.fixture
def linear():
    return Linear()


@pytest.fixture
def two_classes():
    return Linear(classes=2, seed=1)


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture(scope="session")
def digits():
    """A plain net of two convolutions, 120 test rows of digits from 0 to 1, and their classes."""
    found = load_digits()
    x = torch.tensor(found.images / 16, dtype=torch.float32)[:, None]
    y = torch.tensor(found.target)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 64), nn.ReLU(),
            nn.Linear(64, 10),
        )  # fmt: skip
        optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
        for _ in range(4):
            for rows in torch.randperm(1400).split(64):
                loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    net.requires_grad_(False)
    return net, x[1400:1520], y[1400:1520]


@pytest.fixture
def victim(digits):
    return Victim(digits[0], 0.0, 1.0)
