import pytest
import torch
from torch import nn
from torch.nn import functional

import temperance as t
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


class Dropping(nn.Module):
    """A net with noise of its own that no technique takes over, and an answer that holds None."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(4)
        self.first, self.norm, self.last = nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Linear(8, 3)
        self.norm.eval()

    def forward(self, x):
        hidden = functional.dropout(torch.relu(self.norm(self.first(x))), 0.5, self.training)
        return {"logits": self.last(hidden), "attentions": None, "states": (hidden, None)}


def test_a_nets_own_noise_is_not_taken_for_the_techniques_and_modes_stay():
    model = Dropping()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    session = Recipe(GradientClipping(100.0), EMA(0.9)).attach(
        model, optimizer, loss=lambda out, y: functional.cross_entropy(out["logits"], y, reduction="none")
    )
    batch = PROBLEMS["mlp"].batch(0)
    session.step(batch)
    gradients, before = {n: p.grad for n, p in model.named_parameters()}, torch.get_rng_state()
    clip, average = session.proof(batch)
    assert not clip.acted
    assert average.acted
    assert average.silent
    assert torch.equal(torch.get_rng_state(), before)
    assert [m.training for m in (model, model.first, model.norm)] == [True, True, False]
    assert all(p.grad is gradients[n] for n, p in model.named_parameters())
    model.eval()
    session.proof(batch)
    assert not any(m.training for m in model.modules())


def test_a_decoder_that_is_fed_from_labels_gets_them_in_the_proof_too():
    class Fed(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(4, 3)
            self.config = type("Config", (), {"is_encoder_decoder": True})()

        def forward(self, x, labels=None):
            if labels is None:
                raise ValueError("You cannot specify both decoder_input_ids and decoder_inputs_embeds")
            logits = self.head(x)
            return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}

    model = Fed()
    session = t.Recipe(t.WeightDecay(0.1)).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=None)
    batch = {"x": torch.randn(6, 4), "labels": torch.randint(0, 3, (6,))}
    session.step(batch)
    (evidence,) = session.proof(batch)
    assert evidence.acted


def test_a_step_that_moves_nothing_is_no_proof_that_a_technique_does_nothing():
    session = attach(Recipe(t.WeightDecay(0.1)), CONV)
    for group in session.optimizer.param_groups:
        group["lr"] = 0.0  # a schedule has come to its end
    (one,) = session.proof(CONV.batch(0))
    assert not one.acted
    assert "learning rate 0" in one.evidence
