"""Techniques of fine-tuning, as they are usually written by hand."""

from __future__ import annotations

import torch
from benchmarks.step_overhead.work import LR, Cell, Step, Work
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from temperance import FrozenPrefix, LayerwiseRateDecay, Mixout, Recipe

NOISE = "each draws its noise its own way"


def plain(work: Work, optimizer: torch.optim.Optimizer) -> Step:
    net, x, y = work.net, work.x, work.y

    def step() -> None:
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimizer.step()

    return step


class MixedLinear(nn.Linear):
    """A linear layer whose weights go back to their start now and then."""

    start: Tensor

    def forward(self, x: Tensor) -> Tensor:
        away = F.dropout(self.weight - self.start, 0.7, self.training)
        return F.linear(x, self.start + away, self.bias)


def mixed(work: Work) -> Step:
    for m in work.net.modules():
        if type(m) is nn.Linear:
            m.__class__ = MixedLinear
            m.register_buffer("start", m.weight.detach().clone())
    return plain(work, work.adamw())


def layers(work: Work) -> list[list[nn.Parameter]]:
    """Return the parameters layer by layer, a norm with the layer before it."""
    found: list[list[nn.Parameter]] = []
    for m in work.net:  # type: ignore[attr-defined]
        own = list(m.parameters())
        if own and isinstance(m, nn.BatchNorm2d):
            found[-1] += own
        elif own:
            found.append(own)
    return found


def graded(work: Work) -> Step:
    parts = layers(work)
    groups = [{"params": part, "lr": LR * 0.9 ** (len(parts) - 1 - i)} for i, part in enumerate(parts)]
    return plain(work, torch.optim.AdamW(groups, lr=LR, weight_decay=0.0))


def frozen(work: Work) -> Step:
    for part in layers(work)[:-1]:
        for p in part:
            p.requires_grad_(False)
    for m in work.net.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.eval()
    return plain(work, torch.optim.AdamW(layers(work)[-1], lr=LR, weight_decay=0.0))


CELLS = {
    "Mixout": Cell(Recipe(Mixout(0.7)), mixed, why_not=NOISE),
    "LayerwiseRateDecay": Cell(Recipe(LayerwiseRateDecay(0.9)), graded, same=True),
    "FrozenPrefix": Cell(Recipe(FrozenPrefix(1.0, gradual=False)), frozen, same=True),
}
