"""What is known of a loss before and after its first batch."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from temperance import WholeBatch
from temperance.core.convention import convention_of, mean_weights, taught
from temperance.models.loss import cross_entropy, squared_error


@pytest.mark.parametrize(
    ("loss", "kind"),
    [(F.cross_entropy, "classes"), (nn.CrossEntropyLoss(), "classes"), (nn.BCEWithLogitsLoss(), "labels"),
     (nn.BCELoss(), "probabilities"), (F.mse_loss, "numbers"), (nn.HuberLoss(), "numbers"), (len, "unknown"),
     (WholeBatch(len), "whole"), (cross_entropy, "classes"), (squared_error, "numbers"), (lambda o, y: o, "unknown"),
     (partial(F.cross_entropy, label_smoothing=0.1), "classes"), ([], "unknown")],
)  # fmt: skip
def test_the_kind_of_a_loss(loss, kind):
    assert convention_of(loss).kind == kind


def test_what_a_loss_was_told():
    assert convention_of(nn.CrossEntropyLoss(ignore_index=255)).ignore_index == 255
    assert convention_of(partial(F.cross_entropy, ignore_index=0, reduction="sum")).ignore_index == 0
    assert convention_of(partial(F.cross_entropy, ignore_index=0, reduction="sum")).is_sum
    assert convention_of(nn.BCEWithLogitsLoss(pos_weight=torch.ones(2))).is_weighted
    assert not convention_of(nn.BCEWithLogitsLoss()).is_weighted
    assert convention_of(cross_entropy).by_member
    assert convention_of(lambda o, y: o).name == "a loss of your own"


def test_the_first_targets_tell_the_rest():
    unknown = convention_of(len)
    assert taught(unknown, torch.softmax(torch.randn(4, 3), 1)).kind == "classes"
    assert taught(unknown, torch.tensor([[1.0, 1.0], [0.0, 1.0]])).kind == "labels"
    assert taught(unknown, torch.randn(4, 3)).kind == "numbers"
    assert taught(unknown, torch.randn(4)) is unknown
    assert taught(unknown, torch.tensor([1, 2])) is unknown
    assert taught(unknown, {"a": torch.randn(4, 3)}) is unknown
    known = convention_of(nn.BCEWithLogitsLoss())
    assert taught(known, torch.randn(4, 3)) is known


def test_class_weights_that_the_mean_is_divided_by():
    weights = torch.ones(2)
    assert mean_weights(nn.CrossEntropyLoss(weight=weights)) is weights
    assert mean_weights(partial(F.cross_entropy, weight=weights)) is weights
    assert mean_weights(partial(nn.CrossEntropyLoss(weight=weights))) is weights
    for none in (nn.CrossEntropyLoss(weight=weights, reduction="none"), F.cross_entropy, len,
                 partial(F.cross_entropy, weight=weights, reduction="sum")):  # fmt: skip
        assert mean_weights(none) is None
