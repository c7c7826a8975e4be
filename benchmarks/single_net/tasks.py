"""Small classification tasks for an MLP, a convnet and a transformer, with wrong labels where asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from benchmarks.halves import half
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

ROWS = 384  # that the net learns from
HELD = 128  # that validate looks at; their labels are as wrong as those of the training rows
EPOCHS = 20
TEST = 2000  # at most, with true labels


@dataclass(frozen=True)
class Task:
    """One task; ``half`` is ``tuned`` (rules were chosen on it) or ``once``."""

    name: str
    family: str
    half: str
    epochs: int
    rows: Callable[[Path], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Data:
    """Tensors of one cell. Shapes: x (b, f) or (b, c, h, w) or (b, tokens, f), y (b,)."""

    x: Tensor
    y: Tensor
    held_x: Tensor
    held_y: Tensor
    test_x: Tensor
    test_y: Tensor
    classes: int


def table(name: str) -> Callable[[Path], tuple[np.ndarray, np.ndarray]]:
    def read(folder: Path) -> tuple[np.ndarray, np.ndarray]:
        import json

        import polars as pl

        frame = pl.read_parquet(folder / name / "data.parquet")
        target = json.loads((folder / name / "meta.json").read_text())["target"]
        kept = [c for c, kind in frame.schema.items() if kind.is_numeric() and c not in (target, "split")]
        x = frame.select(kept).fill_null(0).to_numpy().astype(np.float32)
        return x, np.unique(frame[target].to_numpy(), return_inverse=True)[1]

    return read


def images(name: str, side: int) -> Callable[[Path], tuple[np.ndarray, np.ndarray]]:
    def read(folder: Path) -> tuple[np.ndarray, np.ndarray]:
        with np.load(folder / name / "data.npz", allow_pickle=False) as stored:
            pixels = next(stored[k] for k in stored.files if stored[k].ndim == 3)
            labels = next(stored[k] for k in stored.files if stored[k].shape == (len(pixels),) and "split" not in k)
        chosen = np.random.default_rng(0).permutation(len(pixels))[:6000]
        x = torch.from_numpy(pixels[chosen].astype(np.float32) / 255)[:, None]
        return F.adaptive_avg_pool2d(x, side).numpy(), np.unique(labels[chosen], return_inverse=True)[1]

    return read


def digits(shape: tuple[int, ...]) -> Callable[[Path], tuple[np.ndarray, np.ndarray]]:
    def read(folder: Path) -> tuple[np.ndarray, np.ndarray]:
        from sklearn.datasets import load_digits

        x, y = load_digits(return_X_y=True)
        return (x / 16).astype(np.float32).reshape(-1, *shape), y

    return read


def waves(seed: int) -> Callable[[Path], tuple[np.ndarray, np.ndarray]]:
    """Return 8 tokens of 8 samples: two tones of random phase in noise; the class says which tones."""

    def read(folder: Path) -> tuple[np.ndarray, np.ndarray]:
        chance = np.random.default_rng(seed)
        tones = chance.uniform(0.15, 1.2, (6, 2))
        y = chance.integers(6, size=4000)
        phase, size = chance.uniform(0, 2 * np.pi, (4000, 2)), chance.uniform(0.5, 1.5, (4000, 2))
        time = np.arange(64)
        tone = np.sin(tones[y][..., None] * time + phase[..., None])
        x = np.einsum("bt,bts->bs", size, tone) + chance.normal(0, 0.8, (4000, 64))
        return x.astype(np.float32).reshape(-1, 8, 8), y

    return read


TASKS = (
    Task("cells", "mlp", half("cells"), EPOCHS, table("cells")),
    Task("segmentation", "mlp", half("segmentation"), EPOCHS, table("segmentation")),
    Task("fashion_mnist", "convnet", half("fashion_mnist"), EPOCHS, images("fashion_mnist", 8)),
    Task("digits", "transformer", "tuned", EPOCHS, digits((8, 8))),
    Task("waves-0", "transformer", "tuned", EPOCHS, waves(0)),
    Task("yeast", "mlp", half("yeast"), EPOCHS, table("yeast")),
    Task("sylvine", "mlp", half("sylvine"), EPOCHS, table("sylvine")),
    Task("mnist", "convnet", half("mnist"), EPOCHS, images("mnist", 8)),
    Task("usps", "convnet", half("usps"), EPOCHS, images("usps", 8)),
    Task("waves-101", "transformer", "once", EPOCHS, waves(101)),
    Task("waves-102", "transformer", "once", EPOCHS, waves(102)),
)


@cache
def stored(task: Task, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read the rows of a task once."""
    return task.rows(folder)


def data(task: Task, folder: Path, wrong: float, seed: int) -> Data:
    """Split and standardize; a share ``wrong`` of the training and held-out labels becomes another class."""
    x, y = stored(task, folder)
    chance = np.random.default_rng([seed, 7])
    order = chance.permutation(len(y))
    total = min(ROWS + HELD, round(0.6 * len(y)))
    cut = round(total * ROWS / (ROWS + HELD))
    parts = order[:cut], order[cut:total], order[total : total + TEST]
    if x.ndim == 2:
        x = (x - x[parts[0]].mean(0)) / (x[parts[0]].std(0) + 1e-6)
        x = np.clip(x, -5, 5)
    else:
        x = (x - x[parts[0]].mean()) / x[parts[0]].std()
    classes = int(y.max()) + 1
    noisy = np.where(chance.random(len(y)) < wrong, (y + chance.integers(1, classes, len(y))) % classes, y)
    tensors = [
        torch.from_numpy(np.ascontiguousarray(v[p])) for p in parts for v in (x, noisy if p is not parts[2] else y)
    ]
    return Data(*(t.long() if t.dtype != torch.float32 else t for t in tensors), classes)


class Reader(nn.Module):
    """A small transformer over (b, tokens, f): one block with one head, then the mean over tokens."""

    def __init__(self, tokens: int, features: int, classes: int, width: int = 24) -> None:
        super().__init__()
        self.into, self.out = nn.Linear(features, width), nn.Linear(width, classes)
        self.places = nn.Parameter(torch.randn(tokens, width) * 0.02)
        self.three, self.back = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide, self.act, self.narrow = nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width)
        self.norm, self.drop = nn.LayerNorm(width), nn.Dropout(0.0)

    def forward(self, x: Tensor) -> Tensor:
        x = self.into(x) + self.places
        x = x + self.back(F.scaled_dot_product_attention(*self.three(x).chunk(3, -1)))
        x = x + self.narrow(self.drop(self.act(self.wide(self.norm(x)))))
        return self.out(x.mean(1))


def net(family: str, like: Tensor, classes: int) -> nn.Module:
    """Return a fresh net for inputs like these."""
    if family == "mlp":
        return nn.Sequential(
            nn.Linear(like.shape[1], 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, classes)
        )
    if family == "convnet":
        return nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(),
            nn.Conv2d(8, 16, 3, padding=1, stride=2), nn.ReLU(),
            nn.Flatten(), nn.Linear(16 * (like.shape[-1] // 2) ** 2, 48), nn.ReLU(), nn.Linear(48, classes),
        )  # fmt: skip
    return Reader(like.shape[1], like.shape[2], classes)
