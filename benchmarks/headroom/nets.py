"""The single nets: an MLP, a small convnet, a small transformer."""

from __future__ import annotations

import torch
from benchmarks.effects.problems import mlp
from benchmarks.headroom.cells import Family, Rows
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from temperance.training.settings import TrainSettings

WIDE, HEADS, HIDDEN = 32, 4, 128


class Block(nn.Module):
    """One layer of a transformer: attention and an MLP, each after a norm and added to what came in."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.norm2 = nn.LayerNorm(WIDE), nn.LayerNorm(WIDE)
        self.mixed, self.out = nn.Linear(WIDE, 3 * WIDE), nn.Linear(WIDE, WIDE)
        self.inner = nn.Sequential(
            nn.Linear(WIDE, 2 * WIDE), nn.ReLU(), nn.Dropout(0.0), nn.Linear(2 * WIDE, WIDE), nn.Dropout(0.0)
        )

    def forward(self, x: Tensor) -> Tensor:
        b, n, _ = x.shape
        q, k, v = self.mixed(self.norm(x)).view(b, n, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        x = x + self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, WIDE))
        return x + self.inner(self.norm2(x))


class Transformer(nn.Module):
    """(b, n, f) → two layers, mean over places → (b, c)."""

    def __init__(self, x: Tensor, outputs: int) -> None:
        super().__init__()
        self.enter = nn.Linear(x.shape[2], WIDE)
        self.place = nn.Parameter(0.02 * torch.randn(x.shape[1], WIDE))
        self.blocks = nn.Sequential(Block(), Block(), nn.LayerNorm(WIDE))
        self.leave = nn.Linear(WIDE, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.leave(self.blocks(self.enter(x) + self.place).mean(1))


def convnet(x: Tensor, outputs: int) -> nn.Module:
    parts: list[nn.Module] = []
    for given, made, stride in ((x.shape[1], 8, 1), (8, 16, 2), (16, 32, 2)):
        parts += [nn.Conv2d(given, made, 3, stride, 1, bias=False), nn.BatchNorm2d(made), nn.ReLU()]
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(0.0), nn.Linear(128, outputs))


def flat_mlp(x: Tensor, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), mlp(x.flatten(1), outputs))


def net(family: Family, rows: Rows, seed: int) -> nn.Module:
    """Return a fresh net for these rows."""
    torch.manual_seed(seed)
    made = {"table": mlp, "sequence": Transformer, "image": convnet, "transfer": flat_mlp}[family]
    return made(rows.train.inputs[:2], max(1, rows.classes))


def settings(family: Family, rows: int) -> TrainSettings:
    """Return epochs, batches and rate; for tables those of the package's plain net, all with AdamW."""
    if family == "table":
        from temperance.models.defaults import training_for

        usual = training_for("plain", "multiclass", rows)
        return TrainSettings(float(usual.epochs), usual.batch_size, usual.lr, "flat_cos", beta2=usual.beta2)
    epochs = {"sequence": 20.0, "image": 15.0, "transfer": 40.0}[family]
    return TrainSettings(
        epochs,
        32 if family == "transfer" else 64,
        {"sequence": 2e-3, "image": 3e-3, "transfer": 1e-3}[family],
        beta2=0.999,
    )
