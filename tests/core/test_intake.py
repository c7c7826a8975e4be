"""Techniques that act on rows are refused by name where there are none."""

import pytest
import torch
from torch.nn.utils.rnn import pack_sequence

import temperance as t
from temperance.core.batch import Batch
from temperance.core.convention import Convention
from temperance.core.intake import check
from temperance.records.errors import RecipeError

X = torch.randn(4, 3)
WHOLE = Convention("whole", name="clip")


def test_rows_of_a_packed_sequence_are_no_examples():
    batch = Batch((pack_sequence([X, X[:2]]),), torch.zeros(2))
    check(t.Recipe(t.LabelSmoothing(0.1), t.SAM(0.05)).by_address, batch)
    with pytest.raises(RecipeError, match=r"FeatureNoise, MixUp got a PackedSequence|MixUp, FeatureNoise got"):
        check(t.Recipe(t.MixUp(0.2), t.FeatureNoise(0.1)).by_address, batch)


def test_a_loss_of_the_whole_batch_is_not_split():
    batch = Batch(X, None, convention=WHOLE)
    check(t.Recipe(t.SAM(0.05)).by_address, batch)
    for techniques, one, parts in (
        ((t.CutMix(0.5),), batch, 1),
        ((), batch, 2),
        ((), batch._replace(weight=X[:, 0]), 1),
    ):
        with pytest.raises(RecipeError, match="clip"):
            check(t.Recipe(*techniques).by_address, one, parts=parts)


SUM = Convention("classes", name="CrossEntropyLoss", is_sum=True)


@pytest.mark.parametrize("one", [t.LabelSmoothing(0.1), t.Focal(2.0), t.RDrop(1.0), t.VAT(1.0), t.L2(0.1)], ids=repr)
def test_terms_that_are_means_are_refused_beside_a_loss_that_sums(one):
    """Focal was off by 22 %, LabelSmoothing by 3 %, and each micro-batch added its term once more."""
    batch = Batch(X, torch.zeros(4, dtype=torch.int64), convention=SUM)
    check(t.Recipe(t.MixUp(0.2), t.SAM(0.05), t.WeightDecay(0.1)).by_address, batch)
    with pytest.raises(RecipeError, match=f"{type(one).__name__} beside CrossEntropyLoss, which sums over rows"):
        check(t.Recipe(one).by_address, batch)


@pytest.mark.parametrize("one", [t.LabelSmoothing(0.1), t.ConfidencePenalty(0.1), t.MaxSup(0.1)], ids=repr)
def test_targets_are_not_softened_twice(one):
    loss = torch.nn.CrossEntropyLoss(label_smoothing=0.1)
    model = torch.nn.Linear(3, 4)
    session = t.Recipe(one).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=loss)
    with pytest.raises(RecipeError, match=r"beside CrossEntropyLoss with label_smoothing=0\.1"):
        session.step((X, torch.zeros(4, dtype=torch.int64)))
