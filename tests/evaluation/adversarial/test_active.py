import json

import torch

from temperance.evaluation.adversarial.active import Active, active_test
from temperance.evaluation.adversarial.ball import Linf


def test_a_sound_attack_solves_what_chance_does_not_and_one_without_slopes_fails(digits, victim):
    net, x, _ = digits
    body = net[:-1]
    sound = active_test(victim, body, x[:20], Linf(0.1))
    assert sound.tried + sound.impossible == 20
    assert sound.tried >= 15
    assert sound.passed
    assert sound.by_chance < sound.solved
    blind = active_test(victim, lambda p: body(p).detach(), x[:20], Linf(0.1))
    assert blind.passed is False
    json.dumps(sound.to_dict(), allow_nan=False)


def test_where_no_readout_separates_nothing_is_said(digits, victim):
    found = active_test(victim, lambda p: torch.zeros(len(p), 3), digits[1][:12], Linf(0.1))
    assert (found.tried, found.impossible, found.passed) == (0, 12, None)


def test_the_verdict_knows_its_count():
    assert Active(9, 0, 9, 0, 0.0).passed is None
    assert Active(10, 0, 10, 0, 0.0).passed
    assert Active(30, 0, 50, 0, 0.0).passed is False
