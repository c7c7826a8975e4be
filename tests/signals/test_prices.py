"""Every signal says what a reading costs, and the training that it is part of is charged."""

import pytest
import torch

from temperance import EarlyStopping, Recipe
from temperance import signals as room
from temperance.core.signal import signals
from temperance.training.loop import Examples, train
from temperance.training.settings import TrainSettings

ALL = [cls for _, cls in signals.items()]


@pytest.mark.parametrize("cls", ALL, ids=lambda c: c.__name__)
def test_each_says_its_price_and_what_it_gives(cls):
    assert cls.__name__ in room.__all__
    assert cls.gives
    assert cls.price
    assert (cls.__doc__ or "").strip()
    passes = any(word in cls.price for word in ("pass", "product", "singular"))
    assert cls.when == "validate" or cls.price == "free" or "weight" in cls.price
    assert passes or "free" in cls.price or "once more" in cls.price


def test_a_training_reports_the_seconds_of_its_signals():
    torch.manual_seed(0)
    rows = Examples(torch.randn(60, 3), torch.randint(0, 2, (60,)))
    done = train(
        torch.nn.Linear(3, 2), rows, loss=torch.nn.CrossEntropyLoss(reduction="none"),
        recipe=Recipe(controller=EarlyStopping(50)), settings=TrainSettings(epochs=3, batch_size=20),
        controller_rows=rows,
    )  # fmt: skip
    assert set(done.signal_seconds) == {"gap"}
    assert 0 < done.signal_seconds["gap"] < done.seconds
