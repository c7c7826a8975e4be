"""Data sets cut for a seed, and the nets trained on them; all fixed before the first run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from torch import Tensor, nn

WIDE = 128
MANY = 20  # a named column of more values than this is left out


@dataclass(frozen=True)
class Data:
    """Rows to train on and rows to test on; ``y`` are class indices, or standardized numbers."""

    x: Tensor
    y: Tensor
    test_x: Tensor
    test_y: Tensor
    classes: int


@dataclass(frozen=True)
class Problem:
    """One data set and how it is learnt.

    Attributes:
        name: for the record.
        words: for a reader of a card.
        read: gives inputs and answers; None where the set is not there.
        net: (an example of the inputs, outputs) → module.
        rows: most rows to train on.
        epochs: of training.
        wrong: share of the training labels that is turned into another class.
        eps: radius of the attack on the test rows; 0: no attack.
        noise: size of the noise on the test rows.

    """

    name: str
    words: str
    read: Callable[[], tuple[np.ndarray, np.ndarray] | None]
    net: Callable[[Tensor, int], nn.Module]
    rows: int = 800
    epochs: int = 40
    wrong: float = 0.0
    eps: float = 0.0
    noise: float = 0.5

    def cut(self, seed: int) -> Data | None:
        """Return the rows of this seed: at most ``rows`` and half of all to train on, at most 3000 to test."""
        found = self.read()
        if found is None:
            return None
        x, y = found
        rng = np.random.default_rng(1000 + seed)
        order = rng.permutation(len(x))
        many = min(self.rows, len(x) // 2)
        train, test = order[:many], order[many : many + 3000]
        if np.issubdtype(y.dtype, np.integer):
            classes = int(y.max()) + 1
            given = y[train].copy()
            off = rng.random(many) < self.wrong
            given[off] = (given[off] + rng.integers(1, classes, off.sum())) % classes
            answers = torch.from_numpy(given).long(), torch.from_numpy(y[test]).long()
        else:
            classes = 0
            middle, spread = y[train].mean(), y[train].std()
            answers = tuple(torch.from_numpy((y[rows] - middle) / spread).float() for rows in (train, test))  # type: ignore[assignment]
        if x.ndim == 2:
            x = scaled(x, train)
        inputs = [torch.from_numpy(np.ascontiguousarray(x[rows])).float() for rows in (train, test)]
        return Data(inputs[0], answers[0], inputs[1], answers[1], classes)


def scaled(x: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Standardize each column by the training rows; missing values become the mean."""
    middle, spread = np.nanmean(x[train], 0), np.nanstd(x[train], 0)
    out = (x - middle) / np.where(spread > 0, spread, 1.0)
    return np.clip(np.nan_to_num(out), -10, 10)


def mlp(x: Tensor, outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(x.shape[1], WIDE), nn.ReLU(), nn.Linear(WIDE, WIDE), nn.ReLU(), nn.Linear(WIDE, max(outputs, 1))
    )


class Residual(nn.Module):
    """x + branch(x), two convolutions with BatchNorm."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.branch(x))


def convnet(x: Tensor, outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(x.shape[1], 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), Residual(16),
        nn.Conv2d(16, 32, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(), Residual(32),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, outputs),
    )  # fmt: skip


def bundled(load: Callable[..., Any]) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
    return lambda: load(return_X_y=True)


def digit_images() -> tuple[np.ndarray, np.ndarray]:
    x, y = load_digits(return_X_y=True)
    return x.reshape(-1, 1, 8, 8) / 16.0, y


def table(folder: Path, name: str) -> Callable[[], tuple[np.ndarray, np.ndarray] | None]:
    """Return the reader of ``folder/name/data.parquet``: numbers as they are, names of few values one-hot."""

    @cache
    def read() -> tuple[np.ndarray, np.ndarray] | None:
        import polars as pl

        place = folder / name
        if not place.exists():
            return None
        meta = json.loads((place / "meta.json").read_text())
        frame = pl.read_parquet(place / "data.parquet").drop(meta.get("split_columns") or [], strict=False)
        frame = frame.drop_nulls(meta["target"])
        answers, frame = frame[meta["target"]], frame.drop(meta["target"])
        parts = []
        for column in frame.columns:
            values = frame[column]
            if values.dtype.is_numeric() and column not in (meta.get("categorical") or []):
                parts.append(values.cast(float).fill_null(float("nan")).to_numpy()[:, None])
            elif values.n_unique() <= MANY:
                parts.append(values.cast(str).to_dummies().to_numpy().astype(float))
        y = answers.to_numpy()
        if meta["task"] == "classification":
            y = np.unique(y.astype(str), return_inverse=True)[1]
        return np.concatenate(parts, 1), y.astype(np.int64 if meta["task"] == "classification" else np.float64)

    return read


def images(folder: Path, name: str, smaller: int = 1) -> Callable[[], tuple[np.ndarray, np.ndarray] | None]:
    """Return the reader of the images of ``folder/name``, averaged over squares of ``smaller`` pixels."""

    @cache
    def read() -> tuple[np.ndarray, np.ndarray] | None:
        files = sorted((folder / name).glob("*.npz"))
        if not files:
            return None
        with np.load(files[0], allow_pickle=False) as kept:
            keys = list(kept)
            x = next(kept[k] for k in keys if kept[k].ndim >= 3)
            y = next(kept[k] for k in keys if kept[k].ndim == 1 and len(kept[k]) == len(x))
        x = x[:20000].reshape(min(len(x), 20000), 1, *x.shape[1:3]).astype(np.float64) / 255.0
        b, _, h, w = x.shape
        x = x.reshape(b, 1, h // smaller, smaller, w // smaller, smaller).mean((3, 5))
        return x, y[:20000].astype(np.int64)

    return read


@cache
def problems(folder: Path) -> dict[str, Problem]:
    """Return all problems by name; those of ``folder`` give None where it lacks the set."""
    tables = {name: f"{name} (table)" for name in ("vehicle", "satimage", "credit_g", "churn", "semeion")}
    numbers = {name: f"{name} (numbers)" for name in ("concrete", "kin8nm")}
    own = [
        Problem("breast_cancer", "breast cancer (table)", bundled(load_breast_cancer), mlp),
        Problem("wine", "wine (table)", bundled(load_wine), mlp, rows=60),
        *(Problem(name, words, table(folder, name), mlp) for name, words in tables.items()),
        Problem("digits_wrong", "digits, 30 % of the labels wrong", bundled(load_digits), mlp, wrong=0.3),
        Problem("satimage_wrong", "satimage, 30 % of the labels wrong", table(folder, "satimage"), mlp, wrong=0.3),
        Problem("diabetes", "diabetes (numbers)", bundled(load_diabetes), mlp),
        *(Problem(name, words, table(folder, name), mlp) for name, words in numbers.items()),
        Problem("digits", "digits, 400 images of 8 × 8", digit_images, convnet, 400, 30, eps=0.1, noise=0.2),
        Problem(
            "fashion", "Fashion-MNIST, 600 images of 14 × 14", images(folder, "fashion_mnist", 2), convnet, 600, 15,
            eps=0.05, noise=0.2,
        ),
    ]  # fmt: skip
    return {one.name: one for one in own}
