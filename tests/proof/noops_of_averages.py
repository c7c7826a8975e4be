"""Silent no-ops of averages and of what is saved, as users of training code report them, each rebuilt small."""

from __future__ import annotations

import copy

import torch
from noops import Net, X, adamw, epochs, score
from torch.optim.swa_utils import AveragedModel

from temperance import proof


def average_never_updated() -> proof.Report:
    """An average is swapped in before its first update."""
    model = Net(0.0)
    average = AveragedModel(model)
    seen = proof.watch(model, optimizer := adamw(model))
    epochs(model, optimizer, end=lambda: score(average) and None)
    return seen.report()


def average_saved_and_never_updated() -> proof.Report:
    """SWA whose begin lies behind the end of the training."""
    model = Net(0.0)
    average = AveragedModel(model)
    seen = proof.watch(model, optimizer := adamw(model), average=average)
    epochs(model, optimizer)
    average.state_dict()
    return seen.report()


def average_in_low_precision() -> proof.Report:
    """An average in bfloat16 whose updates are below its last digit."""
    model = Net(0.0)
    average = copy.deepcopy(model)
    for p, q in zip(average.parameters(), model.parameters(), strict=True):
        p.data = q.data.clone().mul_(1.01).bfloat16()

    def update() -> None:
        for p, q in zip(average.parameters(), model.parameters(), strict=True):
            p.data.lerp_(q.data.bfloat16(), 1e-6)

    @torch.no_grad()
    def scored() -> None:
        average.eval()
        average(X.bfloat16())

    seen = proof.watch(model, optimizer := adamw(model))
    epochs(model, optimizer, after=update, end=scored, count=4)
    return seen.report()


def average_without_statistics() -> proof.Report:
    """An average of the parameters alone: its BatchNorm stands at mean 0 and variance 1."""
    model = Net(0.0, norm=True)
    average = copy.deepcopy(model)

    def update() -> None:
        for p, q in zip(average.parameters(), model.parameters(), strict=True):
            p.data.lerp_(q.data, 0.2)

    seen = proof.watch(model, optimizer := adamw(model))
    epochs(model, optimizer, after=update, end=lambda: score(average) and None)
    return seen.report()


def scored_and_not_saved() -> proof.Report:
    model = Net(0.0)
    average = AveragedModel(model, avg_fn=lambda a, b, n: 0.9 * a + 0.1 * b)
    seen = proof.watch(model, optimizer := adamw(model))

    def end() -> None:
        score(average)
        model.state_dict()

    epochs(model, optimizer, after=lambda: average.update_parameters(model), end=end)
    return seen.report()


def saved_and_not_scored() -> proof.Report:
    model = Net(0.0)
    average = AveragedModel(model, avg_fn=lambda a, b, n: 0.9 * a + 0.1 * b)
    seen = proof.watch(model, optimizer := adamw(model), average=average)

    def end() -> None:
        score(model)
        average.state_dict()

    epochs(model, optimizer, after=lambda: average.update_parameters(model), end=end)
    return seen.report()


def swapped_in_and_left_there() -> proof.Report:
    """The averaged weights are copied into the model for validation and not taken out again."""
    model = Net(0.0)
    shadow = [p.detach().clone() for p in model.parameters()]

    def update() -> None:
        for s, p in zip(shadow, model.parameters(), strict=True):
            s.lerp_(p.detach(), 0.1)

    def end() -> None:
        for s, p in zip(shadow, model.parameters(), strict=True):
            p.data.copy_(s)
        score(model)

    seen = proof.watch(model, optimizer := adamw(model))
    epochs(model, optimizer, after=update, end=end)
    return seen.report()


def swapped_scored_and_trained_saved() -> proof.Report:
    """The averaged weights are swapped in for validation and out again; the checkpoint holds the trained ones."""
    model = Net(0.0)
    shadow = [p.detach().clone() for p in model.parameters()]

    def update() -> None:
        for s, p in zip(shadow, model.parameters(), strict=True):
            s.lerp_(p.detach(), 0.1)

    def end() -> None:
        own = [p.detach().clone() for p in model.parameters()]
        for s, p in zip(shadow, model.parameters(), strict=True):
            p.data.copy_(s)
        score(model)
        for o, p in zip(own, model.parameters(), strict=True):
            p.data.copy_(o)
        model.state_dict()

    seen = proof.watch(model, optimizer := adamw(model))
    epochs(model, optimizer, after=update, end=end)
    return seen.report()
