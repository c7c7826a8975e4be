"""Adversarial training and penalties on slopes, as they are usually written by hand.

The search for worst inputs runs in evaluation mode and takes no slopes by the weights.
"""

from __future__ import annotations

import torch
from benchmarks.step_overhead.work import Cell, Step, Work
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from temperance import (
    R3F,
    TRADES,
    VAT,
    FGSMTraining,
    InputGradientPenalty,
    JacobianPenalty,
    NEFTune,
    PGDTraining,
    Recipe,
)

EPS = 8 / 255
NOISE = "starts from noise"


def inside(moved: Tensor, x: Tensor) -> Tensor:
    """Return the points within EPS of ``x`` and in [0, 1]."""
    return torch.min(torch.max(moved, x - EPS), x + EPS).clamp(0.0, 1.0)


def slope(net: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    x = x.detach().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(net(x), y), x)[0]


def kl(first: Tensor, second: Tensor) -> Tensor:
    return F.kl_div(second, first, reduction="batchmean", log_target=True)


def pgd(work: Work) -> Step:
    net, x, y, optimizer = work.net, work.x, work.y, work.adamw()

    def step() -> None:
        net.eval()
        worst = inside(x + torch.empty_like(x).uniform_(-EPS, EPS), x)
        for _ in range(7):
            worst = inside(worst + 0.25 * EPS * slope(net, worst, y).sign(), x)
        net.train()
        optimizer.zero_grad()
        F.cross_entropy(net(worst), y).backward()
        optimizer.step()

    return step


def fgsm(work: Work) -> Step:
    net, x, y, optimizer = work.net, work.x, work.y, work.adamw()
    count = 0

    def probe(near: Tensor) -> None:
        net.eval()
        worst = near
        for _ in range(10):
            worst = inside(worst + 0.25 * EPS * slope(net, worst, y).sign(), x)
        with torch.no_grad():
            quick, strong = ((net(at).argmax(1) == y).float().mean().item() for at in (near, worst))
        net.train()
        if strong < 0.05 and quick - strong > 0.2:
            print(f"over-fitted to the attack: {quick:.2f} against {strong:.2f}")

    def step() -> None:
        nonlocal count
        net.eval()
        start = inside(x + torch.empty_like(x).uniform_(-EPS, EPS), x)
        near = inside(start + 1.25 * EPS * slope(net, start, y).sign(), x)
        net.train()
        optimizer.zero_grad()
        F.cross_entropy(net(near), y).backward()
        count += 1
        if count % 200 == 0:
            probe(near)
        optimizer.step()

    return step


def trades(work: Work) -> Step:
    net, x, y, optimizer = work.net, work.x, work.y, work.adamw()

    def step() -> None:
        net.eval()
        with torch.no_grad():
            known = F.log_softmax(net(x), 1)
        worst = inside(x + 0.001 * torch.randn_like(x), x)
        for _ in range(10):
            worst.requires_grad_()
            (up,) = torch.autograd.grad(kl(known, F.log_softmax(net(worst), 1)), worst)
            worst = inside(worst.detach() + 0.25 * EPS * up.sign(), x)
        net.train()
        optimizer.zero_grad()
        clean = net(x)
        apart = kl(F.log_softmax(clean, 1), F.log_softmax(net(worst), 1))
        (F.cross_entropy(clean, y) + 6.0 * apart).backward()
        optimizer.step()

    return step


def vat(work: Work) -> Step:
    net, x, y, optimizer = work.net, work.x, work.y, work.adamw()

    def unit(t: Tensor) -> Tensor:
        return F.normalize(t.flatten(1), dim=1).view_as(t)

    def step() -> None:
        net.eval()
        with torch.no_grad():
            known = F.log_softmax(net(x), 1)
        near = (x + 1e-3 * unit(torch.randn_like(x))).requires_grad_()
        (up,) = torch.autograd.grad(kl(known, F.log_softmax(net(near), 1)), near)
        far = x + 1.0 * unit(up)
        net.train()
        optimizer.zero_grad()
        clean = net(x)
        apart = kl(F.log_softmax(clean.detach(), 1), F.log_softmax(net(far), 1))
        (F.cross_entropy(clean, y) + apart).backward()
        optimizer.step()

    return step


def input_gradient(work: Work) -> Step:
    net, y, optimizer = work.net, work.y, work.adamw()

    def step() -> None:
        x = work.x.clone().requires_grad_()
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), y)
        (slopes,) = torch.autograd.grad(loss, x, create_graph=True)
        (loss + 0.1 * len(x) * slopes.square().sum()).backward()
        optimizer.step()

    return step


def jacobian(work: Work) -> Step:
    net, y, optimizer = work.net, work.y, work.adamw()

    def step() -> None:
        x = work.x.clone().requires_grad_()
        optimizer.zero_grad()
        outputs = net(x)
        way = F.normalize(torch.randn_like(outputs), dim=1)
        (slopes,) = torch.autograd.grad(outputs, x, way, create_graph=True)
        size = outputs.shape[1] * slopes.square().sum() / len(x)
        (F.cross_entropy(outputs, y) + 0.01 / 2 * size).backward()
        optimizer.step()

    return step


def neftune(work: Work) -> Step:
    net, x, y, optimizer = work.net, work.x, work.y, work.adamw()

    def step() -> None:
        optimizer.zero_grad()
        vectors = net.words(x)
        size = 5.0 / (vectors.shape[1] * vectors.shape[2]) ** 0.5
        F.cross_entropy(net.rest(vectors + torch.empty_like(vectors).uniform_(-size, size)), y).backward()
        optimizer.step()

    return step


def r3f(work: Work) -> Step:
    net, x, y, optimizer = work.net, work.x, work.y, work.adamw()

    def step() -> None:
        optimizer.zero_grad()
        vectors = net.words(x)
        clean, there = net.rest(vectors), net.rest(vectors + torch.empty_like(vectors).uniform_(-1e-3, 1e-3))
        p, q = F.log_softmax(clean, 1), F.log_softmax(there, 1)
        (F.cross_entropy(clean, y) + kl(p, q) + kl(q, p)).backward()
        optimizer.step()

    return step


CELLS = {
    "FGSMTraining": Cell(Recipe(FGSMTraining(EPS, low=0.0, high=1.0)), fgsm, why_not=NOISE),
    "InputGradientPenalty": Cell(Recipe(InputGradientPenalty(0.1)), input_gradient, same=True),
    "JacobianPenalty": Cell(Recipe(JacobianPenalty(0.01)), jacobian, why_not="draws directions"),
    "NEFTune": Cell(Recipe(NEFTune(5.0)), neftune, ("text",), why_not="draws noise"),
    "PGDTraining": Cell(Recipe(PGDTraining(EPS, low=0.0, high=1.0)), pgd, why_not=NOISE),
    "R3F": Cell(Recipe(R3F(1.0)), r3f, ("text",), why_not="draws noise"),
    "TRADES": Cell(Recipe(TRADES(6.0, eps=EPS, low=0.0, high=1.0)), trades, why_not=NOISE),
    "VAT": Cell(Recipe(VAT(1.0, eps=1.0)), vat, why_not=NOISE),
}
