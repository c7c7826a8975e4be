"""Signals with memory: sampled, charged, ordered, saved."""

import io
import time
from dataclasses import dataclass
from typing import ClassVar, Literal

import pytest
import torch
from torch import nn

from temperance import Dropout, GapFeedback, KLAnchor, Recipe
from temperance.core.batch import Batch
from temperance.core.signal import Signal, providers
from temperance.signals.plateau import Plateau
from temperance.signals.prediction_flips import PredictionFlips


@dataclass(frozen=True)
class Slow(Signal):
    every: int = 3
    gives: ClassVar[tuple[str, ...]] = ("slow",)

    def measure(self, probe):
        time.sleep(0.01)
        probe.memory["count"] = probe.memory.get("count", 0) + 1
        return {"slow": float(probe.memory["count"])}


@dataclass(frozen=True)
class EveryStep(Signal):
    gives: ClassVar[tuple[str, ...]] = ("seen",)
    when: ClassVar[Literal["step", "validate"]] = "step"

    def prepare(self, probe):
        probe.memory.setdefault("prepared", []).append(probe.step)

    def measure(self, probe):
        return {"seen": float(probe.step)}


def attached(*own, **settings):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    recipe = settings.pop("recipe", Recipe())
    return recipe.attach(model, optimizer, loss=nn.CrossEntropyLoss(reduction="none"), signals=own, **settings)


def rows(seed=0, n=12):
    generator = torch.Generator().manual_seed(seed)
    return Batch(torch.randn(n, 3, generator=generator), torch.randint(0, 2, (n,), generator=generator),
                 index=torch.arange(n))  # fmt: skip


def test_a_costly_signal_is_sampled_and_its_seconds_are_charged():
    session, given = attached(Slow()), []
    session.step(rows())
    for _ in range(7):
        given.append(session.validate([rows()])["slow"])
    assert given == [1, 1, 1, 2, 2, 2, 3]
    assert 0.03 <= session.signal_seconds["slow"] < 1.0
    assert session.signal_memory("slow")["count"] == 3


def test_controllers_see_a_sampled_signal_only_when_it_was_measured():
    session = attached(Slow())
    session.step(rows())
    assert "slow" in session._meter.measure(session.probe([rows()]))
    assert "slow" not in session._meter.measure(session.probe([rows()]))


def test_signals_that_need_others_come_after_them_and_bring_them_along():
    assert [type(s).__name__ for s in providers(frozenset({"plateau"}))] == ["Gap", "Plateau"]
    own = Plateau(tolerance=0.5)
    assert providers(frozenset({"plateau"}), [own])[1] is own
    session = attached(Plateau())
    session.step(rows())
    got = session.validate([rows(1)])
    assert got["plateau"] == 0.0
    assert got["valid_loss"] > 0


def test_preparation_comes_one_step_before_each_reading():
    session = attached(EveryStep(), steps=1000)  # read every fifth step
    for _ in range(11):
        session.step(rows())
    assert session.signal_memory("every_step")["prepared"] == [4, 9]
    assert session.signals["seen"] == 10


def test_the_memory_of_signals_is_part_of_the_checkpoint():
    def run(session, epochs):
        for epoch in epochs:
            session.step(rows(epoch))
            session.validate([rows(99)])
        return session

    recipe = Recipe(Dropout(0.3), controller=GapFeedback())
    half = run(attached(PredictionFlips(), Plateau(), recipe=recipe), range(3))
    half.step(rows(7))
    file = io.BytesIO()
    torch.save(half.state_dict(), file)
    file.seek(0)
    again = attached(PredictionFlips(), Plateau(), recipe=recipe)
    again.load_state_dict(torch.load(file, weights_only=True))
    assert again.signal_seconds == half.signal_seconds
    one, two = run(half, range(3, 6)), run(again, range(3, 6))
    assert one.signals == two.signals
    assert one.signals["prediction_flips"] == one.signals["prediction_flips"]


def test_signals_of_the_recipe_alone_cost_nothing_in_a_step_that_is_not_read():
    session = attached(recipe=Recipe(controller=GapFeedback()))
    session.step(rows())
    assert session._meter.memory["gap"] == {}
    with pytest.raises(KeyError):
        session.signal_memory("nobody")


@dataclass(frozen=True)
class Rows(Signal):
    gives: ClassVar[tuple[str, ...]] = ("rows",)

    def measure(self, probe):
        return {"rows": float(sum(batch.size for batch in probe.valid))}


def test_batches_are_held_only_where_a_signal_looks_at_them():
    session = attached()
    session.step(rows())
    assert not session._meter.needs_valid
    session.validate(iter([rows(), rows()]))
    session = attached(Rows())
    session.step(rows())
    assert session._meter.needs_valid
    assert session.validate(iter([rows(), rows()]))["rows"] == 24
    session = attached(Rows())
    session.step(rows())
    assert "rows" not in session.validate(value=1.0, better="lower")  # nothing to look at


@dataclass(frozen=True)
class Noted(Signal):
    gives: ClassVar[tuple[str, ...]] = ("noted",)
    when: ClassVar[Literal["step", "validate"]] = "step"

    def begin(self, probe):
        probe.memory["begun"] = probe.step, len(probe.read((torch.zeros(4, 3), torch.zeros(4, dtype=torch.long))))

    def note(self, notes, memory):
        memory["names"] = [*memory.get("names", []), *notes]

    def measure(self, probe):
        return {"noted": float(len(probe.memory.get("names", [])))}


def test_a_signal_begins_at_attach_and_hears_what_techniques_tell():
    session = attached(Noted(), recipe=Recipe(KLAnchor()))
    assert session.signal_memory("noted")["begun"] == (0, 1)
    for number in range(2):
        session.step(rows(number))
    assert session.signal_memory("noted")["names"] == ["kl_anchor.kl"] * 2
    quiet = attached(Noted())
    quiet.step(rows())
    assert "names" not in quiet.signal_memory("noted")
