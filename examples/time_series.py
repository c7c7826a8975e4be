"""Let a study regularize a recurrent net over time series of different lengths: python examples/time_series.py

The series are generated: a machine's vibration that is healthy, loose or worn, measured for 20 to 48 moments. A series
is a row; what was not measured any more is empty.
"""

import numpy as np
import torch
from torch import Tensor, nn

import temperance
from temperance import Dropout, Recipe, Task, TaskInfo, WeightDecay

LENGTH = 48


class Recurrent(nn.Module):
    """A filter over five moments, then a GRU; the mean of its states at the measured moments is classified."""

    def __init__(self, moments: int, classes: int, width: int = 32):
        super().__init__()
        self.moments = moments
        self.filter = nn.Sequential(nn.Conv1d(1, width, 5, padding=2), nn.ReLU())
        self.cell = nn.GRU(width, width, batch_first=True)
        self.head = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, classes))

    def forward(self, numbers: Tensor) -> Tensor:
        """Return logits (b, c) of moments (b, t), 0 where empty, then a column of 0 and 1 for each with gaps."""
        series, gone = numbers[:, : self.moments], numbers[:, self.moments :]
        full = torch.ones_like(series[:, gone.shape[1] :])  # the first moments, which no series lacks
        there = torch.cat([full, 1 - gone], dim=1).unsqueeze(-1)
        states, _ = self.cell(self.filter(series.unsqueeze(1)).transpose(1, 2))
        return self.head((states * there).sum(1) / there.sum(1).clamp(min=1))


def task(info: TaskInfo) -> Task:
    """Return the net for a study; ``info.columns`` are the moments."""
    recipe = Recipe(Dropout(0.1), WeightDecay(0.1))
    net = Recurrent(len(info.columns), info.outputs)
    return Task(net, inputs="raw", recipe=recipe, optimizer=adam, epochs=30, batch_size=32)


def adam(model: nn.Module) -> torch.optim.Optimizer:
    """Return the optimizer; a recurrent net of this size wants a faster rate than the default."""
    return torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.0)


def series(count: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return vibrations (count, 48), NaN after their end, and the state of the machine."""
    draw = np.random.default_rng(seed)
    states = draw.choice(["healthy", "loose", "worn"], count)
    moment = np.arange(LENGTH)
    rows = np.empty((count, LENGTH))
    for row, state in zip(rows, states, strict=True):
        wave = np.sin(0.6 * moment * draw.uniform(0.9, 1.1) + draw.uniform(0, 2 * np.pi))
        if state == "loose":  # every third turn is louder
            wave *= 1 + 0.8 * (np.sin(0.2 * moment + draw.uniform(0, 2 * np.pi)) > 0)
        if state == "worn":  # a rattle above the turn
            wave += 0.6 * np.sin(2.4 * moment + draw.uniform(0, 2 * np.pi))
        row[:] = wave + 0.4 * draw.normal(size=LENGTH)
        row[draw.integers(20, LENGTH + 1) :] = np.nan
    return rows, states


def main(budget: str | None = "3m", count: int = 800) -> float:
    """Return the accuracy on machines that nothing was chosen on."""
    model = temperance.fit(*series(count, seed=0), net=task, budget=budget)
    accuracy = float(model.score(*series(500, seed=1)))
    print(f"accuracy on 500 new series: {accuracy:.3f}")
    return accuracy


if __name__ == "__main__":
    main()
