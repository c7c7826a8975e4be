"""Numbers of a session reach loggers of each kind under the same names."""

import math

import pytest
import torch
from torch import nn

from temperance import Dropout, Recipe
from temperance.control import Linear
from temperance.integrations.loggers import send
from temperance.records.errors import SettingError


class Writer:
    """Like TensorBoard's SummaryWriter, which has a ``log``-less ``add_scalar``."""

    def __init__(self):
        self.seen = {}

    def add_scalar(self, name, value, step):
        self.seen[name] = (value, step)


class Mlflow:
    """Like the module ``mlflow`` and Lightning's loggers."""

    def __init__(self):
        self.seen = {}

    def log_metrics(self, metrics, step=None):
        self.seen = {name: (value, step) for name, value in metrics.items()}


class Run:
    """Like a run of Weights & Biases."""

    def __init__(self):
        self.seen = {}

    def log(self, data, step=None):
        self.seen = {name: (value, step) for name, value in data.items()}


@pytest.fixture
def session():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    session = Recipe(Dropout(0.4), controller=Linear(0.0, 1.0)).attach(
        model, torch.optim.SGD(model.parameters(), lr=0.1), loss=nn.functional.cross_entropy, steps=10
    )
    for _ in range(5):
        session.step((torch.randn(8, 3), torch.randint(0, 2, (8,))))
    return session


def test_each_kind_of_logger_gets_the_same_numbers(session):
    plain = {}
    kinds = (Writer(), Mlflow(), Run())
    sent = send(session, *kinds, lambda numbers, step: plain.update({n: (v, step) for n, v in numbers.items()}))
    assert sent["strength/dropout.p"] == pytest.approx(session.strengths["dropout.p"])
    assert sent["loss"] > 0
    expected = {name: (value, 5) for name, value in sent.items()}
    assert all(one.seen == expected for one in kinds)
    assert plain == expected
    assert all(math.isfinite(value) for value in sent.values())


def test_prefix_and_step(session):
    run = Run()
    send(session, run, prefix="a/", step=77)
    assert run.seen["a/step"] == (5.0, 77)


def test_another_kind_is_refused(session):
    with pytest.raises(SettingError, match="a logger of type int"):
        send(session, 3)
