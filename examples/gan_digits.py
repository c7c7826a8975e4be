"""Regularize a GAN in your own loop: python examples/gan_digits.py

A tiny generator learns 8 × 8 digits. The discriminator's session holds R1 and adaptive augmentation (ADA), the
generator's holds the average of its weights (EMA) that is shipped in the end.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F  # noqa: N812

from temperance import EMA, R1, AdaptiveAugmentation, Batch, Recipe

NOISE = 16


def networks() -> tuple[nn.Module, nn.Module]:
    """Return generator and discriminator."""
    generator = nn.Sequential(
        nn.Linear(NOISE, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 64),
        nn.Sigmoid(), nn.Unflatten(1, (1, 8, 8)),
    )  # fmt: skip
    discriminator = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(16, 32, 3, 2, 1), nn.LeakyReLU(0.2),
        nn.Flatten(), nn.Linear(512, 1),
    )  # fmt: skip
    return generator, discriminator


def distance(a: torch.Tensor, b: torch.Tensor) -> float:
    """Return the Fréchet distance of two sets of images in pixel space (lower is better)."""
    (m, s), (n, t) = ((x.mean(0), torch.cov(x.T)) for x in (a.flatten(1).double(), b.flatten(1).double()))
    eigenvalues = torch.linalg.eigvals(s @ t).real.clamp_min(0)
    return ((m - n).square().sum() + s.trace() + t.trace() - 2 * eigenvalues.sqrt().sum()).item()


def main(steps: int = 600, size: int = 64) -> dict[str, float]:
    """Train, print what happened, and return the distances to real digits that training has not seen."""
    torch.manual_seed(0)
    digits = torch.as_tensor(load_digits().images).float().unsqueeze(1) / 16
    real, held_out = digits[:1200], digits[1200:]
    generator, discriminator = networks()
    is_real = torch.cat([torch.ones(size, 1), torch.zeros(size, 1)])

    judge = Recipe(R1(0.1), AdaptiveAugmentation(0.0, kinds=("color",))).attach(
        discriminator, torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.0, 0.99)),
        loss=F.binary_cross_entropy_with_logits,
    )  # fmt: skip
    forger = Recipe(EMA(0.99)).attach(
        generator, torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.0, 0.99)),
        loss=lambda images, _: F.softplus(-discriminator(images)),
    )  # fmt: skip

    before = distance(_draw(generator, len(held_out)), held_out)
    for step in range(1, steps + 1):
        fake = _draw(generator, size)
        images = torch.cat([real[torch.randint(len(real), (size,))], fake])
        judge.optimizer.zero_grad()  # the generator's step left gradients in the discriminator
        judge.loss(Batch(images, is_real)).backward()  # a loop that owns its backward
        judge.update()
        noise = torch.randn(size, NOISE)
        forger.step(Batch(noise, noise))
        if step % 50 == 0:
            _adapt(judge, discriminator, real)
    last = distance(_draw(generator, len(held_out)), held_out)
    strengths = judge.strengths
    judge.finish()
    averaged = distance(_draw(forger.finish(), len(held_out)), held_out)
    print(
        f"distance to unseen digits: {before:.2f} untrained, {last:.2f} last weights, {averaged:.2f} averaged weights"
    )
    p = strengths["adaptive_augmentation.p"]
    print(f"augmentation ended at p = {p:.2f}" + ("" if p else ": the discriminator never over-fitted"))
    return {"before": before, "last": last, "averaged": averaged}


def _adapt(judge, discriminator, real, target: float = 0.6, most: float = 0.05) -> None:  # type: ignore[no-untyped-def]
    """Move p by the sign of the over-fitting that ADA reads: the share of real images judged real, as ±1."""
    with torch.no_grad():
        overfit = discriminator(real[:256]).sign().mean().item()
    p = judge.strengths["adaptive_augmentation.p"] + (most if overfit > target else -most)
    judge.set_strength("adaptive_augmentation.p", min(max(p, 0.0), 0.8))


@torch.no_grad()
def _draw(generator: nn.Module, count: int) -> torch.Tensor:
    return generator(torch.randn(count, NOISE))


if __name__ == "__main__":
    main()
