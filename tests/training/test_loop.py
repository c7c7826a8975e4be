"""The loop around a session."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from temperance import EMA, Curriculum, Dropout, EarlyStopping, GapFeedback, MixUp, Recipe, WeightDecay
from temperance.control.replay import from_traces
from temperance.training.loop import PROOF_AT, READINGS, Examples, Trained
from temperance.training.settings import TrainSettings

Run = Callable[..., Trained]
COCKTAIL = Recipe(Dropout(0.1), MixUp(0.2), WeightDecay(0.1), EMA(0.9))


def weights(trained: Trained) -> list[Tensor]:
    return [value.detach().clone() for value in trained.model.state_dict().values()]


def same(first: Trained, second: Trained) -> bool:
    return all(torch.equal(a, b) for a, b in zip(weights(first), weights(second), strict=True))


def test_twice_is_bit_for_bit_the_same_and_another_seed_is_not(run: Run) -> None:
    one = run(COCKTAIL)
    torch.manual_seed(99)
    torch.rand(7)  # the global generator plays no part
    two = run(COCKTAIL)
    assert same(one, two)
    assert one.history == two.history
    assert not same(one, run(COCKTAIL, seed=2))


def test_it_learns_counts_and_hands_back_a_clean_model(run: Run, rows: Examples) -> None:
    found = run(COCKTAIL)
    assert (found.steps, found.epochs, found.fraction, found.stopped) == (36, 6.0, 1.0, "")
    assert found.seconds > 0
    assert found.passes >= 2 * found.steps
    assert not found.model.training
    assert [type(layer) for layer in found.model] == [nn.Linear, nn.ReLU, nn.Linear]  # type: ignore[union-attr]
    assert (found.model(rows.inputs).argmax(1) == rows.targets).float().mean() > 0.8


def test_without_a_recipe_it_is_plain_adamw(run: Run, rows: Examples) -> None:
    found = run(settings=TrainSettings(epochs=3.0, batch_size=1000, lr=1e-2, curve="constant"))
    from copy import deepcopy

    torch.manual_seed(0)
    twin = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2))
    start = deepcopy(twin.state_dict())
    optimizer = torch.optim.AdamW(twin.parameters(), lr=1e-2, betas=(0.9, 0.99), weight_decay=0.0)
    for _ in range(3):
        optimizer.zero_grad()
        nn.functional.cross_entropy(twin(rows.inputs), rows.targets).backward()
        optimizer.step()
    for a, b, c in zip(weights(found), twin.state_dict().values(), start.values(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)
        assert not torch.equal(a, c)


def test_every_ingredient_is_proved_to_act_and_the_proof_leaves_no_trace(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = run(COCKTAIL)
    assert {one.ingredient for one in found.proof} == {"dropout", "mixup", "weight_decay", "ema"}
    assert all(one.acted and one.silent for one in found.proof if one.ingredient != "ema")
    assert PROOF_AT < 1
    monkeypatch.setattr("temperance.training.loop.PROOF_AT", 2.0)
    unproved = run(COCKTAIL)
    assert not unproved.proof
    assert same(found, unproved)


def test_the_deadline_ends_it_unfinished(run: Run) -> None:
    found = run(COCKTAIL, deadline=time.monotonic() - 1)
    assert found.stopped == "out of time"
    assert (found.steps, found.fraction) == (1, 1 / 36)


def test_until_stops_at_the_same_place_as_a_tick(run: Run) -> None:
    half = run(COCKTAIL, until=0.5)
    asked: list[float] = []

    def tick(fraction: float, session: object) -> bool:
        asked.append(fraction)
        return fraction < 0.5

    stopped = run(COCKTAIL, marks=(0.25, 0.5, 0.75), tick=tick)
    assert asked == [0.25, 0.5]
    assert (half.fraction, half.stopped) == (0.5, "")
    assert (stopped.fraction, stopped.stopped) == (0.5, "discarded")
    assert same(half, stopped)


def test_marks_change_nothing_where_the_training_goes_on(run: Run) -> None:
    seen: list[bool] = []

    def tick(fraction: float, session: object) -> bool:
        session.model.eval()  # type: ignore[attr-defined]
        seen.append(True)
        return True

    assert same(run(COCKTAIL), run(COCKTAIL, marks=(0.25, 0.5), tick=tick))
    assert len(seen) == 2


def test_a_replayed_trace_gives_the_same_weights(run: Run) -> None:
    techniques = COCKTAIL.regularizers
    adaptive = run(Recipe(*techniques, controller=Curriculum()))
    assert adaptive.trace
    again = run(Recipe(*techniques, controller=from_traces([adaptive.trace])))
    assert same(adaptive, again)
    assert not same(adaptive, run(COCKTAIL))


def test_controllers_read_their_rows_at_least_twenty_times(run: Run, rows: Examples) -> None:
    recipe = Recipe(Dropout(0.1), controller=GapFeedback())
    found = run(recipe, controller_rows=rows)
    read = [row for row in found.history if "gap" in row or any("valid" in key for key in row)]
    assert len(read) >= READINGS
    assert not any("gap" in row for row in run(recipe).history)


def test_a_controller_may_stop_it(run: Run, rows: Examples) -> None:
    hard = Examples(rows.inputs, 1 - rows.targets)  # ever worse on these
    found = run(Recipe(controller=EarlyStopping(patience=2)), controller_rows=hard)
    assert found.stopped.startswith("its controller stopped it")
    assert found.fraction < 1


def test_history_has_a_row_per_epoch_with_rising_fractions(run: Run) -> None:
    found = run(settings=TrainSettings(epochs=30.0, batch_size=16, lr=1e-2))
    fractions = [row["fraction"] for row in found.history]
    assert fractions == sorted(set(fractions))
    assert fractions[-1] == 1.0
    assert len(fractions) == 30
    assert found.history[-1]["train_loss_regularized"] < found.history[0]["train_loss_regularized"]


def test_an_optimizer_of_ones_own_is_used_and_no_batch_has_one_row(rows: Examples) -> None:
    from temperance.training.loop import train

    sizes: list[int] = []

    class Counting(nn.Linear):
        def forward(self, inputs: Tensor) -> Tensor:
            sizes.append(len(inputs))
            return super().forward(inputs)

    model = Counting(2, 2)
    some = Examples(rows.inputs[:33], rows.targets[:33])
    own = torch.optim.SGD(model.parameters(), lr=0.1)
    loss = nn.CrossEntropyLoss(reduction="none")
    settings = TrainSettings(epochs=2.0, batch_size=16, lr=0.1)
    found = train(model, some, loss=loss, recipe=Recipe(), settings=settings, optimizer=own)
    assert found.steps == 4
    assert min(sizes) >= 16
    assert own.param_groups[0]["lr"] < 0.1


def test_a_failure_takes_the_surgery_back(rows: Examples) -> None:
    from temperance.training.loop import train

    def broken(outputs: Tensor, targets: Tensor) -> Tensor:
        raise ValueError("broken loss")

    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 2))
    before = [type(layer) for layer in model.modules()]
    with pytest.raises(ValueError, match="broken loss"):
        train(model, rows, loss=broken, recipe=Recipe(Dropout(0.1)), settings=TrainSettings())
    assert [type(layer) for layer in model.modules()] == before


def test_examples_select_and_split_rows(rows: Examples) -> None:
    pair = Examples((rows.inputs, rows.targets[:, None]), rows.targets)
    batch = pair.batch(torch.tensor([5, 2]))
    assert torch.equal(batch.inputs[0], rows.inputs[[5, 2]])
    assert torch.equal(batch.inputs[1][:, 0], batch.targets)
    assert [len(one.targets) for one in pair.batches(40)] == [40, 40, 16]
    assert len(pair) == 96


def test_fractions_of_an_epoch(run: Run) -> None:
    found = run(settings=replace(TrainSettings(batch_size=16, lr=1e-2), epochs=0.5))
    assert found.steps == 3
    assert math.isclose(found.epochs, 0.5)


def test_the_controller_rows_choose_the_weights_only_where_asked(run: Run, rows: Examples) -> None:
    last, chosen = run(Recipe(), controller_rows=rows), run(Recipe(), controller_rows=rows, select="average")
    assert same(last, run(Recipe()))
    assert not last.trace
    assert chosen.trace[-1].strength == "weights"
    assert chosen.trace[-1].value <= min(row["valid_loss"] for row in chosen.history)


def test_a_controller_that_heard_nothing_is_among_the_warnings(run: Run) -> None:
    told = run(Recipe(Dropout(0.1), controller=GapFeedback())).warnings
    assert any("GapFeedback never heard gap" in sentence for sentence in told)
