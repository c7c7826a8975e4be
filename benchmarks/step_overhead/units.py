"""Techniques on units, as they are usually written: modules of one's own in place of the plain layers."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from benchmarks.step_overhead.work import Cell, Step, Work
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from temperance import (
    ConcreteDropout,
    DropBlock,
    DropConnect,
    GaussianDropout,
    GhostBatchNorm,
    LoRADropout,
    RDrop,
    Recipe,
)

NOISE = "draws noise"


def swap(net: nn.Module, kind: type[nn.Module], make: Callable[[nn.Module], nn.Module]) -> None:
    """Put ``make(layer)`` in the place of each layer of a kind."""
    for name, child in net.named_children():
        if isinstance(child, kind):
            setattr(net, name, make(child))
        else:
            swap(child, kind, make)


def plain(work: Work, extra: Callable[[], Tensor] | None = None) -> Step:
    """Return the plain loop over a net that was changed already."""
    net, x, y = work.net, work.x, work.y
    optimizer = work.adamw()

    def step() -> None:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), y)
        if extra is not None:
            loss = loss + extra()
        loss.backward()
        optimizer.step()

    return step


class ConcreteLinear(nn.Module):
    """A linear layer whose inputs are dropped at a learned rate."""

    def __init__(self, linear: nn.Module) -> None:
        super().__init__()
        self.linear, self.temperature = linear, 0.1
        self.logit = nn.Parameter(torch.tensor(math.log(0.1 / 0.9)))

    def forward(self, x: Tensor) -> Tensor:
        z = torch.sigmoid((self.logit + torch.logit(torch.rand_like(x), eps=1e-7)) / self.temperature)
        return self.linear(x * (1 - z) / (1 - torch.sigmoid(self.logit)))  # type: ignore[no-any-return]

    def penalty(self, wr: float, dr: float) -> Tensor:
        p = torch.sigmoid(self.logit)
        weights = self.linear.weight.square().sum() + self.linear.bias.square().sum()  # type: ignore[union-attr, operator]
        entropy = p * torch.log(p) + (1 - p) * torch.log(1 - p)
        return wr * weights / (1 - p) + dr * self.linear.in_features * entropy  # type: ignore[operator, no-any-return]


def concrete(work: Work) -> Step:
    swap(work.net, nn.Linear, ConcreteLinear)
    layers = [m for m in work.net.modules() if isinstance(m, ConcreteLinear)]
    return plain(work, lambda: sum((m.penalty(1e-8, 1e-3) for m in layers), torch.zeros(())))


class Blocks(nn.Module):
    """DropBlock behind an activation."""

    def __init__(self, p: float, size: int) -> None:
        super().__init__()
        self.p, self.size = p, size

    def forward(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        free = (h - self.size + 1) * (w - self.size + 1)
        gamma = self.p * h * w / (self.size**2 * free)
        corners = torch.rand(b, c, h - self.size + 1, w - self.size + 1) < gamma
        around = F.pad(corners.float(), [self.size - 1] * 4)
        mask = 1 - F.max_pool2d(around, self.size, stride=1)
        return x * mask * (mask.numel() / mask.sum())  # type: ignore[no-any-return]


def blocks(work: Work) -> Step:
    swap(work.net, nn.ReLU, lambda act: nn.Sequential(act, Blocks(0.1, 7)))
    return plain(work)


class ThinLinear(nn.Linear):
    """A linear layer that drops its weights."""

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, F.dropout(self.weight, 0.2, self.training), self.bias)


def thin(work: Work) -> Step:
    for m in work.net.modules():
        if type(m) is nn.Linear:
            m.__class__ = ThinLinear
    return plain(work)


class Gaussian(nn.Module):
    """Noise around one."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.size = math.sqrt(p / (1 - p))

    def forward(self, x: Tensor) -> Tensor:
        return x * (1 + self.size * torch.randn_like(x))


def gaussian(work: Work) -> Step:
    swap(work.net, nn.Dropout, lambda _: Gaussian(0.1))
    return plain(work)


class Ghost(nn.Module):
    """Batch normalization in groups of 32; the running statistics are those of the whole batch."""

    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        self.norm, self.size = norm, 32

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            self.norm(x)
        groups = x.chunk(len(x) // self.size)
        return torch.cat([F.batch_norm(g, None, None, self.norm.weight, self.norm.bias, True) for g in groups])  # type: ignore[arg-type]


def ghost(work: Work) -> Step:
    for kind in (nn.BatchNorm1d, nn.BatchNorm2d):
        swap(work.net, kind, Ghost)
    return plain(work)


def adapter(work: Work) -> Step:
    block = work.net[2]  # type: ignore[index]
    block.lora_A = nn.Sequential(nn.Dropout(0.05), block.lora_A)
    return plain(work)


def twice(work: Work) -> Step:
    """R-Drop with the model's own dropout layers."""
    net, x, y = work.net, work.x, work.y
    optimizer = work.adamw()

    def step() -> None:
        optimizer.zero_grad()
        one, two = net(x), net(x)
        p, q = F.log_softmax(one, -1), F.log_softmax(two, -1)
        apart = F.kl_div(p, q, log_target=True, reduction="batchmean") + F.kl_div(
            q, p, log_target=True, reduction="batchmean"
        )
        loss = (F.cross_entropy(one, y) + F.cross_entropy(two, y)) / 2 + apart / 2
        loss.backward()
        optimizer.step()

    return step


DROPOUT_NETS = ("mlp, dropout layers", "convnet, dropout layers")
CELLS = {
    "ConcreteDropout": Cell(Recipe(ConcreteDropout(1e-8, 1e-3)), concrete, why_not=NOISE),
    "DropBlock": Cell(Recipe(DropBlock(0.1, size=7)), blocks, ("convnet",), why_not=NOISE),
    "DropConnect": Cell(Recipe(DropConnect(0.2)), thin, why_not=NOISE),
    "GaussianDropout": Cell(Recipe(GaussianDropout(0.1)), gaussian, DROPOUT_NETS, why_not=NOISE),
    "GhostBatchNorm": Cell(Recipe(GhostBatchNorm(size=32)), ghost, ("mlp, BatchNorm", "convnet"), same=True),
    "LoRADropout": Cell(Recipe(LoRADropout(0.05)), adapter, ("mlp, adapter",), why_not=NOISE),
    "RDrop": Cell(Recipe(RDrop(1.0, p=0.1)), twice, DROPOUT_NETS, why_not=NOISE),
}
