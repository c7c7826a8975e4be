"""SCE against its formula."""

import numpy as np
import pytest
import torch

from temperance import Focal, Mixed, Recipe, SymmetricCrossEntropy
from temperance.models.loss import cross_entropy
from temperance.records.errors import RecipeError, SettingError
from temperance.testing.said import LABELS, LOGITS, MEMBERS, PROBABILITIES, RIGHT, value


def test_equals_the_formula_with_the_sum_over_classes():
    certain = np.where(np.eye(4)[LABELS.numpy()] > 0, 0.0, -4.0)
    reverse = -(PROBABILITIES * certain).sum(1).mean()
    wanted = 0.5 * np.mean(-np.log(RIGHT)) + 2.0 * reverse
    assert float(value(SymmetricCrossEntropy(0.5, beta=2.0), LOGITS, LABELS)) == pytest.approx(wanted, abs=1e-12)


def test_alpha_1_and_beta_0_are_the_loss_bit_for_bit():
    assert value(SymmetricCrossEntropy(1.0, beta=0.0), LOGITS, LABELS) == cross_entropy(LOGITS, LABELS).mean()


def test_a_wrong_floor_and_a_second_loss_are_refused():
    with pytest.raises(SettingError, match="floor"):
        SymmetricCrossEntropy(floor=1.0)
    with pytest.raises(RecipeError, match="replace the loss"):
        Recipe(SymmetricCrossEntropy(), Focal())


def test_members_are_averaged():
    single = [value(SymmetricCrossEntropy(), MEMBERS[:, k], LABELS) for k in range(3)]
    torch.testing.assert_close(value(SymmetricCrossEntropy(), MEMBERS, LABELS), torch.stack(single).mean())


def test_mixed_targets_share_the_loss():
    other, share = LABELS.flip(0), torch.tensor(0.3, dtype=torch.float64)
    both = value(SymmetricCrossEntropy(), LOGITS, Mixed(LABELS, other, share))
    apart = 0.3 * value(SymmetricCrossEntropy(), LOGITS, LABELS) + 0.7 * value(SymmetricCrossEntropy(), LOGITS, other)
    torch.testing.assert_close(both, apart)


def test_probabilities_as_targets_and_left_out_members():
    hard = value(SymmetricCrossEntropy(), LOGITS, LABELS)
    torch.testing.assert_close(value(SymmetricCrossEntropy(), LOGITS, torch.eye(4, dtype=torch.float64)[LABELS]), hard)
    own = torch.stack([LABELS, torch.full_like(LABELS, -1), torch.full_like(LABELS, -1)], 1)
    torch.testing.assert_close(
        value(SymmetricCrossEntropy(), MEMBERS, own), value(SymmetricCrossEntropy(), MEMBERS[:, 0], LABELS)
    )


def test_a_regression_is_refused_by_name():
    with pytest.raises(RecipeError, match="SymmetricCrossEntropy"):
        value(SymmetricCrossEntropy(), LOGITS[:, :1], torch.zeros(10), loss=lambda z, y: z.squeeze(1) - y)
