"""FGSM training: its one step, the alarm, and what the probe costs."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from temperance import FGSMTraining, Recipe
from temperance.core.batch import Batch
from temperance.records.errors import SettingError
from temperance.regularizers.smoothness import fgsm_training


def _session(one, model):
    return Recipe(one).attach(model, torch.optim.SGD(model.parameters(), lr=1e-6), loss=functional.cross_entropy)


def test_the_alarm_rings_where_only_the_quick_attack_is_resisted(monkeypatch):
    shares = iter([0.9, 0.01])
    monkeypatch.setattr(fgsm_training, "right", lambda outputs, batch: next(shares))
    session = _session(FGSMTraining(0.1, probe_every=2), nn.Linear(3, 2))
    batch = torch.randn(8, 3), torch.arange(8) % 2
    assert "fgsm_training.pgd_accuracy" not in session.step(batch).notes
    with pytest.warns(RuntimeWarning, match="catastrophic over-fitting. 90% .* 1% under"):
        notes = session.step(batch).notes
    assert float(notes["fgsm_training.pgd_accuracy"]) == pytest.approx(0.01)
    assert float(notes["fgsm_training.quick_accuracy"]) == pytest.approx(0.9)
    (kept,) = session.warnings
    assert "90% of the rows" in kept
    assert kept.endswith("First seen at pass 2.")
    again = _session(FGSMTraining(0.1, probe_every=2), nn.Linear(3, 2))
    assert again.warnings == ()
    again.load_state_dict(session.state_dict())
    assert again.warnings == (kept,)


@pytest.mark.filterwarnings("error")
def test_no_alarm_for_a_net_that_both_attacks_beat_or_none():
    model = nn.Linear(3, 2)
    session = _session(FGSMTraining(1e-3, probe_every=1), model)
    passed = session.step((torch.randn(20, 3) * 5, torch.arange(20) % 2))
    quick, strong = (float(passed.notes[f"fgsm_training.{name}_accuracy"]) for name in ("quick", "pgd"))
    assert strong <= quick


def test_the_probe_costs_what_is_declared():
    one, model = FGSMTraining(0.1, probe_every=4), nn.Linear(3, 2)
    count = [0]
    model.register_forward_pre_hook(lambda *_: count.__setitem__(0, count[0] + 1))
    session = _session(one, model)
    for _ in range(8):
        session.step((torch.randn(5, 3), torch.arange(5) % 2))
    assert count[0] == pytest.approx(8 * one.cost.forwards)


def test_right_answers_of_one_score_of_classes_and_of_members():
    labels = torch.tensor([0, 1, 1])
    batch = Batch(None, labels)
    assert fgsm_training.right(torch.tensor([-1.0, 2.0, -3.0]), batch) == pytest.approx(2 / 3)
    assert fgsm_training.right(torch.eye(2)[[0, 1, 1]], batch) == 1.0
    members = torch.eye(2)[torch.tensor([[0, 1], [1, 1], [0, 0]])]  # two members
    assert fgsm_training.right(members, batch) == pytest.approx(3 / 6)
    left_out = torch.tensor([[0, -1], [1, 1], [-1, 1]])
    assert fgsm_training.right(members, Batch(None, left_out)) == pytest.approx(3 / 4)
    assert math.isnan(fgsm_training.right(torch.zeros(3, 2, 4, 4), batch))


def test_settings_out_of_range():
    with pytest.raises(SettingError, match="stride"):
        FGSMTraining(stride=0.0)
    with pytest.raises(SettingError, match="probe_every"):
        FGSMTraining(probe_every=-1)
