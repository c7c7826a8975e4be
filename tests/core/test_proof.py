import pytest
import torch

from temperance import (
    EMA,
    L1,
    L2,
    SAM,
    Dropout,
    FeatureNoise,
    GradientClipping,
    LabelSmoothing,
    MixUp,
    Recipe,
    StochasticDepth,
    WeightDecay,
)  # fmt: skip
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import assert_same, attach, outcome, train

CONV = PROBLEMS["convnet"]
ACTING = (
    Dropout(0.3), StochasticDepth(0.5), MixUp(1.0), FeatureNoise(0.2), LabelSmoothing(0.1), L1(1e-3), L2(1e-2),
    SAM(0.1), GradientClipping(0.01), WeightDecay(0.1), EMA(0.9),
)  # fmt: skip


@pytest.mark.parametrize("one", ACTING, ids=repr)
def test_each_ingredient_is_seen_to_act_and_to_be_silent_at_inference(one):
    session = train(attach(Recipe(one), CONV), CONV, range(3))
    (evidence,) = session.proof(CONV.batch(9))
    assert evidence.acted, evidence
    assert evidence.silent, evidence
    assert evidence.to_dict()["ingredient"] == evidence.ingredient
    assert "silent at inference" in evidence.evidence


def test_only_what_averages_is_said_to_change_the_served_weights():
    session = train(attach(Recipe(Dropout(0.3), WeightDecay(0.1), EMA(0.9)), CONV), CONV, range(3))
    changed = {e.ingredient: e.served_change > 0 for e in session.proof(CONV.batch(9))}
    assert changed == {"dropout": False, "weight_decay": False, "ema": True}


def test_what_does_nothing_is_said():
    session = train(attach(Recipe(GradientClipping(1e6), Dropout(0.3)), CONV), CONV, range(2))
    found = {e.ingredient: e for e in session.proof()}
    assert not found["gradient_clipping"].acted
    assert found["gradient_clipping"].evidence.startswith("changed nothing")
    assert found["dropout"].acted


def test_the_training_goes_on_as_if_nothing_had_been_asked():
    asked, plain = attach(Recipe(*ACTING), CONV), attach(Recipe(*ACTING), CONV)
    train(asked, CONV, range(3))
    asked.proof(CONV.batch(9))
    asked.model.train()
    train(asked, CONV, range(3, 6))
    train(plain, CONV, range(6))
    assert_same(outcome(asked), outcome(plain), "after a proof")
    assert torch.isfinite(next(asked.model.parameters())).all()
