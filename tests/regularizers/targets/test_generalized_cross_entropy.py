"""GCE against its formula and at both ends."""

import numpy as np
import pytest
import torch

from temperance import GeneralizedCrossEntropy, Mixed
from temperance.models.loss import cross_entropy
from temperance.records.errors import RecipeError
from temperance.testing.said import LABELS, LOGITS, MEMBERS, RIGHT, attach, value


@pytest.mark.parametrize("q", [0.1, 0.7, 1.0])
def test_equals_the_formula(q):
    wanted = np.mean((1 - RIGHT**q) / q)
    assert float(value(GeneralizedCrossEntropy(q), LOGITS, LABELS)) == pytest.approx(wanted, abs=1e-12)


def test_small_q_nears_cross_entropy_and_q_1_is_1_minus_p():
    near = value(GeneralizedCrossEntropy(0.01), LOGITS, LABELS) - cross_entropy(LOGITS, LABELS).mean()
    assert abs(float(near)) < 0.01 * float((cross_entropy(LOGITS, LABELS) ** 2).mean())
    assert value(GeneralizedCrossEntropy(0.0), LOGITS, LABELS) == cross_entropy(LOGITS, LABELS).mean()
    assert float(value(GeneralizedCrossEntropy(1.0), LOGITS, LABELS)) == pytest.approx(1 - RIGHT.mean(), abs=1e-12)


def test_a_label_below_the_cut_teaches_nothing():
    wanted = np.mean((1 - np.maximum(RIGHT, 0.5) ** 0.7) / 0.7)
    one = GeneralizedCrossEntropy(0.7, cut=0.5)
    assert float(value(one, LOGITS, LABELS)) == pytest.approx(wanted, abs=1e-12)
    session = attach(one)
    logits = torch.tensor([[0.0, 2.0]], dtype=torch.float64, requires_grad=True)
    session.loss((logits, torch.tensor([0]))).backward()
    assert float(logits.grad.abs().max()) < 1e-15


def test_members_are_averaged():
    single = [value(GeneralizedCrossEntropy(), MEMBERS[:, k], LABELS) for k in range(3)]
    torch.testing.assert_close(value(GeneralizedCrossEntropy(), MEMBERS, LABELS), torch.stack(single).mean())


def test_mixed_targets_share_the_loss():
    other, share = LABELS.flip(0), torch.tensor(0.3, dtype=torch.float64)
    both = value(GeneralizedCrossEntropy(), LOGITS, Mixed(LABELS, other, share))
    apart = 0.3 * value(GeneralizedCrossEntropy(), LOGITS, LABELS) + 0.7 * value(
        GeneralizedCrossEntropy(), LOGITS, other
    )
    torch.testing.assert_close(both, apart)


def test_probabilities_as_targets_and_left_out_members():
    hard = value(GeneralizedCrossEntropy(), LOGITS, LABELS)
    torch.testing.assert_close(
        value(GeneralizedCrossEntropy(), LOGITS, torch.eye(4, dtype=torch.float64)[LABELS]), hard
    )
    own = torch.stack([LABELS, torch.full_like(LABELS, -1), torch.full_like(LABELS, -1)], 1)
    torch.testing.assert_close(
        value(GeneralizedCrossEntropy(), MEMBERS, own), value(GeneralizedCrossEntropy(), MEMBERS[:, 0], LABELS)
    )


def test_a_regression_is_refused_by_name():
    with pytest.raises(RecipeError, match="GeneralizedCrossEntropy"):
        value(GeneralizedCrossEntropy(), LOGITS[:, :1], torch.zeros(10), loss=lambda z, y: z.squeeze(1) - y)
