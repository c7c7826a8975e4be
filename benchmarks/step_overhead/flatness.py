"""Steps uphill, clipping by unit and noise on the gradient, as they are usually written by hand.

The second pass leaves the running statistics of BatchNorm alone, by the usual switch of its momentum.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import torch
from benchmarks.step_overhead.work import BOTH, Cell, Step, Work
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from temperance import (
    ASAM,
    AWP,
    GSAM,
    AdaptiveGradientClipping,
    FriendlySAM,
    GatedSAM,
    GradientNoise,
    LookSAM,
    NormSAM,
    Recipe,
)  # fmt: skip

Climb = Callable[[], None]


class Loop:
    """A plain loop with a second pass: keep the weights, climb, take the gradient there, come back."""

    def __init__(self, work: Work) -> None:
        self.net, self.x, self.y, self.params = work.net, work.x, work.y, work.params
        self.optimizer = work.adamw()
        self.norms = [m for m in self.net.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]

    def backward(self) -> None:
        self.optimizer.zero_grad()
        F.cross_entropy(self.net(self.x), self.y).backward()

    def norm(self) -> Tensor:
        return torch.norm(torch.stack([p.grad.norm() for p in self.params]))

    def uphill(self, climb: Climb, moved: list[nn.Parameter] | None = None) -> None:
        """Leave in ``.grad`` the gradient at the weights that ``climb`` reaches, and the weights as they were."""
        moved = self.params if moved is None else moved
        with torch.no_grad():
            old = [p.clone() for p in moved]
            climb()
        momenta = [m.momentum for m in self.norms]
        for m in self.norms:
            m.momentum = 0.0
        self.backward()
        for m, momentum in zip(self.norms, momenta, strict=True):
            m.momentum = momentum
        for p, before in zip(moved, old, strict=True):
            p.data = before

    def sam(self, rho: float) -> None:
        scale = rho / (self.norm() + 1e-12)
        for p in self.params:
            p.add_(p.grad * scale)


def asam(work: Work) -> Step:
    loop = Loop(work)
    weights = [p for name, p in work.net.named_parameters() if "weight" in name]
    others = [p for name, p in work.net.named_parameters() if "weight" not in name]

    def climb() -> None:
        sizes = [p.abs().add_(0.01) for p in weights]
        scaled = [size * p.grad for size, p in zip(sizes, weights, strict=True)]
        norm = torch.norm(torch.stack([g.norm() for g in scaled] + [p.grad.norm() for p in others]))
        scale = 0.5 / (norm + 1e-16)
        for p, size, g in zip(weights, sizes, scaled, strict=True):
            p.add_(size.mul_(g).mul_(scale))
        for p in others:
            p.add_(p.grad * scale)

    def step() -> None:
        loop.backward()
        loop.uphill(climb)
        loop.optimizer.step()

    return step


def awp(work: Work) -> Step:
    loop = Loop(work)
    matrices = [p for p in loop.params if p.dim() > 1]

    def climb() -> None:
        for p in matrices:
            p.add_(p.grad * (0.01 * p.norm() / (p.grad.norm() + 1e-20)))

    def step() -> None:
        loop.backward()
        loop.uphill(climb, matrices)
        loop.optimizer.step()

    return step


def norm_sam(work: Work) -> Step:
    loop = Loop(work)
    chosen = [p for m in loop.norms for p in m.parameters()]

    def climb() -> None:
        scale = 0.5 / (torch.norm(torch.stack([p.grad.norm() for p in chosen])) + 1e-16)
        for p in chosen:
            p.add_(p.grad * scale)

    def step() -> None:
        loop.backward()
        loop.uphill(climb, chosen)
        loop.optimizer.step()

    return step


def friendly_sam(work: Work) -> Step:
    loop = Loop(work)
    average: list[Tensor] = []

    def climb() -> None:
        if average:
            special = [p.grad - m for p, m in zip(loop.params, average, strict=True)]
            for m, p in zip(average, loop.params, strict=True):
                m.mul_(0.9).add_(p.grad, alpha=0.1)
        else:
            special = [p.grad for p in loop.params]
            average.extend(p.grad.clone() for p in loop.params)
        scale = 0.05 / (torch.norm(torch.stack([d.norm() for d in special])) + 1e-12)
        for p, d in zip(loop.params, special, strict=True):
            p.add_(d * scale)

    def step() -> None:
        loop.backward()
        loop.uphill(climb)
        loop.optimizer.step()

    return step


def gsam(work: Work) -> Step:
    loop = Loop(work)

    def step() -> None:
        loop.backward()
        plain = [p.grad for p in loop.params]
        loop.uphill(lambda: loop.sam(0.2))
        with torch.no_grad():
            dot = sum((g * p.grad).sum() for g, p in zip(plain, loop.params, strict=True))
            along = dot / (loop.norm() ** 2 + 1e-12)
            for g, p in zip(plain, loop.params, strict=True):
                p.grad.mul_(1 + 0.4 * along).sub_(g, alpha=0.4)
        loop.optimizer.step()

    return step


def look_sam(work: Work) -> Step:
    loop = Loop(work)
    across: list[Tensor] = []
    count = 0

    def again() -> None:
        plain, norm = [p.grad for p in loop.params], loop.norm()
        loop.uphill(lambda: loop.sam(0.05))
        with torch.no_grad():
            share = sum((g * p.grad).sum() for g, p in zip(plain, loop.params, strict=True)) / (norm**2 + 1e-12)
            across[:] = [p.grad - share * g for g, p in zip(plain, loop.params, strict=True)]

    @torch.no_grad()
    def reuse() -> None:
        length = torch.norm(torch.stack([v.norm() for v in across]))
        scale = 0.7 * loop.norm() / (length + 1e-12)
        for p, v in zip(loop.params, across, strict=True):
            p.grad.add_(v * scale)

    def step() -> None:
        nonlocal count
        loop.backward()
        (reuse if count % 5 else again)()
        count += 1
        loop.optimizer.step()

    return step


def gated_sam(work: Work) -> Step:
    loop = Loop(work)
    share, decay = 0.5, 0.9
    quantile = NormalDist().inv_cdf(1 - share)
    mean: float | None = None
    variance = lift = 0.0

    def step() -> None:
        nonlocal mean, variance, lift
        loop.backward()
        score = loop.norm().item() ** 2
        mean = score if mean is None else decay * mean + (1 - decay) * score
        variance = decay * variance + (1 - decay) * (score - mean) ** 2
        opened = score >= mean + (quantile + lift) * variance**0.5
        lift += 0.5 * (opened - share)
        if opened:
            loop.uphill(lambda: loop.sam(0.05))
        loop.optimizer.step()

    return step


def clipping(work: Work) -> Step:
    loop = Loop(work)
    head = {id(p) for p in [m for m in work.net.modules() if isinstance(m, nn.Linear)][-1].parameters()}
    clipped = [p for p in loop.params if id(p) not in head]

    def unit(t: Tensor) -> Tensor:
        return t.norm(2, dim=tuple(range(1, t.dim())), keepdim=True) if t.dim() > 1 else t.norm()

    def step() -> None:
        loop.backward()
        with torch.no_grad():
            for p in clipped:
                most = unit(p).clamp_(min=1e-3).mul_(0.01)
                p.grad.mul_((most / unit(p.grad).clamp_(min=1e-6)).clamp_(max=1.0))
        loop.optimizer.step()

    return step


def noise(work: Work) -> Step:
    loop = Loop(work)
    count = 0

    def step() -> None:
        nonlocal count
        loop.backward()
        std = 0.1 * (1 + count) ** (-0.55 / 2)
        for p in loop.params:
            p.grad.add_(torch.randn_like(p.grad), alpha=std)
        count += 1
        loop.optimizer.step()

    return step


def same(technique: Any, hand: Callable[[Work], Step], nets: tuple[str, ...] = BOTH) -> Cell:
    return Cell(Recipe(technique), hand, nets, same=True)


CELLS = {
    "ASAM": same(ASAM(0.5), asam),
    "AWP": same(AWP(0.01), awp),
    "AdaptiveGradientClipping": same(AdaptiveGradientClipping(0.01), clipping),
    "FriendlySAM": same(FriendlySAM(0.05), friendly_sam),
    "GSAM": same(GSAM(0.2, alpha=0.4), gsam),
    "GatedSAM": same(GatedSAM(0.05, fraction=0.5), gated_sam),
    "GradientNoise": Cell(Recipe(GradientNoise(0.1)), noise, why_not="draws noise"),
    "LookSAM": same(LookSAM(0.05, every=5), look_sam),
    "NormSAM": same(NormSAM(0.5), norm_sam, ("mlp, BatchNorm", "convnet")),
}
