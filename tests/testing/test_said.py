import pytest
import torch

from temperance import LabelSmoothing
from temperance.testing.said import LABELS, LOGITS, RIGHT, Say, attach, value


def test_it_says_what_it_is_told() -> None:
    torch.testing.assert_close(Say()(LOGITS), LOGITS)


def test_the_value_is_the_loss_of_these_logits() -> None:
    plain = float(value(LabelSmoothing(0.0), LOGITS, LABELS))
    assert plain == pytest.approx(float(-torch.tensor(RIGHT).log().mean()))
    other = value(LabelSmoothing(0.0), LOGITS, LABELS, loss=lambda out, y: out.sum(1))
    assert float(other) == pytest.approx(float(LOGITS.sum(1).mean()))


def test_a_session_trains_nothing() -> None:
    session = attach(LabelSmoothing(0.1))
    session.step((LOGITS, LABELS))
    assert float(session.model.shift.detach()) == 0.0
