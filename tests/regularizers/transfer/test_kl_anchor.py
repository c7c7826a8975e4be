"""KLAnchor against its formula in float64; what the reference is, and what it leaves alone."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from temperance import (
    DFT,
    Batch,
    Constraint,
    EarlyLearning,
    FGSMTraining,
    KLAnchor,
    ManifoldMixUp,
    MixUp,
    NEFTune,
    Recipe,
    TokenDropout,
)
from temperance.core.convention import Convention
from temperance.models.loss import cross_entropy
from temperance.records.errors import RecipeError, SettingError


def soft(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def net(dtype=torch.float64, dropout=0.0):
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Dropout(dropout), nn.Linear(6, 3)).to(dtype)


class Tokens(nn.Module):
    """Logits (b, t, v) of token numbers."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(7, 5, dtype=torch.float64)

    def forward(self, ids, attention_mask=None):
        return self.table(ids)


X = torch.sin(torch.arange(32, dtype=torch.float64)).reshape(8, 4)
Y = torch.arange(8) % 3


def moved(session, by=0.3):
    """Move the weights away from the start, as training would; the reference must not go along."""
    session.step((X, Y))
    for i, p in enumerate(session.solo.home.tensors):
        p.data += by * torch.sin(torch.arange(p.numel(), dtype=p.dtype) + i).reshape(p.shape)
    return session


def attached(one, model=None, loss=cross_entropy, lr=0.0, **settings):
    model = net() if model is None else model
    return Recipe(one).attach(model, torch.optim.SGD(model.parameters(), lr=lr), loss=loss, **settings)


def wanted(model, start, direction, rows=8):
    with torch.no_grad():
        z, r = model(X[-rows:]).numpy(), start(X[-rows:]).numpy()
    p, q = (soft(r), soft(z)) if direction == "forward" else (soft(z), soft(r))
    return float((p * (np.log(p) - np.log(q))).sum(1).mean())


@pytest.mark.parametrize("direction", ["forward", "reverse"])
@pytest.mark.parametrize("share", [1.0, 0.6])
def test_equals_the_formula(direction, share):
    start = net()
    session = moved(attached(KLAnchor(0.7, direction=direction, share=share)))
    ce = float(functional.cross_entropy(session.model(X), Y).detach())
    kl = wanted(session.model, start, direction, rows=5 if share < 1 else 8)  # the last ⌈0.6 · 8⌉
    assert kl > 1e-3
    passed = session.solo.forward(session._reader.one((X, Y)), 0)
    assert float(passed.loss.detach()) == pytest.approx(ce + 0.7 * kl, abs=1e-12)
    assert float(passed.notes["kl_anchor.kl"]) == pytest.approx(kl, abs=1e-12)


def test_by_hand():
    """Two classes, reference (1/2, 1/2), net (3/4, 1/4): KL(r ‖ p) = log 2 − ½ log 3 … = ½ log(4/3)."""
    model = nn.Linear(1, 2, dtype=torch.float64)
    nn.init.zeros_(model.weight), nn.init.zeros_(model.bias)
    session = attached(KLAnchor(1.0), model)
    row = (torch.ones(1, 1, dtype=torch.float64), torch.tensor([0]))
    session.step(row)
    model.bias.data[0] = np.log(3.0)
    kl = 0.5 * np.log(0.5 / 0.75) + 0.5 * np.log(0.5 / 0.25)
    assert kl == pytest.approx(0.5 * np.log(4 / 3))
    assert float(session.loss(row).detach()) == pytest.approx(-np.log(0.75) + kl, abs=1e-12)


def test_the_slope_goes_to_the_net_alone():
    session = moved(attached(KLAnchor(0.7)))
    start, own = net(), session.model
    session.optimizer.zero_grad()
    session.loss((X, Y)).backward()
    got = [p.grad.clone() for p in own.parameters()]
    q = torch.log_softmax(own(X), 1)
    p = torch.log_softmax(start(X).detach(), 1)
    loss = functional.nll_loss(q, Y) + 0.7 * functional.kl_div(q, p, reduction="batchmean", log_target=True)
    for one, two in zip(got, torch.autograd.grad(loss, list(own.parameters())), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("places", ["counted", "others", "all"])
def test_which_tokens_are_held(places):
    """Of the second row the last token is padding; of the third nothing has a label."""
    ids = torch.tensor([[0, 1, 2, 3], [4, 5, 6, 0], [3, 3, 1, 2]])
    labels = torch.tensor([[-100, 2, 3, -100], [5, -100, -100, -100], [-100] * 4])
    there = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 1, 1]])
    batch = {"ids": ids, "attention_mask": there, "labels": labels}
    loss = nn.CrossEntropyLoss()
    model = Tokens()
    with torch.no_grad():
        model.table.weight.copy_(torch.sin(torch.arange(35, dtype=torch.float64)).reshape(7, 5))
    start = copy.deepcopy(model)
    classes_last = lambda z, y: loss(z.transpose(1, 2), y.clamp_max(4))  # noqa: E731
    classes_last.convention = Convention("classes", axis=-1)
    session = attached(KLAnchor(2.0, places=places), model, loss=classes_last)
    session.step(batch)
    model.table.weight.data += 0.5 * torch.cos(torch.arange(35, dtype=torch.float64)).reshape(7, 5)
    counted = labels >= 0
    held = {"counted": counted, "others": (there == 1) & ~counted, "all": there == 1}[places].numpy()
    z, r = (m(ids).detach().numpy()[held] for m in (model, start))
    p, q = soft(r), soft(z)
    kl = (p * (np.log(p) - np.log(q))).sum(1).mean()
    plain = float(classes_last(model(ids), labels).detach())
    assert float(session.loss(batch).detach()) == pytest.approx(plain + 2.0 * kl, abs=1e-12)


def test_the_reference_has_no_dropout_and_draws_nothing():
    """With the net at its start and dropout in it alone, the divergence is that of the two answers under one mask."""
    model = net(dropout=0.5)
    session = attached(KLAnchor(1.0), model)
    torch.manual_seed(11)
    with torch.no_grad():
        noisy = model(X).numpy()
        after = torch.get_rng_state()
        model.eval()
        still = model(X).numpy()
        model.train()
    p, q = soft(still), soft(noisy)
    torch.manual_seed(11)
    passed = session.step((X, Y))
    assert float(passed.notes["kl_anchor.kl"]) == pytest.approx(float((p * np.log(p / q)).sum(1).mean()), abs=1e-12)
    assert torch.equal(torch.get_rng_state(), after)
    assert all(m.training for m in model.modules())


def test_batch_statistics_move_as_without_it_and_begin_at_no_distance():
    def stepped(recipe):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3)).double()
        session = recipe.attach(model, torch.optim.SGD(model.parameters(), lr=0.0), loss=cross_entropy)
        return session.step((X, Y)), model[1]

    (ours, norm), (_, plain) = stepped(Recipe(KLAnchor(1.0))), stepped(Recipe())
    assert float(ours.notes["kl_anchor.kl"]) == pytest.approx(0.0, abs=1e-15)
    assert torch.equal(norm.running_mean, plain.running_mean)
    assert torch.equal(norm.running_var, plain.running_var)
    assert int(norm.num_batches_tracked) == 1


def test_the_reference_sees_the_rows_that_the_net_sees():
    passed = Recipe(KLAnchor(1.0), MixUp(0.5)).attach(
        model := net(), torch.optim.SGD(model.parameters(), lr=0.0), loss=cross_entropy
    ).step((X, Y))  # fmt: skip
    assert float(passed.notes["kl_anchor.kl"]) == pytest.approx(0.0, abs=1e-15)


def test_a_teacher_of_another_technique_remembers_nothing_of_the_reference():
    batch = Batch(X, Y, index=torch.arange(8))

    def remembered(*also):
        model = net()
        session = Recipe(EarlyLearning(), *also).attach(
            model, torch.optim.SGD(model.parameters(), lr=0.0), loss=cross_entropy
        )
        session.step(batch)
        session.step(batch)
        return session._memory["early_learning"]

    one, two = remembered(), remembered(KLAnchor(0.5))
    for name in one:
        assert torch.equal(one[name], two[name]), name


def test_the_reference_follows_at_its_pace():
    session = attached(KLAnchor(0.5, pace=0.25), lr=0.1)
    mean = [p.detach().clone() for p in session.model.parameters()]
    for _ in range(3):
        session.step((X, Y))
        mean = [0.75 * m + 0.25 * p.detach() for m, p in zip(mean, session.model.parameters(), strict=True)]
    for a, b in zip(session._memory["kl_anchor"]["anchor"].tensors, mean, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-15)
    still = attached(KLAnchor(0.5), lr=0.1)
    begun = [p.detach().clone() for p in still.model.parameters()]
    still.step((X, Y))
    for a, b in zip(still._memory["kl_anchor"]["anchor"].tensors, begun, strict=True):
        assert torch.equal(a, b)


def test_asft_is_dft_and_the_anchor():
    """−sg(p)·log p + λ·KL(r ‖ p), the formula of arXiv:2509.23753, value and slope."""
    model, start = net(), net()
    session = Recipe(DFT(), KLAnchor(0.05)).attach(
        model, torch.optim.SGD(model.parameters(), lr=0.0), loss=cross_entropy
    )
    moved(session)
    logs = torch.log_softmax(model(X), 1)
    right = logs.gather(1, Y[:, None]).squeeze(1)
    kl = functional.kl_div(logs, torch.log_softmax(start(X).detach(), 1), reduction="batchmean", log_target=True)
    formula = (-right.exp().detach() * right).mean() + 0.05 * kl
    slopes = torch.autograd.grad(formula, list(model.parameters()))
    session.optimizer.zero_grad()
    loss = session.loss((X, Y))
    loss.backward()
    assert float(loss.detach()) == pytest.approx(float(formula.detach()), abs=1e-12)
    for p, slope in zip(model.parameters(), slopes, strict=True):
        torch.testing.assert_close(p.grad, slope, rtol=1e-9, atol=1e-12)


def test_where_nothing_is_held_nothing_is_added():
    passed = moved(attached(KLAnchor(2.0, places="others"))).step((X, Y))  # every row has a label
    assert float(passed.notes["kl_anchor.kl"]) == 0.0
    labels = torch.where(torch.arange(8) < 6, Y, -1)
    session = moved(attached(KLAnchor(2.0, places="others"), loss=nn.CrossEntropyLoss(ignore_index=-1)))
    told = float(session.step((X, labels)).notes["kl_anchor.kl"])
    assert told == pytest.approx(wanted(session.model, net(), "forward", rows=2), abs=1e-12)


def test_a_rate_that_falls_to_nothing_still_listens():
    session = attached(KLAnchor(0.5))
    session.set_strength("kl_anchor.rate", 0.0)
    assert "kl_anchor.kl" in moved(session).step((X, Y)).notes
    assert not attached(KLAnchor(0.0)).step((X, Y)).notes


def test_the_number_is_held():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 3))
    x = torch.randn(256, 4)
    y = ((x[:, 0] > 0).long() + (x[:, 1] > 0).long()) % 3
    recipe = Recipe(KLAnchor(), controller=Constraint.hold("kl", 0.1))
    session = recipe.attach(
        model, torch.optim.Adam(model.parameters(), lr=1e-2), loss=nn.CrossEntropyLoss(), steps=400, select=None
    )
    told = []
    for i in range(400):
        rows = slice(32 * (i % 8), 32 * (i % 8) + 32)
        session.step((x[rows], y[rows]))
        told.append(session.signals.get("kl"))
    assert np.mean(told[-100:]) == pytest.approx(0.1, rel=0.1)
    assert session.trace


def test_numbers_and_wrong_settings_are_refused():
    with pytest.raises(RecipeError, match="KLAnchor"):
        attached(KLAnchor(), nn.Linear(4, 1, dtype=torch.float64), loss=nn.MSELoss()).step((X, X[:, :1]))
    for wrong in ({"direction": "sideways"}, {"share": 0.0}, {"share": 1.5}, {"pace": 1.0}, {"places": "some"}):
        with pytest.raises(SettingError, match=next(iter(wrong))):
            KLAnchor(**wrong)


def texts():
    torch.manual_seed(0)
    return {"ids": torch.randint(7, (8, 4)), "attention_mask": torch.tensor([[1, 1, 1, 0]] * 8)}


class Sentence(Tokens):
    """Logits (b, v) of a text."""

    def forward(self, ids, attention_mask=None):
        return self.table(ids).mean(1)


@pytest.mark.filterwarnings("ignore::temperance.core.embedding.OnEmbeddings")
@pytest.mark.parametrize("beside", [NEFTune(5.0), TokenDropout(0.5), MixUp(1.0), FGSMTraining(0.1)], ids=repr)
def test_a_share_of_the_rows_of_moved_tokens(beside):
    model = Sentence()
    session = Recipe(beside, KLAnchor(1.0, share=0.4)).attach(
        model, torch.optim.SGD(model.parameters(), lr=0.0), loss=cross_entropy
    )
    assert float(session.step(Batch(texts(), Y)).notes["kl_anchor.kl"]) == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize("tracks", [True, False])
def test_a_share_of_the_rows_is_normalized_as_in_the_training_pass(tracks):
    torch.manual_seed(0)
    norm = nn.BatchNorm1d(6, track_running_stats=tracks)
    model = nn.Sequential(nn.Linear(4, 6), norm, nn.ReLU(), nn.Linear(6, 3)).double()
    passed = attached(KLAnchor(1.0, share=0.5), model).step((X, Y))
    assert float(passed.notes["kl_anchor.kl"]) == pytest.approx(0.0, abs=1e-15)


@pytest.mark.filterwarnings("ignore::temperance.core.embedding.OnEmbeddings")
@pytest.mark.parametrize("places", ["all", "others"])
def test_padding_is_not_held_where_the_vectors_are_moved_either(places):
    def told(*beside):
        model = Tokens()
        with torch.no_grad():
            model.table.weight.copy_(torch.sin(torch.arange(35.0, dtype=torch.float64)).reshape(7, 5))
        session = Recipe(*beside, KLAnchor(1.0, places=places)).attach(
            model, torch.optim.SGD(model.parameters(), lr=0.5),
            loss=lambda out, y: functional.cross_entropy(out.transpose(1, 2), y),
        )  # fmt: skip
        labels = torch.full((8, 4), -100)
        labels[:, 0] = 1
        for _ in range(3):
            passed = session.step(Batch(texts(), labels))
        return float(passed.notes["kl_anchor.kl"])

    assert told(NEFTune(1e-9)) == pytest.approx(told(), rel=1e-6)


def test_hidden_rows_that_are_mixed_are_refused():
    with pytest.raises(RecipeError, match="mixed"):
        Recipe(KLAnchor(1.0), ManifoldMixUp(1.0))


@pytest.mark.parametrize("places", ["others", "all"])
def test_a_micro_batch_that_would_hold_nothing_is_refused(places):
    model, rows = Tokens(), texts()
    session = Recipe(KLAnchor(1.0, places=places)).attach(
        model, torch.optim.SGD(model.parameters(), lr=0.5),
        loss=lambda out, y: functional.cross_entropy(out.transpose(1, 2), y),
    )  # fmt: skip
    labels = torch.full((8, 4), -100)
    labels[:4] = 1
    parts = [Batch({name: x[some] for name, x in rows.items()}, labels[some]) for some in (slice(0, 4), slice(4, 8))]
    with pytest.raises(RecipeError, match="micro-batch without a single label"):
        session.step(parts)


def test_the_mask_of_an_encoder_says_nothing_of_the_decoders_places():
    def told(**mask):
        model = Tokens()
        model.config = SimpleNamespace(is_encoder_decoder=True)
        with torch.no_grad():
            model.table.weight.copy_(torch.sin(torch.arange(35.0, dtype=torch.float64)).reshape(7, 5))
        session = attached(
            KLAnchor(1.0, places="all"), model, lambda out, y: functional.cross_entropy(out.transpose(1, 2), y), lr=0.5
        )
        labels = texts()["ids"] % 5
        for _ in range(3):
            passed = session.step(Batch({"ids": texts()["ids"], **mask}, labels))
        return float(passed.notes["kl_anchor.kl"])

    assert told(attention_mask=texts()["attention_mask"]) == told() > 0
