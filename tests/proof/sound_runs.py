"""Sound runs, drawn by number: a watch must be silent on them."""

from __future__ import annotations

import copy
from typing import Any

import torch
from noops import Attention, Functional, Net, Recurrent, Residual, X, adamw, epochs, score
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.optim.swa_utils import AveragedModel, update_bn

from temperance import proof


def sound(number: int) -> proof.Report:
    """Return the report of a sound run: model, optimizer, groups, averages, clipping and saving drawn by its number."""
    draw = torch.Generator().manual_seed(number)

    def pick(*choices: Any) -> Any:
        return choices[int(torch.randint(len(choices), (), generator=draw))]

    model: nn.Module = pick(
        lambda: Net(0.3),
        lambda: Net(0.0),
        lambda: Net(0.5, norm=True),
        lambda: Functional(training=None),
        lambda: Residual(),
        lambda: Attention(guard=True),
        lambda: Recurrent(2),
        lambda: nn.Sequential(
            nn.Linear(6, 8), nn.Dropout(0.1), nn.Sequential(nn.Tanh(), nn.Dropout(0.2)), nn.Linear(8, 2)
        ),
    )()
    if isinstance(model, Functional):
        model = Net(0.2)
    weights = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() <= 1]
    groups = [{"params": weights, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}]
    optimizer: torch.optim.Optimizer = pick(
        lambda: adamw(model), lambda: adamw(model, 0.0), lambda: torch.optim.AdamW(groups, lr=1e-2),
        lambda: torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4),
    )()  # fmt: skip
    if pick(True, False, False) and isinstance(model, Net):
        model.body.requires_grad_(False)  # a frozen body under a head that learns
        optimizer = torch.optim.AdamW(model.head.parameters(), lr=1e-2, weight_decay=0.01)
    average = pick(None, None, AveragedModel(model, avg_fn=lambda a, b, n: 0.8 * a + 0.2 * b))
    teacher = copy.deepcopy(model).eval() if pick(True, False, False) else None
    criterion = pick(F.cross_entropy, nn.CrossEntropyLoss(label_smoothing=0.1))
    clips, saves, validates = pick(True, False), pick("trained", "both", "none"), pick(True, True, False)
    seen = proof.watch(model, optimizer, loss=criterion)

    def loss(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        found = criterion(out, y)
        if teacher is not None:
            with torch.no_grad():
                told = teacher(X[: len(out)])
            found = found + 0.1 * F.mse_loss(out, told)
        return found

    def before() -> None:
        if clips:
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)

    def after() -> None:
        if average is not None:
            average.update_parameters(model)

    def end() -> None:
        if average is not None:
            update_bn([X], average)
        if validates:
            score(model)
            if average is not None and saves != "trained":
                score(average)
        if saves != "none":
            model.state_dict()
        if average is not None and saves == "both":
            if not validates:
                score(average)
            average.state_dict()

    epochs(model, optimizer, loss=loss, before=before, after=after, end=end, count=pick(2, 3, 4))
    if average is not None and validates and saves == "none":
        average.state_dict()
    return seen.report()
