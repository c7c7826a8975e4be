"""A plain net fitted to the answers of a model: its slopes are smooth, and what breaks it often breaks the model."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from temperance.evaluation.adversarial.victim import Victim

WIDTH, STEPS, BATCH = 64, 300, 128
_NOISE = 0.1  # of the points' own spread: rows beside the given ones teach the answers around them


def surrogate(victim: Victim, x: Tensor, *, seed: int = 0, steps: int = STEPS) -> Victim:
    """Fit a net with two hidden layers to the answers at ``x`` and around it, and return it as a victim.

    Shapes: x (b, …).

    Args:
        victim: the model whose answers are learned; its box and what is free are kept.
        x: points to ask at.
        seed: of the net's first weights, the noise and the order of rows.
        steps: updates of the net.

    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net, where = _fit(victim, x, steps)
    net.requires_grad_(False)
    mean, spread = where
    return Victim(lambda p: net((p.flatten(1).float() - mean) / spread), victim.low, victim.high, "exact", victim.free)


def _fit(victim: Victim, x: Tensor, steps: int) -> tuple[nn.Module, tuple[Tensor, Tensor]]:
    flat = x.flatten(1).float()
    mean, spread = flat.mean(dim=0), flat.std(dim=0).clamp(min=1e-3)
    noise = _NOISE * spread.reshape(x.shape[1:]) * torch.randn(3, *x.shape)
    noise = noise if victim.free is None else noise * victim.free
    points = torch.cat([x, victim.inside((x + noise.to(x.dtype)).flatten(0, 1))])
    answers = victim.answer(points)
    inputs = (points.flatten(1).float() - mean) / spread
    count = max(int(victim.scores(x[:1]).shape[1]), 2)
    net = nn.Sequential(
        nn.Linear(inputs.shape[1], WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, count)
    )
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(steps):
        rows = torch.randint(0, len(inputs), (BATCH,))
        loss = nn.functional.cross_entropy(net(inputs[rows]), answers[rows])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return net, (mean, spread)
