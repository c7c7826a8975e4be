"""The empty recipe, the twelve first techniques and five of them together, as they are usually written by hand."""

from __future__ import annotations

import numpy as np
import torch
from benchmarks.step_overhead.work import Cell, Step, Work
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from temperance import (
    EMA,
    L1,
    L2,
    SAM,
    SWA,
    Dropout,
    FeatureNoise,
    GradientClipping,
    LabelSmoothing,
    MixUp,
    Recipe,
    StochasticDepth,
    WeightDecay,
)  # fmt: skip

DROPOUT_NETS = ("mlp, dropout layers", "convnet, dropout layers")
NOISE = "draws noise"


class HandSAM:
    """Two passes as they are usually written: copy the weights, climb, come back, step."""

    def __init__(self, params: list[nn.Parameter], rho: float) -> None:
        self.params, self.rho = params, rho
        self.old: dict[nn.Parameter, Tensor] = {}

    @torch.no_grad()
    def first(self) -> None:
        norm = torch.norm(torch.stack([p.grad.norm(p=2) for p in self.params]), p=2)
        scale = self.rho / (norm + 1e-12)
        for p in self.params:
            self.old[p] = p.data.clone()
            p.add_(p.grad * scale)

    @torch.no_grad()
    def back(self) -> None:
        for p in self.params:
            p.data = self.old[p]


def hand(*on: str):
    """Return the maker of a loop with these techniques written out."""

    def make(work: Work) -> Step:
        net, x, y, params = work.net, work.x, work.y, work.params
        optimizer = work.adamw(weight_decay=1e-2 if "decay" in on else 0.0)
        smoothing = 0.1 if "smoothing" in on else 0.0
        average = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.99)) if "ema" in on else None
        sam = HandSAM(params, 0.05) if "sam" in on else None
        rng = np.random.default_rng(0)
        mixed = "mixup" in on

        def step() -> None:
            if mixed:
                lam = float(rng.beta(0.2, 0.2))
                order = torch.randperm(len(x))
                inputs, other = lam * x + (1 - lam) * x[order], y[order]
            elif "noise" in on:
                inputs = x + 0.1 * torch.randn_like(x)
            else:
                inputs = x

            def loss() -> Tensor:
                out = net(inputs)
                if mixed:
                    return lam * F.cross_entropy(out, y) + (1 - lam) * F.cross_entropy(out, other)
                value = F.cross_entropy(out, y, label_smoothing=smoothing)
                if "l1" in on:
                    value = value + 1e-4 * sum(p.abs().sum() for p in params if p.dim() > 1)
                if "l2" in on:
                    value = value + 0.5e-4 * sum(p.square().sum() for p in params if p.dim() > 1)
                return value

            optimizer.zero_grad()
            loss().backward()
            if sam is not None:
                sam.first()
                optimizer.zero_grad()
                loss().backward()
                sam.back()
            if "clipping" in on:
                nn.utils.clip_grad_norm_(params, 1.0)
            optimizer.step()
            if average is not None:
                average.update_parameters(net)

        return step

    return make


def swa(work: Work) -> Step:
    """Average from the first step on, as the session's cell does."""
    net, x, y = work.net, work.x, work.y
    optimizer, average = work.adamw(), AveragedModel(net)

    def step() -> None:
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimizer.step()
        average.update_parameters(net)

    return step


def depth(work: Work) -> Step:
    """Drop the branch for each example, the rest scaled up."""
    net, x, y = work.net, work.x, work.y
    optimizer = work.adamw()
    block = net[2]

    def forward(h: Tensor) -> Tensor:
        keep = (torch.rand(len(h), 1) < 0.9).to(h.dtype) / 0.9
        return h + block.branch(h) * keep

    block.forward = forward

    def step() -> None:
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimizer.step()

    return step


CELLS = {
    "nothing": Cell(Recipe(), hand(), same=True),
    "Dropout": Cell(Recipe(Dropout(0.1)), hand(), DROPOUT_NETS, why_not=NOISE),
    "MixUp": Cell(Recipe(MixUp(0.2)), hand("mixup"), why_not=NOISE),
    "SAM": Cell(Recipe(SAM(0.05)), hand("sam"), ("mlp", "convnet"), why_not="the twin lets BatchNorm see both passes"),
    "WeightDecay": Cell(Recipe(WeightDecay(1e-2, policy="all")), hand("decay"), same=True),
    "EMA": Cell(Recipe(EMA(0.99)), hand("ema"), same=True),
    "LabelSmoothing": Cell(Recipe(LabelSmoothing(0.1)), hand("smoothing"), same=True),
    "GradientClipping": Cell(Recipe(GradientClipping(1.0)), hand("clipping"), same=True),
    "FeatureNoise": Cell(Recipe(FeatureNoise(0.1)), hand("noise"), ("mlp",), why_not=NOISE),
    "L1": Cell(Recipe(L1(1e-4)), hand("l1"), same=True),
    "L2": Cell(Recipe(L2(1e-4)), hand("l2"), same=True),
    "SWA": Cell(Recipe(SWA(tail=1.0, every=1)), swa, same=True),
    "StochasticDepth": Cell(
        Recipe(StochasticDepth(0.1, at="*.branch")), depth, ("mlp, residual branch",), why_not=NOISE
    ),
    "five": Cell(
        Recipe(Dropout(0.1), MixUp(0.2), SAM(0.05), WeightDecay(1e-2, policy="all"), EMA(0.99)),
        hand("mixup", "sam", "decay", "ema"),
        DROPOUT_NETS,
        why_not=NOISE,
    ),
}
