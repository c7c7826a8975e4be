"""Batches on which model or loss break off: what was received, what is accepted, what to do."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

import temperance as t
from temperance.core.batch import Batch
from temperance.core.convention import Convention
from temperance.core.misfits import fitting, misfit
from temperance.records.errors import RecipeError, SettingError

X, Y = torch.randn(12, 8), torch.randint(0, 3, (12,))
NEGATIVE = torch.where(torch.arange(12) == 0, -torch.ones_like(Y), Y)
BAD = {
    "none": ((X, None), r"no targets \(None\).*Give the targets"),
    "five": ((X, Y[:5]), r"12 rows of inputs and int64 \(5,\) targets.*cut alike"),
    "int32": ((X, Y.int()), r"class numbers are int32 \(12,\).*y\.long\(\)"),
    "float": ((X, Y.float()), r"class numbers are float32 \(12,\).*y\.long\(\)"),
    "negative": ((X, NEGATIVE), r"a class number of the batch is -1.*0 … c − 1.*-100.*ignore_index=-1"),
    "above": ((X, Y + 3), r"a class number of the batch is [345].*0 … c − 1"),
    "column": ((X, Y[:, None]), r"int64 \(12, 1\).*y\.squeeze\(1\)"),
    "tuple": (((X, Y), (X, Y)), r"micro-batches are a list.*\[\(x, y\), \(x, y\)\]"),
}
LOSSES = {"torchs": F.cross_entropy, "own": lambda out, y: F.cross_entropy(out, y)}


def attach(loss, *recipe):
    model = nn.Linear(8, 3)
    return t.Recipe(*recipe).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=loss)


NUMBERS = {
    "whole": ((X, Y.clamp_max(1)[:, None]), r"int64 \(12, 1\).*computes with decimals.*y\.float\(\)"),
    "flat": ((X, torch.rand(12)), r"float32 \(12,\).*Target size.*y\[:, None\]"),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_targets_of_several_labels_in_another_form_are_named(name):
    batch, said = NUMBERS[name]
    model = nn.Linear(8, 1)
    session = t.Recipe().attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=nn.BCEWithLogitsLoss())
    with pytest.raises(SettingError, match=said):
        session.step(batch)


def test_one_pair_of_rows_beside_batch_norm_is_named():
    model = nn.Sequential(nn.Linear(8, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    session = t.Recipe(t.GradientPenalty(1.0)).attach(model, optimizer, loss=F.mse_loss)
    with pytest.raises(RecipeError, match=r"of a batch of 12 rows.*more rows of each kind"):
        session.step((X, (torch.arange(12.0) == 0).float()[:, None]))


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())
def test_a_bad_batch_is_named(name, loss):
    batch, said = BAD[name]
    for recipe in ((), (t.LabelSmoothing(0.1),)):
        with pytest.raises(SettingError, match=said):
            attach(loss, *recipe).step(batch)
        with pytest.raises(SettingError, match=said):
            attach(loss, *recipe).loss(batch)
    session = attach(loss)
    session.step((X, Y))
    with pytest.raises(SettingError, match=said):
        session.validate([batch])


@pytest.mark.filterwarnings("ignore:Using a target size")
def test_numbers_that_are_not_cut_alike_are_named():
    with pytest.raises(SettingError, match=r"12 rows of inputs and float32 \(5, 3\) targets"):
        attach(F.mse_loss).step((X, torch.randn(5, 3)))


def test_one_row_and_batch_norm():
    model = nn.Sequential(nn.Linear(8, 4), nn.BatchNorm1d(4), nn.Linear(4, 3))
    session = t.Recipe().attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=F.cross_entropy)
    with pytest.raises(RecipeError, match="one row, and BatchNorm needs two or more"):
        session.step((X[:1], Y[:1]))


def test_faults_that_are_not_the_batchs_stay_as_they_are():
    assert misfit(RuntimeError("boom"), Batch(X, Y), Convention()) is None
    told = SettingError("a", "b", "c")
    with pytest.raises(SettingError) as seen, fitting(Batch(X, None), Convention()):
        raise told
    assert seen.value is told
    with pytest.raises(KeyError), fitting(Batch(X, Y), Convention()):
        raise KeyError("size")


@pytest.mark.parametrize("technique", [t.OnlineLabelSmoothing(every=3), t.LabelSmoothing(0.1), t.MaxSup(0.1)], ids=str)
@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())
def test_a_class_above_all_outputs_is_named_under_techniques_that_look_it_up(technique, loss):
    with pytest.raises(SettingError, match="a class number of the batch is 5"):
        attach(loss, technique).step((X, torch.where(torch.arange(12) == 3, 5, Y)))


def test_an_index_of_the_models_own_is_not_blamed_on_the_targets():
    fault = IndexError("index 7 is out of bounds for dimension 0 with size 3")
    assert misfit(fault, Batch(X, Y), Convention("classes")) is None
