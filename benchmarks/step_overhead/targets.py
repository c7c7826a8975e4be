"""Losses and targets, as they are usually written by hand. What can share one log-softmax shares it."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from benchmarks.step_overhead.work import Cell, Step, Work
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from temperance import (
    DFT,
    AdaFocal,
    ConfidencePenalty,
    EarlyLearning,
    Focal,
    GeneralizedCrossEntropy,
    KLAnchor,
    MarginSmoothing,
    MaxSup,
    OnlineLabelSmoothing,
    Recipe,
    SelfDistillation,
    SymmetricCrossEntropy,
)  # fmt: skip

Make = Callable[[Work], Step]


def hand(loss: Callable[[Tensor, Tensor], Tensor]) -> Make:
    """Return the maker of a loop with this loss."""

    def make(work: Work) -> Step:
        net, x, y = work.net, work.x, work.y
        optimizer = work.adamw()

        def step() -> None:
            optimizer.zero_grad()
            loss(net(x), y).backward()
            optimizer.step()

        return step

    return make


def confidence_penalty(logits: Tensor, y: Tensor) -> Tensor:
    logs = F.log_softmax(logits, dim=1)
    return F.nll_loss(logs, y) + 0.1 * (logs.exp() * logs).sum(1).mean()


def focal(logits: Tensor, y: Tensor) -> Tensor:
    ce = F.cross_entropy(logits, y, reduction="none")
    return ((1 - torch.exp(-ce)) ** 3.0 * ce).mean()


def dynamic(logits: Tensor, y: Tensor) -> Tensor:
    ce = F.cross_entropy(logits, y, reduction="none")
    return (torch.exp(-ce.detach()) * ce).mean()


def generalized(logits: Tensor, y: Tensor) -> Tensor:
    p = F.softmax(logits, dim=1).gather(1, y[:, None])
    return ((1 - p**0.7) / 0.7).mean()


def margin(logits: Tensor, y: Tensor) -> Tensor:
    lead = logits.amax(1, keepdim=True) - logits
    return F.cross_entropy(logits, y) + 0.1 * F.relu(lead - 0.1).mean()


def max_sup(logits: Tensor, y: Tensor) -> Tensor:
    return F.cross_entropy(logits, y) + 0.1 * (logits.amax(1) - logits.mean(1)).mean()


def symmetric(logits: Tensor, y: Tensor) -> Tensor:
    p = F.softmax(logits, dim=1).gather(1, y[:, None])
    return 0.1 * F.cross_entropy(logits, y) + 4.0 * (1 - p).mean()


def ada_focal(work: Work) -> Step:
    """The exponents of fifteen bins; they move at validations only."""
    net, x, y = work.net, work.x, work.y
    optimizer = work.adamw()
    gammas, edges = torch.ones(15), torch.arange(1, 15) / 15

    def step() -> None:
        optimizer.zero_grad()
        ce = F.cross_entropy(net(x), y, reduction="none")
        p = torch.exp(-ce)
        gamma = gammas[torch.bucketize(p.detach(), edges, right=True)]
        base = torch.where(gamma >= 0, 1 - p, 1 + p)
        (base ** gamma.abs() * ce).mean().backward()
        optimizer.step()

    return step


def early_learning(work: Work) -> Step:
    """A table of what was said about each row."""
    net, x, y, index = work.net, work.x, work.y, work.index
    optimizer = work.adamw()
    table = torch.zeros(len(x), 10)

    def step() -> None:
        optimizer.zero_grad()
        logits = net(x)
        p = F.softmax(logits, dim=1).clamp(1e-4, 1 - 1e-4)
        said = p.detach()
        target = 0.7 * table[index] + 0.3 * said / said.sum(1, keepdim=True)
        table[index] = target
        (F.cross_entropy(logits, y) + 3.0 * torch.log(1 - (target * p).sum(1)).mean()).backward()
        optimizer.step()

    return step


def online_smoothing(work: Work) -> Step:
    """A matrix of soft labels, and the one that the right answers of this epoch will make."""
    net, x, y = work.net, work.x, work.y
    optimizer = work.adamw()
    eye = torch.eye(10)
    matrix = eye * 0.9 + (1 - eye) * (0.1 / 9)
    sums, counts = torch.zeros(10, 10), torch.zeros(10)
    done = 0

    def step() -> None:
        nonlocal matrix, done
        optimizer.zero_grad()
        logits = net(x)
        logs = F.log_softmax(logits, dim=1)
        soft = -(matrix[y] * logs).sum(1).mean()
        with torch.no_grad():
            right = logits.argmax(1) == y
            sums.index_add_(0, y[right], logs[right].exp())
            counts.index_add_(0, y[right], torch.ones(int(right.sum())))
        (0.5 * F.nll_loss(logs, y) + 0.5 * soft).backward()
        optimizer.step()
        done += 1
        if done % 100 == 0:
            seen = counts[:, None]
            matrix = torch.where(seen > 0, sums / seen.clamp_min(1), eye * 0.9 + (1 - eye) * (0.1 / 9))
            sums.zero_()
            counts.zero_()

    return step


def teacher(work: Work) -> Step:
    """A mean teacher: a second net follows the first and answers the same batch."""
    net, x, y = work.net, work.x, work.y
    optimizer = work.adamw()
    mean = copy.deepcopy(net)

    def step() -> None:
        optimizer.zero_grad()
        logs = F.log_softmax(net(x), dim=1)
        with torch.no_grad():
            said = F.softmax(mean(x), dim=1)
        (0.5 * F.nll_loss(logs, y) - 0.5 * (said * logs).sum(1).mean()).backward()
        optimizer.step()
        with torch.no_grad():
            for p, q in zip(net.parameters(), mean.parameters(), strict=True):
                q.lerp_(p, 0.01)

    return step


def anchor(work: Work) -> Step:
    """A copy of the net answers the same batch; its BatchNorm goes by the batch, as the net's does."""
    net, x, y = work.net, work.x, work.y
    optimizer = work.adamw()
    start = copy.deepcopy(net)
    for layer in start.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 0.0

    def step() -> None:
        optimizer.zero_grad()
        logits = net(x)
        with torch.no_grad():
            p = F.log_softmax(start(x), dim=1)
        kl = F.kl_div(F.log_softmax(logits, dim=1), p, reduction="batchmean", log_target=True)
        (F.cross_entropy(logits, y) + 0.5 * kl).backward()
        optimizer.step()

    return step


CELLS = {
    "AdaFocal": Cell(Recipe(AdaFocal()), ada_focal, same=True),
    "ConfidencePenalty": Cell(Recipe(ConfidencePenalty(0.1)), hand(confidence_penalty), same=True),
    "DFT": Cell(Recipe(DFT()), hand(dynamic), same=True),
    "EarlyLearning": Cell(Recipe(EarlyLearning(3.0, decay=0.7)), early_learning, same=True),
    "Focal": Cell(Recipe(Focal(3.0)), hand(focal), same=True),
    "GeneralizedCrossEntropy": Cell(Recipe(GeneralizedCrossEntropy(0.7)), hand(generalized), same=True),
    "KLAnchor": Cell(Recipe(KLAnchor(0.5)), anchor, same=True),
    "MarginSmoothing": Cell(Recipe(MarginSmoothing(0.1, margin=0.1)), hand(margin), same=True),
    "MaxSup": Cell(Recipe(MaxSup(0.1)), hand(max_sup), same=True),
    "OnlineLabelSmoothing": Cell(Recipe(OnlineLabelSmoothing(0.5, eps=0.1)), online_smoothing, same=True),
    "SelfDistillation": Cell(Recipe(SelfDistillation(share=0.5, decay=0.99)), teacher, same=True),
    "SymmetricCrossEntropy": Cell(Recipe(SymmetricCrossEntropy(0.1, beta=1.0, floor=-4.0)), hand(symmetric), same=True),
}
