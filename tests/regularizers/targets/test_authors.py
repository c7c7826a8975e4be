"""Losses equal those of the authors' code, to 1e-6, where that code is sound."""

import json
import math
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

from temperance import (
    AdaFocal,
    Batch,
    EarlyLearning,
    Focal,
    GeneralizedCrossEntropy,
    MarginSmoothing,
    MaxSup,
    OnlineLabelSmoothing,
    Recipe,
    SymmetricCrossEntropy,
)
from temperance.regularizers.targets.ada_focal import next_gammas

FIGURES = json.loads((Path(__file__).parent / "figures.json").read_text())
ONE = torch.float64
LOGITS = torch.sin(torch.arange(24, dtype=ONE) * 2.3).reshape(6, 4) * 3
LABELS = torch.tensor([0, 1, 2, 3, 0, 2])


class Say(nn.Module):
    """Gives its inputs back as logits; the parameter only lets an optimizer exist."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones((), dtype=ONE))

    def forward(self, logits):
        return logits * self.scale


def attach(one, rate=0.0, **settings):
    model = Say()
    loss = lambda z, y: functional.cross_entropy(z, y, reduction="none")  # noqa: E731
    return Recipe(one).attach(model, torch.optim.SGD(model.parameters(), lr=rate), loss=loss, **settings)


def value(one, logits=LOGITS, labels=LABELS):
    return float(attach(one).loss(Batch(logits, labels, index=torch.arange(len(labels)))).detach())


@pytest.mark.parametrize(
    ("name", "one"),
    [
        ("max_sup", MaxSup(0.1)),
        ("mbls", MarginSmoothing(0.1, margin=2.0)),
        ("gce", GeneralizedCrossEntropy(0.7)),
        ("flsd53", Focal(3.0, by="flsd53")),
        ("sce", SymmetricCrossEntropy(0.1, beta=1.0, floor=math.log(1e-4))),
    ],
)
def test_a_loss(name, one):
    assert value(one) == pytest.approx(FIGURES[name], abs=1e-6)


def test_early_learning_over_three_passes():
    session = attach(EarlyLearning(3.0, decay=0.7))
    for scale, wanted in zip((1.0, 0.5, 1.5), FIGURES["elr"], strict=True):
        loss = session.step(Batch(LOGITS * scale, LABELS, index=torch.arange(6))).loss
        assert float(loss.detach()) == pytest.approx(wanted, abs=1e-6)
    remembered = session._memory["early_learning"]["rows"]
    torch.testing.assert_close(remembered, torch.tensor(FIGURES["elr_target"], dtype=ONE), rtol=0, atol=1e-9)


def test_online_label_smoothing_and_its_matrix():
    logits = torch.sin(torch.arange(32, dtype=ONE) * 1.3).reshape(8, 4) * 3
    labels = logits.argmax(1)
    labels[7] = (labels[7] + 1) % 4
    session = attach(OnlineLabelSmoothing(0.5, every=1))
    loss = session.step((logits, labels)).loss
    assert float(loss.detach()) == pytest.approx(FIGURES["ols_first"], abs=1e-6)
    matrix = session._memory["online_label_smoothing"]["matrix"]
    torch.testing.assert_close(matrix, torch.tensor(FIGURES["ols_matrix_T"], dtype=ONE), rtol=0, atol=1e-9)


def test_one_update_of_ada_focal_with_switch_and_clip():
    before, gaps = (torch.tensor(FIGURES[name], dtype=ONE) for name in ("ada_before", "ada_gaps"))
    after = next_gammas(before, gaps)
    torch.testing.assert_close(after, torch.tensor(FIGURES["ada_gammas"], dtype=ONE), rtol=0, atol=1e-12)


def test_ada_focal_loss_with_those_bins():
    session = attach(AdaFocal())
    memory = session._memory["ada_focal"]
    memory["gammas"] = torch.tensor(FIGURES["ada_gammas"], dtype=ONE)
    memory["edges"] = torch.tensor(FIGURES["ada_edges"][1:-1], dtype=ONE)
    assert float(session.loss((LOGITS, LABELS)).detach()) == pytest.approx(FIGURES["ada_loss"], abs=1e-6)
