"""Techniques that act on the weights, as they are usually written by hand."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from benchmarks.step_overhead.work import BOTH, Cell, Step, Work
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.nn.utils.parametrizations import spectral_norm

from temperance import (
    AWD,
    CPR,
    L2SP,
    CautiousDecay,
    CorrectedDecay,
    ElasticNet,
    FixedNorm,
    GroupLasso,
    MaxNorm,
    NormControl,
    Orthogonality,
    Recipe,
    SelectiveProjectionDecay,
    SpectralNorm,
    StableDecay,
)

HEAD = "[48].*"  # the last layer of both nets


def matrices(work: Work) -> list[nn.Parameter]:
    return [p for p in work.params if p.dim() > 1]


def nothing(lr: float) -> None:
    pass


def loop(
    work: Work,
    *,
    penalty: Callable[[], Tensor] | None = None,
    before: Callable[[float], None] = nothing,
    after: Callable[[float], None] = nothing,
) -> Step:
    """Return the plain step with something before or after the optimizer's, or with more in the loss."""
    net, x, y = work.net, work.x, work.y
    optimizer = work.adamw()

    def step() -> None:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), y)
        if penalty is not None:
            loss = loss + penalty()
        loss.backward()
        lr = optimizer.param_groups[0]["lr"]
        with torch.no_grad():
            before(lr)
            optimizer.step()
            after(lr)

    return step


def cpr(work: Work) -> Step:
    """A multiplier for each matrix; the bound is 0.8 of its first squared norm."""
    rows = [[p, 0.8 * p.detach().square().sum(), torch.zeros(())] for p in matrices(work)]

    def after(lr: float) -> None:
        for row in rows:
            p, bound, push = row
            row[2] = push = (push + (p.square().sum() - bound) / p.numel()).clamp(min=0)
            p.mul_(1 - 2 * push)

    return loop(work, after=after)


def cpr_inflection(work: Work) -> Step:
    """The bound is the squared norm at the first slowing down of its smoothed growth, looked at every ten steps."""
    rows = [{"p": p, "push": torch.zeros(()), "bound": None, "seen": []} for p in matrices(work)]
    count = 0

    def look(row: dict) -> None:
        size, seen = float(row["p"].square().sum()), row["seen"]
        seen.append(size if not seen else 0.9 * seen[-1] + 0.1 * size)
        if len(seen) > 2 and seen[-1] - seen[-2] < seen[-2] - seen[-3]:
            row["bound"] = size

    def after(lr: float) -> None:
        nonlocal count
        count += 1
        for row in rows:
            p, bound = row["p"], row["bound"]
            if bound is not None:
                row["push"] = (row["push"] + (p.square().sum() - bound) / p.numel()).clamp(min=0)
                p.mul_(1 - 2 * row["push"])
            elif count % 10 == 0:
                look(row)

    return loop(work, after=after)


def awd(work: Work) -> Step:
    decayed = matrices(work)
    ratio = torch.zeros(())

    def before(lr: float) -> None:
        nonlocal ratio
        slope = nn.utils.get_total_norm([p.grad for p in decayed])
        ratio = 0.1 * ratio + 0.9 * slope / nn.utils.get_total_norm(decayed)
        keep = 1 - (lr * 1.0 * ratio).clamp(max=0.1)
        for p in decayed:
            p.mul_(keep)

    return loop(work, before=before)


def cautious(work: Work) -> Step:
    decayed = matrices(work)
    old: list[Tensor] = []

    def before(lr: float) -> None:
        old[:] = [p.clone() for p in decayed]

    def after(lr: float) -> None:
        for p, w in zip(decayed, old, strict=True):
            p.sub_(lr * 1.0 * w * ((w - p) * w >= 0))

    return loop(work, before=before, after=after)


def corrected(work: Work) -> Step:
    *hidden, last = matrices(work)
    peak = 0.0

    def before(lr: float) -> None:
        nonlocal peak
        peak = max(peak, lr)
        for p in hidden:
            p.mul_(1 - lr * 1.0 * lr / peak)
        last.mul_(1 - lr * 1.0)

    return loop(work, before=before)


def fixed(work: Work) -> Step:
    rows = [(p, p.detach().norm()) for p in matrices(work)]

    def after(lr: float) -> None:
        for p, start in rows:
            p.mul_(start / p.norm())

    return loop(work, after=after)


def controlled(work: Work) -> Step:
    rows = [(p, 0.5 * p.detach().norm()) for p in matrices(work)]

    def before(lr: float) -> None:
        for p, target in rows:
            p.mul_(1 - (lr * 1.0 * (1 - target / p.norm())).clamp(-0.1, 0.1))

    return loop(work, before=before)


def stable(work: Work) -> Step:
    params, decayed = work.params, matrices(work)
    count = sum(p.numel() for p in params)
    moment, steps = torch.zeros(()), 0

    def before(lr: float) -> None:
        nonlocal moment, steps
        steps += 1
        square = nn.utils.get_total_norm([p.grad for p in params]) ** 2 / count
        moment = 0.999 * moment + 0.001 * square
        pace = (moment / (1 - 0.999**steps)).sqrt()
        keep = 1 - (lr * 5e-4 / pace).clamp(max=0.1)
        for p in decayed:
            p.mul_(keep)

    return loop(work, before=before)


def elastic(work: Work) -> Step:
    punished = matrices(work)
    return loop(work, penalty=lambda: 1e-3 * sum(0.5 * p.abs().sum() + 0.25 * p.square().sum() for p in punished))


def lasso(work: Work) -> Step:
    """Shrink the weights of each input together, by a proximal step."""
    rows = [(p, [a for a in range(p.dim()) if a != 1], (p.numel() / p.shape[1]) ** 0.5) for p in matrices(work)]

    def after(lr: float) -> None:
        for p, others, root in rows:
            norm = torch.linalg.vector_norm(p, dim=others, keepdim=True)
            p.mul_((1 - lr * 1.0 * root / norm.clamp(min=1e-12)).clamp(min=0))

    return loop(work, after=after)


def max_norm(work: Work) -> Step:
    bounded = matrices(work)

    def after(lr: float) -> None:
        for p in bounded:
            p.renorm_(p=2, dim=0, maxnorm=0.5)

    return loop(work, after=after)


def orthogonal(work: Work) -> Step:
    punished = matrices(work)
    sizes = [min(p.flatten(1).shape) for p in punished]
    ones = [torch.eye(size) for size in sizes]

    def penalty() -> Tensor:
        total = torch.zeros(())
        for p, one in zip(punished, ones, strict=True):
            w = p.flatten(1)
            gram = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
            total = total + (gram - one).square().sum()
        return 1e-2 * total

    return loop(work, penalty=penalty)


def spectral(work: Work) -> Step:
    for layer in work.net:
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            spectral_norm(layer)
    return loop(work)


def l2_sp(work: Work) -> Step:
    """Hold the old weights near the start, decay those of the new last layer."""
    start = copy.deepcopy(work.net)
    last = list(work.net)[-1]
    norms = [m for m in work.net if isinstance(m, nn.BatchNorm2d)]
    left = {id(p) for m in (*norms, last) for p in m.parameters()}
    pairs = zip(work.params, start.parameters(), strict=True)
    rows = [(p, w.detach()) for p, w in pairs if id(p) not in left]
    fresh = list(last.parameters())

    def before(lr: float) -> None:
        for p, w in rows:
            p.lerp_(w, lr * 10.0)
        for p in fresh:
            p.mul_(1 - lr * 1.0)

    return loop(work, before=before)


def projected(work: Work) -> Step:
    """Look at each tensor, step, then pull back those that run away though their gradient wants back."""
    rows = [(p, p.detach().clone()) for p in work.params]
    wanted: list[tuple[Tensor, Tensor, Tensor]] = []

    def before(lr: float) -> None:
        wanted.clear()
        for p, start in rows:
            away = p - start
            if (p.grad * away).sum() > 0:
                wanted.append((p, start, away.norm()))

    def after(lr: float) -> None:
        for p, start, old in wanted:
            away = p - start
            now = away.norm()
            p.sub_(away * ((now - old) / now).clamp(0, 1))

    return loop(work, before=before, after=after)


CELLS = {
    "CPR": Cell(Recipe(CPR(0.8, rule="dependent")), cpr, same=True),
    "CPR, inflection point": Cell(Recipe(CPR()), cpr_inflection, same=True, steps=120),
    "AWD": Cell(Recipe(AWD(1.0)), awd, same=True),
    "CautiousDecay": Cell(Recipe(CautiousDecay(1.0)), cautious, same=True),
    "CorrectedDecay": Cell(Recipe(CorrectedDecay(1.0)), corrected, same=True),
    "FixedNorm": Cell(Recipe(FixedNorm()), fixed, same=True),
    "NormControl": Cell(Recipe(NormControl(1.0, target=0.5)), controlled, same=True),
    "StableDecay": Cell(Recipe(StableDecay(5e-4)), stable, same=True),
    "ElasticNet": Cell(Recipe(ElasticNet(1e-3)), elastic, same=True),
    "GroupLasso": Cell(Recipe(GroupLasso(1.0)), lasso, same=True),
    "MaxNorm": Cell(Recipe(MaxNorm(0.5)), max_norm, same=True),
    "Orthogonality": Cell(Recipe(Orthogonality(1e-2)), orthogonal, same=True),
    "SpectralNorm": Cell(
        Recipe(SpectralNorm()), spectral, BOTH, why_not="both start from a random vector of their own"
    ),
    "L2SP": Cell(Recipe(L2SP(10.0, new=HEAD, share=0.1)), l2_sp, same=True),
    "SelectiveProjectionDecay": Cell(Recipe(SelectiveProjectionDecay(1.0)), projected, same=True, steps=120),
}
