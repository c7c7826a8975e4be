"""Problems that are no plain training: fine-tuning, with and without adapters, and a generator against a critic."""

from __future__ import annotations

import numpy as np
import torch
from benchmarks.effects.problems import Data, Problem, bundled
from benchmarks.effects.train import fit, score
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from temperance import Recipe
from temperance.core.batch import Batch

FEW, FEWER, MODES = 60, 25, 8


class Adapted(nn.Module):
    """A frozen linear layer with a low-rank adapter that begins at nothing."""

    def __init__(self, base: nn.Linear, rank: int = 8) -> None:
        super().__init__()
        self.base = base.requires_grad_(False)
        self.lora_A = nn.Linear(base.in_features, rank, bias=False)
        self.lora_B = nn.Linear(rank, base.out_features, bias=False)
        nn.init.zeros_(self.lora_B.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) + self.lora_B(self.lora_A(x))  # type: ignore[no-any-return]


def transfer(recipe: Recipe, seed: int, *, adapters: bool) -> dict[str, float]:
    """Learn the digits 0 to 4, then fine-tune on 60 images of 5 to 9; figures on the other images of 5 to 9."""
    x, y = load_digits(return_X_y=True)
    rng = np.random.default_rng(2000 + seed)
    inputs, answers = torch.from_numpy(x / 16.0).float(), torch.from_numpy(y).long()
    first, second = np.flatnonzero(y < 5), rng.permutation(np.flatnonzero(y >= 5))
    train, test = second[:FEW], second[FEW:]
    old = Data(inputs[first], answers[first], inputs[first], answers[first], 5)
    new = Data(inputs[train], answers[train] - 5, inputs[test], answers[test] - 5, 5)
    torch.manual_seed(seed)
    body = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU())
    fit(Recipe(), nn.Sequential(body, nn.Linear(128, 5)), old, 20, seed)
    torch.manual_seed(100 + seed)
    if adapters:
        body = nn.Sequential(Adapted(body[0]), nn.ReLU(), Adapted(body[2]), nn.ReLU())  # type: ignore[arg-type]
    model = fit(recipe, nn.Sequential(body, nn.Linear(128, 5)), new, 60, seed)
    return score(model, Problem("transfer", "", bundled(load_digits), lambda *_: model, noise=0.3), new, seed)


def shifted(recipe: Recipe, seed: int) -> dict[str, float]:
    """Learn 800 digits, then fine-tune on 25 other images that are shifted by a pixel; figures on the rest, shifted."""
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(3000 + seed).permutation(len(x))
    answers = torch.from_numpy(y).long()
    straight = torch.from_numpy(x / 16.0).float()
    moved = torch.roll(straight.view(-1, 8, 8), 1, dims=2).reshape(-1, 64)
    first, train, test = order[:800], order[800 : 800 + FEWER], order[800 + FEWER :]
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10))
    fit(Recipe(), model, Data(straight[first], answers[first], straight[first], answers[first], 10), 20, seed)
    new = Data(moved[train], answers[train], moved[test], answers[test], 10)
    fit(recipe, model, new, 60, seed)
    return score(model, Problem("shifted", "", bundled(load_digits), lambda *_: model, noise=0.3), new, seed)


def ring(many: int, generator: torch.Generator) -> Tensor:
    """Return points of eight narrow Gaussians on a circle, (many, 2)."""
    angle = torch.randint(0, MODES, (many,), generator=generator) * (2 * torch.pi / MODES)
    return torch.stack([angle.cos(), angle.sin()], 1) * 2 + 0.05 * torch.randn(many, 2, generator=generator)


def adversaries(recipe: Recipe, seed: int, *, wasserstein: bool, rounds: int = 1500) -> dict[str, float]:
    """Train a generator of a ring against a critic that has the recipe; figures of 2000 generated points.

    The Wasserstein critic takes five steps to the generator's one, without momentum, as Gulrajani et al. (2017) do.
    """
    torch.manual_seed(seed)
    maker = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    critic = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))

    def loss(out: Tensor, real: Tensor) -> Tensor:
        scores = out.squeeze(1)
        if wasserstein:
            return 2 * torch.where(real > 0.5, -scores, scores)
        return F.binary_cross_entropy_with_logits(scores, real, reduction="none")

    rates = {"lr": 1e-3, "betas": (0.0, 0.9) if wasserstein else (0.5, 0.9)}
    each = 5 if wasserstein else 1
    ours = recipe.attach(
        critic, torch.optim.Adam(critic.parameters(), **rates), loss=loss, seed=seed, steps=rounds * each
    )  # type: ignore[arg-type]
    theirs = torch.optim.Adam(maker.parameters(), **rates)  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(seed)
    labels = torch.cat([torch.ones(64), torch.zeros(64)])
    for _ in range(rounds):
        for _ in range(each):
            with torch.no_grad():
                fake = maker(torch.randn(64, 4, generator=generator))
            ours.step(Batch(torch.cat([ring(64, generator), fake]), labels))
        theirs.zero_grad()
        scores = critic(maker(torch.randn(64, 4, generator=generator))).squeeze(1)
        (-scores.mean() if wasserstein else F.softplus(-scores).mean()).backward()
        theirs.step()
    ours.finish()
    with torch.no_grad():
        made = maker(torch.randn(2000, 4, generator=generator))
    return {"distance": energy_distance(made, ring(2000, generator)), "modes": modes(made)}


def energy_distance(a: Tensor, b: Tensor) -> float:
    """Return 2·E‖a − b‖ − E‖a − a'‖ − E‖b − b'‖, 0 for equal distributions."""
    a, b = a.double(), b.double()
    return float(2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean())


def modes(points: Tensor) -> float:
    """Return how many of the eight Gaussians get at least 1 % of the points within 0.25."""
    angle = torch.arange(MODES) * (2 * torch.pi / MODES)
    near = torch.cdist(points, torch.stack([angle.cos(), angle.sin()], 1) * 2) < 0.25
    return float((near.double().mean(0) >= 0.01).sum())


SPECIAL = {
    "transfer": ("digits 5 to 9, 60 images, net trained on 0 to 4", lambda r, s: transfer(r, s, adapters=False)),
    "shifted": ("digits shifted by a pixel, 25 images, net trained on 800 straight ones", shifted),
    "adapters": (
        "digits 5 to 9, 60 images, adapters on a net trained on 0 to 4",
        lambda r, s: transfer(r, s, adapters=True),
    ),
    "ring": ("a generator of eight Gaussians, non-saturating loss", lambda r, s: adversaries(r, s, wasserstein=False)),
    "ring_wasserstein": (
        "a generator of eight Gaussians, Wasserstein loss",
        lambda r, s: adversaries(r, s, wasserstein=True),
    ),
}
