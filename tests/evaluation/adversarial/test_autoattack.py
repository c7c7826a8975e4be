import sys
import types

import pytest
import torch

from temperance.evaluation.adversarial import autoattack
from temperance.evaluation.adversarial.ball import Linf
from temperance.evaluation.adversarial.victim import Victim
from temperance.records.errors import MissingExtra


def test_where_the_set_has_no_meaning_it_says_why(digits, two_classes):
    net, x, _ = digits
    assert autoattack.why_not(Victim(net, 0.0, 1.0), x) == ""
    assert "slopes" in autoattack.why_not(Victim(net, 0.0, 1.0, "none"), x)
    assert "0 to 1" in autoattack.why_not(Victim(net, -1.0, 1.0), x)
    assert "pictures" in autoattack.why_not(Victim(two_classes, 0.0, 1.0), two_classes.x)
    assert "4 classes" in autoattack.why_not(Victim(lambda p: net(p)[:, :3], 0.0, 1.0), x)


def test_a_package_that_is_not_there_is_named(digits, victim, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyautoattack", None)
    with pytest.raises(MissingExtra, match="pip install pyautoattack"):
        autoattack.standard(victim, digits[1], digits[2], Linf(0.1))


def test_the_package_is_called_with_a_seed_and_its_points_come_back(digits, victim, monkeypatch):
    asked = {}

    class Package:
        """Takes what pyautoattack 0.2 takes, and nothing else (a wider stand-in hid a wrong name)."""

        def __init__(self, model, *, attacks=None, device="cpu", eps=0.3, norm="Linf", seed=None, version="standard"):
            asked.update(seed=seed, version=version, norm=norm, eps=eps)
            self.apgd_targeted, self.fab = (types.SimpleNamespace(n_target_classes=9) for _ in range(2))
            asked["parts"] = self.apgd_targeted, self.fab

        def run_standard_evaluation(self, x, y, batch_size):
            print("noise")
            return x + 0.01, y

    monkeypatch.setitem(sys.modules, "pyautoattack", types.SimpleNamespace(AutoAttack=Package))
    points = autoattack.standard(victim, digits[1], digits[2], Linf(0.1), seed=7)
    assert torch.equal(points, digits[1] + 0.01)
    assert (asked["seed"], asked["version"], asked["norm"], asked["eps"]) == (7, "standard", "Linf", 0.1)
