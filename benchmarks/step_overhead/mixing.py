"""Augmentation and mixing, as they are usually written in plain torch: masks, index_select, affine_grid."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from benchmarks.step_overhead.work import Cell, Step, Work, squared
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from temperance import (
    AdaptiveAugmentation,
    AugMix,
    CMixUp,
    CutMix,
    Cutout,
    ManifoldMixUp,
    RandomColor,
    RandomCrop,
    RandomFlip,
    Recipe,
    RegMixUp,
    TabularCorruption,
    TokenDropout,
    TrivialAugment,
)

NOISE = "draws noise"
PICTURES = ("convnet",)


def augmented(change: Callable[[Tensor], Tensor]) -> Callable[[Work], Step]:
    """Return the maker of a plain loop on changed inputs."""

    def make(work: Work) -> Step:
        net, x, y = work.net, work.x, work.y
        optimizer = work.adamw()

        def step() -> None:
            optimizer.zero_grad()
            F.cross_entropy(net(change(x)), y).backward()
            optimizer.step()

        return step

    return make


def flip(x: Tensor) -> Tensor:
    return torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, x.flip(-1), x)


def recolor(x: Tensor, p: float = 0.8) -> Tensor:
    b, c = x.shape[:2]
    order = torch.rand(b, c).argsort(1)
    mixed = x.gather(1, order[:, :, None, None].expand_as(x))
    mean = mixed.mean((2, 3), keepdim=True)
    sign = torch.randint(2, (b, c, 1, 1)) * 2 - 1
    return torch.where(torch.rand(b, 1, 1, 1) < p, mean + sign * (mixed - mean), x)


def crop(x: Tensor, margin: int = 2) -> Tensor:
    b, _, h, w = x.shape
    windows = F.pad(x, [margin] * 4).unfold(2, h, 1).unfold(3, w, 1)
    top, left = torch.randint(2 * margin + 1, (2, b))
    return windows[torch.arange(b), :, top, left]


def cutout(x: Tensor, size: int = 8) -> Tensor:
    b, _, h, w = x.shape
    top, left = torch.randint(h, (b, 1)) - size // 2, torch.randint(w, (b, 1)) - size // 2
    rows, columns = torch.arange(h), torch.arange(w)
    tall, wide = (rows >= top) & (rows < top + size), (columns >= left) & (columns < left + size)
    return x.masked_fill((tall[:, :, None] & wide[:, None, :])[:, None], 0.0)


def corrupt(x: Tensor, rate: float = 0.2) -> Tensor:
    return torch.where(torch.rand_like(x) < rate, x.gather(0, torch.randint(len(x), x.shape)), x)


def ada(x: Tensor, p: float = 0.5) -> Tensor:
    """Scale, turn, stretch and shift as one affine map, then brightness and contrast."""
    b, size = len(x), x.shape[-1]
    hit, n = torch.rand(4, b) < p, torch.randn(4, b)
    turned = torch.rand(b) < 1 - math.sqrt(1 - p)
    scale = torch.where(hit[0], torch.exp2(-0.2 * n[0]), 1.0)
    angle = torch.where(turned, (2 * torch.rand(b) - 1) * math.pi, 0.0)
    stretch = torch.where(hit[2], torch.exp2(-0.2 * n[1]), 1.0)
    across, down = torch.where(hit[3], n[2:] * (2 / size) * (size / 8), 0.0)
    cos, sin = scale * torch.cos(angle), scale * torch.sin(angle)
    linear = torch.stack([cos * stretch, -sin / stretch, sin * stretch, cos / stretch], 1).view(b, 2, 2)
    theta = torch.cat([linear, linear @ torch.stack([across, down], 1)[:, :, None]], 2)
    x = moved(x, theta)
    lit, m = torch.rand(2, b, 1, 1, 1) < p, torch.randn(2, b, 1, 1, 1)
    x = x + torch.where(lit[0], 0.2 * m[0], 0.0) * (x.max() - x.min())
    mean = x.mean((1, 2, 3), keepdim=True)
    return mean + torch.where(lit[1], torch.exp2(0.5 * m[1]), 1.0) * (x - mean)


# -- TrivialAugment and AugMix: each image its own operation; an operation runs on the images that drew it ------------

TRIVIAL = (
    "identity", "shear_x", "shear_y", "translate_x", "translate_y", "rotate", "posterize", "solarize", "autocontrast",
    "equalize", "brightness", "contrast", "color", "sharpness",
)  # fmt: skip
AUGMIX = ("shear_x", "shear_y", "posterize", "solarize", "autocontrast", "equalize")
BLUR = torch.tensor([[1.0, 1.0, 1.0], [1.0, 5.0, 1.0], [1.0, 1.0, 1.0]]) / 13
PLACE = {"shear_x": (0, 1), "shear_y": (1, 0), "translate_x": (0, 2), "translate_y": (1, 2)}


def moved(x: Tensor, theta: Tensor) -> Tensor:
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, align_corners=False)


def geometric(x: Tensor, name: str, size: Tensor) -> Tensor:
    theta = torch.eye(2, 3).repeat(len(x), 1, 1)
    if name == "rotate":
        theta[:, 0, 0] = theta[:, 1, 1] = torch.cos(size)
        theta[:, 1, 0] = torch.sin(size)
        theta[:, 0, 1] = -theta[:, 1, 0]
    else:
        theta[:, PLACE[name][0], PLACE[name][1]] = size
    return moved(x, theta)


def equalized(x: Tensor) -> Tensor:
    flat = x.flatten(2)
    rank = torch.searchsorted(flat.sort(-1).values, flat, right=True).float()
    low = rank.amin(-1, keepdim=True)
    return ((rank - low) / (flat.shape[-1] - low).clamp(min=1)).view_as(x)


def stretched(x: Tensor) -> Tensor:
    low, high = x.amin((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)
    return torch.where(high > low, (x - low) / (high - low), x)


def grey(x: Tensor) -> Tensor:
    if x.shape[1] == 1:
        return x
    return (x * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)


def base(x: Tensor, name: str) -> Tensor:
    if name == "brightness":
        return torch.zeros_like(x)
    if name == "contrast":
        return grey(x).mean((2, 3), keepdim=True)
    if name == "color":
        return grey(x)
    kernel = BLUR.expand(x.shape[1], 1, 3, 3)
    return F.conv2d(F.pad(x, [1] * 4, mode="replicate"), kernel, groups=x.shape[1])


def operate(x: Tensor, name: str, amount: Tensor, sign: Tensor, reach: dict[str, float]) -> Tensor:
    """Return the images after one operation; amount and sign are (n,)."""
    if name in reach:
        return geometric(x, name, sign * amount * reach[name])
    if name == "autocontrast":
        return stretched(x)
    if name == "equalize":
        return equalized(x)
    each = amount.view(-1, 1, 1, 1)
    if name == "posterize":
        step = torch.exp2(torch.round(each * (8 - reach["bits"])))
        return torch.floor(x * 255 / step) * step / 255
    if name == "solarize":
        return torch.where(x >= 1 - each, 1 - x, x)
    other = base(x, name)
    return (other + (1 + 0.99 * sign.view(-1, 1, 1, 1) * each) * (x - other)).clamp(0, 1)


def operated(x: Tensor, names: tuple[str, ...], amount: Tensor, reach: dict[str, float], todo: Tensor) -> Tensor:
    """Return the images, each after an operation of its own, where ``todo``."""
    which = torch.randint(len(names), (len(x),)).masked_fill(~todo, -1)
    sign = torch.randint(2, (len(x),)) * 2.0 - 1
    out = x.clone()
    for i, name in enumerate(names):
        if name != "identity":
            rows = (which == i).nonzero().squeeze(1)
            if len(rows):
                out[rows] = operate(x[rows], name, amount[rows], sign[rows], reach)
    return out


WIDE = {"shear_x": 0.99, "shear_y": 0.99, "translate_x": 2.0, "translate_y": 2.0, "rotate": math.radians(135)}
MILD = {"shear_x": 0.3, "shear_y": 0.3, "bits": 4.0}


def trivial(x: Tensor) -> Tensor:
    amount = torch.randint(31, (len(x),)) / 30
    return operated(x, TRIVIAL, amount, {**WIDE, "bits": 2.0}, torch.ones(len(x), dtype=torch.bool))


def mixed_chains(x: Tensor, width: int = 3, depth: int = 3, severity: float = 3.0) -> Tensor:
    """Return one augmented view of AugMix; the chains run as one larger batch."""
    b = len(x)
    share = torch.distributions.Dirichlet(torch.ones(width)).sample((b,)).T.reshape(width, b, 1, 1, 1)
    chains, length = x.repeat(width, 1, 1, 1), torch.randint(1, depth + 1, (width * b,))
    for i in range(depth):
        amount = (0.1 + torch.rand(width * b) * (severity - 0.1)) / 10
        chains = operated(chains, AUGMIX, amount, MILD, i < length)
    mix = torch.rand(b, 1, 1, 1)
    return (1 - mix) * x + mix * (share * chains.view(width, *x.shape)).sum(0)


def augmix(work: Work) -> Step:
    net, x, y = work.net, work.x, work.y
    optimizer = work.adamw()

    def step() -> None:
        optimizer.zero_grad()
        outputs = net(x), net(mixed_chains(x)), net(mixed_chains(x))
        p = [F.softmax(out, 1) for out in outputs]
        middle = ((p[0] + p[1] + p[2]) / 3).clamp(1e-7, 1).log()
        apart = sum(F.kl_div(middle, one, reduction="batchmean") for one in p) / 3
        (F.cross_entropy(outputs[0], y) + 12 * apart).backward()
        optimizer.step()

    return step


# -- mixing: two answers --------------------------------------------------------------------------------------------


def cutmix(work: Work) -> Step:
    net, x, y = work.net, work.x, work.y
    optimizer, rng = work.adamw(), np.random.default_rng(0)
    h, w = x.shape[2:]

    def step() -> None:
        lam = rng.beta(1.0, 1.0)
        tall, wide = int(h * math.sqrt(1 - lam) / 2), int(w * math.sqrt(1 - lam) / 2)
        row, column = int(rng.integers(h)), int(rng.integers(w))
        top, bottom = max(row - tall, 0), min(row + tall, h)
        left, right = max(column - wide, 0), min(column + wide, w)
        order = torch.randperm(len(x))
        inputs = x.clone()
        inputs[:, :, top:bottom, left:right] = x[order, :, top:bottom, left:right]
        lam = 1 - (bottom - top) * (right - left) / (h * w)
        optimizer.zero_grad()
        out = net(inputs)
        (lam * F.cross_entropy(out, y) + (1 - lam) * F.cross_entropy(out, y[order])).backward()
        optimizer.step()

    return step


def cmixup(work: Work) -> Step:
    net, x, y = work.net, work.x, work.y
    optimizer, rng = work.adamw(), np.random.default_rng(0)

    def step() -> None:
        near = torch.exp(-((y[:, None] - y[None]) ** 2) / 2)
        order = torch.multinomial(near, 1).squeeze(1)
        lam = rng.beta(2.0, 2.0)
        inputs, targets = lam * x + (1 - lam) * x[order], lam * y + (1 - lam) * y[order]
        optimizer.zero_grad()
        F.mse_loss(net(inputs).squeeze(1), targets).backward()
        optimizer.step()

    return step


def manifold(work: Work) -> Step:
    net, x, y = work.net, work.x, work.y
    optimizer, rng = work.adamw(), np.random.default_rng(0)
    layers = list(net.children())
    places = [-1, *(i for i, layer in enumerate(layers) if isinstance(layer, torch.nn.ReLU))]

    def step() -> None:
        lam, place = rng.beta(2.0, 2.0), places[rng.integers(len(places))]
        order = torch.randperm(len(x))
        h = lam * x + (1 - lam) * x[order] if place == -1 else x
        for i, layer in enumerate(layers):
            h = layer(h)
            if i == place:
                h = lam * h + (1 - lam) * h[order]
        optimizer.zero_grad()
        (lam * F.cross_entropy(h, y) + (1 - lam) * F.cross_entropy(h, y[order])).backward()
        optimizer.step()

    return step


def regmixup(work: Work) -> Step:
    net, x, y = work.net, work.x, work.y
    optimizer, rng = work.adamw(), np.random.default_rng(0)

    def step() -> None:
        lam, order = rng.beta(20.0, 20.0), torch.randperm(len(x))
        optimizer.zero_grad()
        clean, mixed = net(x), net(lam * x + (1 - lam) * x[order])
        loss = F.cross_entropy(clean, y)
        loss = loss + lam * F.cross_entropy(mixed, y) + (1 - lam) * F.cross_entropy(mixed, y[order])
        loss.backward()
        optimizer.step()

    return step


def token_dropout(work: Work) -> Step:
    net, x, y, optimizer = work.net, work.x, work.y, work.adamw()

    def step() -> None:
        optimizer.zero_grad()
        shown = torch.where(torch.rand(x.shape) < 0.1, 3, x)
        F.cross_entropy(net(shown), y).backward()
        optimizer.step()

    return step


CELLS = {
    "AdaptiveAugmentation": Cell(Recipe(AdaptiveAugmentation(0.5)), augmented(ada), PICTURES, why_not=NOISE),
    "AugMix": Cell(Recipe(AugMix(12.0)), augmix, PICTURES, why_not=NOISE),
    "CMixUp": Cell(Recipe(CMixUp(2.0)), cmixup, ("regression",), squared, why_not=NOISE),
    "CutMix": Cell(Recipe(CutMix(1.0)), cutmix, PICTURES, why_not=NOISE),
    "Cutout": Cell(Recipe(Cutout(0.5)), augmented(cutout), PICTURES, why_not=NOISE),
    "ManifoldMixUp": Cell(Recipe(ManifoldMixUp(2.0)), manifold, why_not=NOISE),
    "RandomColor": Cell(Recipe(RandomColor(0.8)), augmented(recolor), PICTURES, why_not=NOISE),
    "RandomCrop": Cell(Recipe(RandomCrop(0.125)), augmented(crop), PICTURES, why_not=NOISE),
    "RandomFlip": Cell(Recipe(RandomFlip(0.5)), augmented(flip), PICTURES, why_not=NOISE),
    "RegMixUp": Cell(Recipe(RegMixUp(1.0)), regmixup, why_not=NOISE),
    "TabularCorruption": Cell(Recipe(TabularCorruption(0.2)), augmented(corrupt), ("mlp",), why_not=NOISE),
    "TokenDropout": Cell(Recipe(TokenDropout(0.1, fill=3)), token_dropout, ("text",), why_not=NOISE),
    "TrivialAugment": Cell(Recipe(TrivialAugment(1.0)), augmented(trivial), PICTURES, why_not=NOISE),
}
