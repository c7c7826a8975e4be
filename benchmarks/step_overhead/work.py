"""What a cell is: a recipe, the loop that a user would write for it by hand, and the nets on which both are timed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from temperance import Recipe
from temperance.core.batch import Batch

LR = 1e-3
Step = Callable[[], None]
Loss = Callable[[Any, Any], Tensor]


mean = F.cross_entropy  # as a user passes it


def rows(outputs: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(outputs, targets, reduction="none")


def squared(outputs: Tensor, targets: Tensor) -> Tensor:
    return F.mse_loss(outputs.squeeze(1), targets)


def squared_rows(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs.squeeze(1) - targets) ** 2


class Branch(nn.Module):
    """x + branch(x)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(nn.Linear(width, width), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return x + self.branch(x)  # type: ignore[no-any-return]


class Adapted(nn.Module):
    """A linear layer with a low-rank adapter."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.base, self.lora_A, self.lora_B = nn.Linear(width, width), nn.Linear(width, 8), nn.Linear(8, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) + self.lora_B(self.lora_A(x))  # type: ignore[no-any-return]


def mlp(*middle: nn.Module, outputs: int = 10, drop: float | None = None) -> nn.Module:
    dropout = [] if drop is None else [nn.Dropout(drop)]
    inner = middle or (nn.Linear(256, 256),)
    return nn.Sequential(
        nn.Linear(64, 256), nn.ReLU(), *dropout, *inner, nn.ReLU(), *copy.deepcopy(dropout), nn.Linear(256, outputs)
    )


def convnet(drop: float | None = None) -> nn.Module:
    dropout = [] if drop is None else [nn.Dropout(drop)]
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), *dropout,
        nn.Conv2d(16, 32, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(), *copy.deepcopy(dropout),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10),
    )  # fmt: skip


class Text(nn.Module):
    """An embedding, an encoder layer, the mean over tokens."""

    def __init__(self, words: int = 1000, width: int = 64) -> None:
        super().__init__()
        self.words = nn.Embedding(words, width)
        self.layer = nn.TransformerEncoderLayer(width, 4, 2 * width, 0.0, batch_first=True)
        self.head = nn.Linear(width, 10)

    def rest(self, vectors: Tensor) -> Tensor:
        return self.head(self.layer(vectors).mean(1))  # type: ignore[no-any-return]

    def forward(self, ids: Tensor) -> Tensor:
        return self.rest(self.words(ids))


TABLE, PICTURES, TOKENS = (256, 64), (64, 1, 16, 16), (32, 24)
# name: how it is made, the shape of its batch
NETS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "mlp": (mlp, TABLE),
    "convnet": (convnet, PICTURES),
    "mlp, dropout layers": (lambda: mlp(drop=0.1), TABLE),
    "convnet, dropout layers": (lambda: convnet(drop=0.1), PICTURES),
    "mlp, BatchNorm": (lambda: mlp(nn.Linear(256, 256), nn.BatchNorm1d(256)), TABLE),
    "mlp, residual branch": (lambda: mlp(Branch(256)), TABLE),
    "mlp, adapter": (lambda: mlp(Adapted(256)), TABLE),
    "regression": (lambda: mlp(outputs=1), TABLE),
    "text": (Text, TOKENS),
}
BOTH = ("mlp", "convnet")


@dataclass(frozen=True)
class Work:
    """What the loop by hand starts from; it may change the net before it makes ``params`` and ``optimizer``.

    Attributes:
        net: the module, in training mode.
        x: inputs of the one batch that is used again and again, in [0, 1].
        y: its class indices (b,), or numbers.
        index: the rows' numbers (b,).

    """

    net: nn.Module
    x: Tensor
    y: Tensor
    index: Tensor

    def adamw(self, weight_decay: float = 0.0) -> torch.optim.AdamW:
        return torch.optim.AdamW(self.net.parameters(), lr=LR, weight_decay=weight_decay)

    @property
    def params(self) -> list[nn.Parameter]:
        return list(self.net.parameters())


@dataclass(frozen=True)
class Cell:
    """One technique and its twin.

    Attributes:
        recipe: what the session runs.
        hand: makes the step of the loop by hand from a ``Work``; written as a good engineer would, not slower.
        nets: where both are timed, names of ``NETS``.
        loss: the session's loss; the loop by hand uses what it likes.
        same: without noise in it: after ``steps`` both must have left the same weights (checked by a test).
        why_not: why ``same`` is False, e.g. "draws noise".
        settings: further words for ``attach``.
        steps: steps after which the weights are compared; more where the technique begins late.

    """

    recipe: Recipe
    hand: Callable[[Work], Step]
    nets: tuple[str, ...] = BOTH
    loss: Loss = mean
    same: bool = False
    why_not: str = ""
    settings: dict[str, Any] = field(default_factory=lambda: {"epochs": 10, "steps_per_epoch": 100})
    steps: int = 3


def start(net: str) -> Work:
    """Return the net with its first weights and its batch; the same each time."""
    build, shape = NETS[net]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        x = torch.randint(1000, shape) if net == "text" else torch.rand(*shape)
        y = torch.randn(shape[0]) if net == "regression" else torch.randint(0, 10, (shape[0],))
        return Work(build().train(), x, y, torch.arange(shape[0]))


def by_hand(cell: Cell, net: str) -> tuple[Step, nn.Module]:
    """Return the hand-written step and the module that it trains."""
    work = start(net)
    return cell.hand(work), work.net


def by_session(cell: Cell, net: str) -> tuple[Step, nn.Module]:
    """Return the session's step and the module that it trains."""
    work = start(net)
    session = cell.recipe.attach(work.net, work.adamw(), loss=cell.loss, **cell.settings)
    batch = Batch(work.x, work.y, index=work.index)
    return lambda: (session.step(batch), None)[1], work.net
