"""Devices that lack float64, and what ``auto`` is: here a CPU that pretends."""

import pytest
import torch
from torch import nn
from torch.utils import _pytree as tree
from torch.utils._python_dispatch import TorchDispatchMode

import temperance.regularizers  # noqa: F401  (fills the registry)
from temperance import Dropout, GapFeedback, Recipe, WeightDecay
from temperance.core import devices
from temperance.core.batch import Batch
from temperance.core.regularizer import techniques
from temperance.records.errors import RecipeError
from temperance.study.worker import auto_device
from temperance.testing import checks
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import attach

ALL = [pytest.param(next(iter(cls.samples())), id=cls.__name__) for _, cls in techniques.items()]
MLP = PROBLEMS["mlp"]


class NoDoubles(TorchDispatchMode):
    """Refuse every tensor of float64, as a device without it does."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        if "lift_fresh" in str(function):  # numbers of the host on their way to a device
            return made
        for t in tree.tree_leaves(made):
            if isinstance(t, torch.Tensor) and t.dtype == torch.float64:
                raise TypeError(f"{function} made float64 on a device without it")
        return made


@pytest.fixture
def without_float64(monkeypatch):
    monkeypatch.setattr(devices, "NO_FLOAT64", frozenset({"cpu"}))


def test_where_float64_is_missing_strengths_are_float32(without_float64):
    assert devices.exact(torch.device("cpu")) == torch.float32
    assert devices.exact(torch.device("cuda")) == torch.float64
    session = attach(Recipe(Dropout(0.1), WeightDecay(0.1)), MLP)
    assert {t.dtype for part in session._strengths.values() for t in part.values()} == {torch.float32}
    session.set_strength("dropout.p", 0.3)
    assert session.strengths["dropout.p"] == 0.3  # the number that controllers see loses nothing


def test_mps_is_known_to_lack_it():
    assert devices.exact(torch.device("mps")) == torch.float32


@pytest.mark.filterwarnings("ignore::temperance.core.embedding.OnEmbeddings")  # some run on a model of tokens
@pytest.mark.parametrize("one", ALL)
def test_every_technique_trains_without_float64(one, without_float64):
    problem = next((p for p in PROBLEMS.values() if not checks.applies(one, p)), None)
    assert problem is not None
    with NoDoubles():
        session = attach(Recipe(one), problem)
        for number in range(3):
            session.step(problem.batch(number))
            session.validate([problem.batch(9)], metric="loss")
    assert session.steps == 3


def test_signals_and_controllers_measure_without_float64(without_float64):
    with NoDoubles():
        session = attach(Recipe(Dropout(0.1), controller=GapFeedback()), MLP)
        for number in range(4):
            session.step(MLP.batch(number))
            numbers = session.validate([MLP.batch(9)], metric="accuracy")
    assert 0.0 <= numbers["metric"] <= 1.0
    assert "gap" in numbers


@pytest.mark.parametrize(
    ("cuda", "mps", "name"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)  # fmt: skip
def test_auto_is_what_torch_can_use(monkeypatch, cuda, mps, name):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert devices.best() == auto_device() == name


def test_a_model_on_another_device_has_everything_there():
    """On ``meta`` no number is computed, so a tensor that stayed on the CPU is refused by torch itself."""
    model = MLP.model().to("meta")
    session = Recipe(Dropout(0.1), WeightDecay(0.1)).attach(
        model, torch.optim.SGD(model.parameters(), lr=0.1), loss=MLP.loss, nan="ignore", select=None
    )
    assert {t.device.type for part in session._strengths.values() for t in part.values()} == {"meta"}
    with pytest.raises((RecipeError, NotImplementedError, RuntimeError)):
        session.step(MLP.batch(0))  # the rows are on the CPU


@pytest.mark.parametrize("weights", [None, torch.tensor([1.0, 2.0, 3.0])], ids=["plain", "classes weighed"])
def test_what_counts_is_counted_without_float64(weights, without_float64):
    """Micro-batches, row weights, left-out classes and validation."""
    loss = nn.CrossEntropyLoss(weight=weights, reduction="none")
    model = nn.Linear(4, 3)
    session = Recipe(WeightDecay(0.1)).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=loss)
    x, y = torch.randn(6, 4), torch.tensor([0, 1, 2, -100, 1, -100])
    weight = torch.tensor([1.0, 2.0, 1.0, 1.0, 0.5, 1.0])
    with NoDoubles():
        session.step([Batch(x[:2], y[:2], weight[:2]), Batch(x[2:], y[2:], weight[2:])])
        session.step([Batch(x[:3], y[:3]), Batch(x[3:], y[3:])])
        numbers = session.validate([Batch(x, y, weight)], metric="accuracy")
    assert 0 <= numbers["metric"] <= 1
    assert numbers["valid_loss"] > 0
