"""Silent no-ops of noise, decay, losses and clipping, as users of training code report them, each rebuilt small."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from temperance import proof

X = torch.randn(64, 6, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long()


class Net(nn.Module):
    def __init__(self, p: float = 0.3, *, norm: bool = False) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(6, 16), nn.BatchNorm1d(16) if norm else nn.Identity(), nn.ReLU(), nn.Dropout(p)
        )
        self.head = nn.Linear(16, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(x))


def adamw(model: nn.Module, decay: float = 0.01, lr: float = 1e-2) -> torch.optim.Optimizer:
    return torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=decay)


def epochs(
    model: nn.Module, optimizer: torch.optim.Optimizer, *, count: int = 3, loss: Callable[..., Any] = F.cross_entropy,
    before: Callable[[], None] = lambda: None, after: Callable[[], None] = lambda: None,
    end: Callable[[], None] = lambda: None, train: bool = True,
) -> None:  # fmt: skip
    for _ in range(count):
        if train:
            model.train()
        for i in range(0, 64, 16):
            optimizer.zero_grad()
            loss(model(X[i : i + 16]), Y[i : i + 16]).backward()
            before()
            optimizer.step()
            after()
        end()


@torch.no_grad()
def score(model: nn.Module) -> float:
    model.eval()
    return float(F.cross_entropy(model(X), Y))


# -- no-ops: each returns the report ----------------------------------------------------------------------------------


def evaluation_mode() -> proof.Report:
    """validate() calls eval() and nobody calls train() again."""
    model = Net()
    seen = proof.watch(model, optimizer := adamw(model))
    model.eval()
    epochs(model, optimizer, train=False, end=lambda: score(model) and None)
    return seen.report()


def evaluation_mode_from_the_first_validation_on() -> proof.Report:
    """train() is called once, before the first epoch; the validation comes late."""
    model = Net()
    seen = proof.watch(model, optimizer := adamw(model))
    model.train()
    epochs(model, optimizer, count=5, train=False)
    score(model)
    epochs(model, optimizer, train=False)
    return seen.report()


def block_in_evaluation_mode() -> proof.Report:
    """A block was frozen by eval(), unfrozen by requires_grad, and stays in evaluation mode."""
    model = Net()
    model.body.train(False)
    model.body.train = lambda mode=True: model.body  # type: ignore[method-assign,assignment]
    seen = proof.watch(model, optimizer := adamw(model))
    epochs(model, optimizer)
    return seen.report()


class Adapter(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.base, self.down, self.up = nn.Linear(6, 6), nn.Linear(6, 2), nn.Linear(2, 6)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.base(x) + self.up(self.down(x))  # the dropout is built and never called


def adapter_dropout_not_wired() -> proof.Report:
    model = nn.Sequential(Adapter(), nn.Linear(6, 2))
    seen = proof.watch(model, optimizer := adamw(model))
    epochs(model, optimizer)
    return seen.report()


class Functional(Net):
    def __init__(self, training: Any) -> None:
        super().__init__(0.0)
        self.told = training

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        told = {"training": self.told} if self.told is not None else {}
        return self.head(F.dropout(self.body(x), 0.3, **told))


def functional_dropout_off() -> proof.Report:
    model = Functional(training=False)
    seen = proof.watch(model, optimizer := adamw(model))
    epochs(model, optimizer)
    return seen.report()


def functional_dropout_at_inference() -> proof.Report:
    model = Functional(training=None)
    seen = proof.watch(model, optimizer := adamw(model))
    epochs(model, optimizer, end=lambda: score(model) and None)
    return seen.report()


class Attention(nn.Module):
    def __init__(self, guard: bool) -> None:
        super().__init__()
        self.qkv, self.out, self.guard = nn.Linear(6, 18), nn.Linear(6, 2), guard

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = self.qkv(x.unsqueeze(1)).chunk(3, -1)
        p = 0.2 if self.training or not self.guard else 0.0
        return self.out(F.scaled_dot_product_attention(q, k, v, dropout_p=p).squeeze(1))


def attention_dropout_at_inference() -> proof.Report:
    model = Attention(guard=False)
    seen = proof.watch(model, optimizer := adamw(model))
    epochs(model, optimizer, end=lambda: score(model) and None)
    return seen.report()


class Recurrent(nn.Module):
    def __init__(self, layers: int) -> None:
        super().__init__()
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.rnn = nn.LSTM(6, 8, num_layers=layers, dropout=0.4, batch_first=True)
        self.out = nn.Linear(8, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.rnn(x.unsqueeze(1))[0][:, -1])


def recurrent_dropout_of_one_layer() -> proof.Report:
    model = Recurrent(1)
    seen = proof.watch(model, optimizer := adamw(model))
    epochs(model, optimizer)
    return seen.report()


class DropPath(nn.Module):
    def __init__(self, drop_prob: float) -> None:
        super().__init__()
        self.drop_prob = drop_prob

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training or not self.drop_prob:
            return x
        return x * torch.empty(len(x), 1).bernoulli_(1 - self.drop_prob) / (1 - self.drop_prob)


class Residual(nn.Module):
    def __init__(self, *, wired: bool = True) -> None:
        super().__init__()
        self.branch, self.path, self.out, self.wired = nn.Linear(6, 6), DropPath(0.3), nn.Linear(6, 2), wired

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        branch = self.branch(x).relu()
        return self.out(x + (self.path(branch) if self.wired else branch))


def drop_path_not_wired() -> proof.Report:
    model = Residual(wired=False)
    seen = proof.watch(model, optimizer := adamw(model))
    epochs(model, optimizer)
    return seen.report()


def dropout_on_a_model_without_any() -> proof.Report:
    """The configuration says dropout, and the model has no place for it."""
    model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2))
    seen = proof.watch(model, optimizer := adamw(model), expects=["dropout"])
    epochs(model, optimizer)
    return seen.report()


def head_replaced_after_the_optimizer() -> proof.Report:
    model = Net()
    optimizer = adamw(model)
    model.head = nn.Linear(16, 2)
    seen = proof.watch(model, optimizer)
    epochs(model, optimizer)
    return seen.report()


def decay_on_frozen_weights() -> proof.Report:
    model = Net()
    groups = [
        {"params": model.body.parameters(), "weight_decay": 0.1},
        {"params": model.head.parameters(), "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=1e-2)
    model.body.requires_grad_(False)
    seen = proof.watch(model, optimizer)
    epochs(model, optimizer)
    return seen.report()


def decay_of_biases_alone() -> proof.Report:
    """The names that sort parameters into groups are the wrong way round."""
    model = Net()
    bias = [p for n, p in model.named_parameters() if n.endswith("bias")]
    rest = [p for n, p in model.named_parameters() if not n.endswith("bias")]
    optimizer = torch.optim.AdamW(
        [{"params": bias, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}], lr=1e-2
    )
    seen = proof.watch(model, optimizer)
    epochs(model, optimizer)
    return seen.report()


def decay_rounded_away() -> proof.Report:
    """lr · weight_decay below half of bfloat16's last digit."""
    model = Net(0.0).bfloat16()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.01)
    seen = proof.watch(model, optimizer)
    _low(model, optimizer)
    return seen.report()


def _low(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    for _ in range(6):
        optimizer.zero_grad()
        F.cross_entropy(model(X.bfloat16()).float(), Y).backward()
        optimizer.step()


def decay_reset_by_a_scheduler() -> proof.Report:
    model = Net()
    seen = proof.watch(model, optimizer := adamw(model, 0.1))
    for group in optimizer.param_groups:
        group["weight_decay"] = 0.0  # what a loaded state or a scheduler does
    epochs(model, optimizer)
    return seen.report()


def smoothing_in_a_loss_that_is_not_used() -> proof.Report:
    """The loss is built with smoothing, and the loop computes the plain one."""
    model, criterion = Net(), nn.CrossEntropyLoss(label_smoothing=0.1)
    seen = proof.watch(model, optimizer := adamw(model), loss=criterion)
    epochs(model, optimizer)
    return seen.report()


def smoothing_expected_and_lost() -> proof.Report:
    model = Net()
    seen = proof.watch(model, optimizer := adamw(model), expects=["smoothing"])
    epochs(model, optimizer, loss=lambda out, y: F.cross_entropy(out, y))
    return seen.report()


def clip_after_the_step() -> proof.Report:
    model = Net()
    seen = proof.watch(model, optimizer := adamw(model))
    epochs(model, optimizer, after=lambda: torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0) and None)
    return seen.report()


def clip_of_another_model() -> proof.Report:
    model, other = Net(), Net()
    seen = proof.watch(model, optimizer := adamw(model))
    epochs(model, optimizer, before=lambda: torch.nn.utils.clip_grad_norm_(other.parameters(), 1.0) and None)
    return seen.report()
