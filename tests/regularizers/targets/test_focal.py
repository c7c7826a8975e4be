"""Focal loss against its formula; the thresholds of FLSD-53."""

import numpy as np
import pytest
import torch

from temperance import Focal, LabelSmoothing, Mixed, Recipe
from temperance.models.loss import cross_entropy
from temperance.records.errors import RecipeError, SettingError
from temperance.testing.said import LABELS, LOGITS, MEMBERS, RIGHT, attach, value


@pytest.mark.parametrize("gamma", [0.5, 2.0, 5.0])
def test_equals_the_formula(gamma):
    wanted = np.mean((1 - RIGHT) ** gamma * -np.log(RIGHT))
    assert float(value(Focal(gamma), LOGITS, LABELS)) == pytest.approx(wanted, abs=1e-12)


def test_gamma_0_is_cross_entropy_bit_for_bit():
    assert value(Focal(0.0), LOGITS, LABELS) == cross_entropy(LOGITS, LABELS).mean()


@pytest.mark.parametrize(("p", "gamma"), [(0.05, 5.0), (0.199, 5.0), (0.201, 3.0), (0.6, 3.0), (0.99, 3.0)])
def test_the_thresholds_of_flsd_53(p, gamma):
    logits = torch.log(torch.tensor([[p, 1 - p]], dtype=torch.float64))
    wanted = (1 - p) ** gamma * -np.log(p)
    assert float(value(Focal(by="flsd53"), logits, torch.tensor([0]))) == pytest.approx(wanted, abs=1e-12)


def test_the_gradient_stays_finite_where_the_net_is_certain():
    session = attach(Focal(0.5))
    session.loss((torch.tensor([[800.0, 0.0]], dtype=torch.float64), torch.tensor([0]))).backward()
    assert bool(torch.isfinite(session.model.shift.grad))


def test_unclear_partners_and_settings_are_refused():
    with pytest.raises(RecipeError, match="which loss is softened"):
        Recipe(Focal(), LabelSmoothing())
    with pytest.raises(SettingError, match="flsd53"):
        Focal(by="size")


def test_members_are_averaged():
    single = [value(Focal(2.0), MEMBERS[:, k], LABELS) for k in range(3)]
    torch.testing.assert_close(value(Focal(2.0), MEMBERS, LABELS), torch.stack(single).mean())


def test_mixed_targets_share_the_loss():
    other, share = LABELS.flip(0), torch.tensor(0.3, dtype=torch.float64)
    both = value(Focal(2.0), LOGITS, Mixed(LABELS, other, share))
    apart = 0.3 * value(Focal(2.0), LOGITS, LABELS) + 0.7 * value(Focal(2.0), LOGITS, other)
    torch.testing.assert_close(both, apart)


def test_probabilities_as_targets_and_left_out_members():
    hard = value(Focal(2.0), LOGITS, LABELS)
    torch.testing.assert_close(value(Focal(2.0), LOGITS, torch.eye(4, dtype=torch.float64)[LABELS]), hard)
    own = torch.stack([LABELS, torch.full_like(LABELS, -1), torch.full_like(LABELS, -1)], 1)
    torch.testing.assert_close(value(Focal(2.0), MEMBERS, own), value(Focal(2.0), MEMBERS[:, 0], LABELS))


def test_a_regression_is_refused_by_name():
    with pytest.raises(RecipeError, match="Focal"):
        value(Focal(), LOGITS[:, :1], torch.zeros(10), loss=lambda z, y: z.squeeze(1) - y)
