"""Stopping on a signal that rises, and at the first low point of a smoothed one."""

import numpy as np
import pytest
import torch
from torch import nn

from temperance import LabelWave, Recipe, StopRising
from temperance.core.batch import Batch
from temperance.records.errors import SettingError


def run(controller, values, name):
    memory, stops, keeps = controller.begin({"s": np.asarray(0.0)}, {}), [], []
    for value in values:
        _, memory = controller.steer({}, {} if value is None else {name: value}, memory, {})
        stops.append(bool(memory["stop"]))
        keeps.append(bool(memory["keep"]))
    return stops, keeps


def test_stops_after_so_many_rises_in_a_row():
    values = [3, 4, 5, 2, 3, None, 4, 5]
    stops, keeps = run(StopRising(3), values, "gradient_disparity")
    assert stops == [False] * 7 + [True]
    assert keeps == [True, False, False, True, False, False, False, False]  # restored: the state at 2


def test_or_in_all():
    stops, _ = run(StopRising(3, in_a_row=False), [3, 4, 5, 2, 3, 4], "gradient_disparity")
    assert stops == [False, False, False, False, True, True]


def test_the_first_low_point_of_the_moving_average_by_hand():
    counts = [None, 90, 60, 30, 24, 36, 33, 45, 0]  # means of three: 60, 38, 30, 31 → low at 30
    stops, keeps = run(LabelWave(3), counts, "prediction_flips")
    assert stops == [False] * 6 + [True] * 3
    assert keeps == [False] * 3 + [True] * 3 + [False] * 3


def test_patience_lets_a_small_wave_pass():
    counts = [90, 60, 30, 24, 36, 33, 3, 3]  # means: 60, 38, 30, 31, 24, 13
    assert run(LabelWave(3, patience=2), counts, "prediction_flips")[0] == [False] * 8


def test_members_stop_each_for_itself():
    memory = (one := StopRising(1)).begin({"s": np.zeros(2)}, {})
    for value in ([1.0, 1.0], [2.0, 0.0]):
        _, memory = one.steer({"s": np.zeros(2)}, {"gradient_disparity": np.array(value)}, memory, {"s": None})
    assert memory["stop"].tolist() == [True, False]
    memory = (wave := LabelWave(1)).begin({"s": np.zeros(2)}, {})
    for value in ([5.0, 5.0], [6.0, 4.0]):
        _, memory = wave.steer({"s": np.zeros(2)}, {"prediction_flips": np.array(value)}, memory, {"s": None})
    assert memory["stop"].tolist() == [True, False]


def test_the_log_says_why():
    one = LabelWave(1)
    memory = one.begin({}, {})
    for value in (5.0, 6.0):
        _, memory = one.steer({}, {"prediction_flips": value, "step": 7}, memory, {})
    (line,) = one.explain({}, {}, {"prediction_flips": 6.0, "step": 7}, memory, {})
    assert (line.strength, line.step, line.value, line.error) == ("training", 7, 6.0, 1.0)
    assert "first low point" in line.reason
    assert "risen 5 times in a row" in StopRising().why("training", 0.0, 0.0)


@pytest.mark.parametrize("wrong", [lambda: StopRising(0), lambda: LabelWave(0), lambda: LabelWave(patience=0)])
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(SettingError, match="whole number"):
        wrong()


@pytest.mark.slow
def test_label_wave_stops_before_wrong_labels_are_learnt():
    """Acceptance: digits, 40 % wrong labels, cross-entropy: stops at least .15 above the last epoch, within 10 %."""
    from sklearn.datasets import load_digits

    data = load_digits()
    x = torch.tensor(data.data / 16, dtype=torch.float32)
    truth = torch.tensor(data.target)
    found = []
    for seed in range(3):
        generator = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(x), generator=generator)
        train, test = order[:1000], order[1000:]
        y = truth[train].clone()
        wrong = torch.rand(1000, generator=generator) < 0.4
        y[wrong] = (y[wrong] + torch.randint(1, 10, (int(wrong.sum()),), generator=generator)) % 10
        accuracy = {
            name: _trained(x[train], y, x[test], truth[test], controller, seed)
            for name, controller in (("stopped", LabelWave()), ("last", None))
        }
        found.append((accuracy["stopped"][0], accuracy["last"][0], accuracy["stopped"][1] - 1))
    stopped, last, low_point = np.mean(found, axis=0)
    assert stopped >= last + 0.15
    assert low_point <= 12


def _trained(x, y, tx, ty, controller, seed, epochs=120):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    session = Recipe(controller=controller).attach(
        model, optimizer, loss=nn.CrossEntropyLoss(reduction="none"), epochs=epochs, steps_per_epoch=16
    )
    generator = torch.Generator().manual_seed(seed)
    for epoch in range(1, epochs + 1):  # noqa: B007
        for index in torch.randperm(1000, generator=generator).split(64):
            session.step(Batch(x[index], y[index], index=index))
        if controller is not None:
            session.validate([(x[:64], y[:64])])
        if session.stopped:
            break
    model = session.finish()
    with torch.no_grad():
        return float((model(tx).argmax(1) == ty).float().mean()), epoch
