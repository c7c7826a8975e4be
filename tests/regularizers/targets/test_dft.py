"""DFT against its formula: a row counts by the probability of its label, which is held fast."""

import numpy as np
import pytest
import torch

from temperance import DFT, Focal, LabelSmoothing, Recipe
from temperance.models.loss import cross_entropy
from temperance.records.errors import RecipeError, SettingError
from temperance.testing.said import LABELS, LOGITS, MEMBERS, RIGHT, attach, value


@pytest.mark.parametrize("share", [0.25, 1.0])
def test_equals_the_formula(share):
    wanted = np.mean(((1 - share) + share * RIGHT) * -np.log(RIGHT))
    assert float(value(DFT(share), LOGITS, LABELS)) == pytest.approx(wanted, abs=1e-12)


def test_by_hand():
    """p = 1/4 and 1/2: (¼ log 4 + ½ log 2)/2 = ½ log 2."""
    logits = torch.log(torch.tensor([[0.25, 0.75], [0.5, 0.5]], dtype=torch.float64))
    assert float(value(DFT(), logits, torch.tensor([0, 0]))) == pytest.approx(0.5 * np.log(2), abs=1e-12)


def test_the_probability_is_held_fast():
    """The slope by the logits is sg(p)·(softmax − onehot), not that of p·log p."""
    session = attach(DFT())
    logits = LOGITS.clone().requires_grad_()
    session.loss((logits, LABELS)).backward()
    p = torch.softmax(LOGITS, 1)
    onehot = torch.eye(4, dtype=torch.float64)[LABELS]
    right = p.gather(1, LABELS[:, None])
    torch.testing.assert_close(logits.grad, right * (p - onehot) / len(LABELS), rtol=1e-12, atol=1e-15)


def test_share_0_is_cross_entropy_bit_for_bit():
    assert value(DFT(0.0), LOGITS, LABELS) == cross_entropy(LOGITS, LABELS).mean()


def test_beside_a_loss_of_the_users_own_it_gives_the_same():
    own = lambda z, y: torch.nn.functional.cross_entropy(z, y)  # noqa: E731
    torch.testing.assert_close(value(DFT(), LOGITS, LABELS, loss=own), value(DFT(), LOGITS, LABELS))


def test_members_and_places_that_are_left_out():
    single = [value(DFT(), MEMBERS[:, k], LABELS) for k in range(3)]
    torch.testing.assert_close(value(DFT(), MEMBERS, LABELS), torch.stack(single).mean())
    some = torch.where(torch.arange(10) < 6, LABELS, torch.full_like(LABELS, -100))
    entropy = torch.nn.functional.cross_entropy
    torch.testing.assert_close(value(DFT(), LOGITS, some, loss=entropy), value(DFT(), LOGITS[:6], LABELS[:6]))


def test_what_it_cannot_stand_beside_is_refused():
    for other in (Focal(), LabelSmoothing()):
        with pytest.raises(RecipeError, match="DFT"):
            Recipe(DFT(), other)
    with pytest.raises(RecipeError, match="DFT"):
        value(DFT(), LOGITS, LABELS, loss=torch.nn.CrossEntropyLoss(label_smoothing=0.1))
    with pytest.raises(SettingError, match="share"):
        DFT(1.5)
