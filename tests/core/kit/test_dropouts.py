"""A model's own dropout: stand-ins that keep their type and p, and what is told about the rest."""

import copy
import functools

import pytest
import torch
from torch import nn
from torch.nn import functional

from temperance import Dropout, GaussianDropout, RDrop, Recipe
from temperance.core.kit.dropouts import DropoutSite, StandIn, not_taken
from temperance.records.errors import SettingError

KINDS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)


class Attention(nn.Module):
    """Reads the rate of its layer, as GPT-2 and BERT do."""

    def __init__(self):
        super().__init__()
        self.query, self.dropout, self.seen = nn.Linear(8, 8), nn.Dropout(0.4), []

    def forward(self, x):
        p = self.dropout.p if self.training else 0.0
        self.seen.append(p)
        q = self.query(x)
        return functional.scaled_dot_product_attention(q, q, q, dropout_p=p)


class Net(nn.Module):
    """Attention and a head."""

    def __init__(self):
        super().__init__()
        self.attention, self.head = Attention(), nn.Linear(8, 3)

    def forward(self, x):
        return self.head(self.attention(x).mean(1))


def attached(one, model, seed=0):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return Recipe(one).attach(model, optimizer, loss=functional.cross_entropy, seed=seed)


def batch():
    generator = torch.Generator().manual_seed(3)
    return torch.randn(6, 5, 8, generator=generator), torch.tensor([0, 1, 2, 0, 1, 2])


def losses(one, steps=3, seed=0):
    torch.manual_seed(0)
    session = attached(one, Net(), seed)
    return [float(session.step(batch()).loss.detach()) for _ in range(steps)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("one", [Dropout(0.3), GaussianDropout(0.3), RDrop(1.0, p=0.3)], ids=lambda o: type(o).__name__)
def test_a_stand_in_is_what_it_stands_for(kind, one):
    layer = kind(0.4)
    model = nn.Sequential(nn.Linear(8, 8), layer)
    session = attached(one, model)
    assert isinstance(model[1], kind)
    assert isinstance(model[1], StandIn)
    assert model[1].p == 0.3
    assert repr(model[1]).endswith("(p=0.3, inplace=False)")
    assert type(copy.deepcopy(model[1])) is kind
    assert copy.deepcopy(model[1]).p == 0.4
    session.finish()
    assert model[1] is layer
    assert layer.p == 0.4


def test_p_follows_the_strength_and_attention_that_reads_it_acts_in_training_alone():
    model = Net()
    session = attached(Dropout(0.2), model)
    session.step(batch())
    session.set_strength("dropout.p", 0.6)
    session.step(batch())
    assert model.attention.seen == [0.2, 0.6]
    model.eval()
    assert torch.equal(model(batch()[0]), model(batch()[0]))
    assert model.attention.seen[2:] == [0.0, 0.0]
    session.finish()
    assert model.attention.dropout.p == 0.4


def test_fused_attention_draws_by_the_steps_key():
    before = torch.get_rng_state()
    first = losses(Dropout(0.4))
    torch.rand(3)
    assert losses(Dropout(0.4)) == first
    assert losses(Dropout(0.4), seed=1) != first
    torch.set_rng_state(before)


@pytest.mark.filterwarnings("ignore:Dropout did nothing in the first step")  # of the plain one, which reads p alone
def test_rate_zero_leaves_nothing_on():
    class Plain(Net):
        def __init__(self):
            super().__init__()
            self.attention.dropout = nn.Identity()
            self.attention.dropout.p = 0.0

    torch.manual_seed(0)
    session = attached(Dropout(0.0, at="attention.dropout"), Plain())
    without = [float(session.step(batch()).loss.detach()) for _ in range(3)]
    assert losses(Dropout(0.0)) == pytest.approx(without, rel=1e-6)
    assert losses(GaussianDropout(0.0)) == pytest.approx(without, rel=1e-6)
    assert losses(RDrop(0.0, p=0.3)) == pytest.approx(without, rel=1e-6)
    assert losses(Dropout(0.4)) != pytest.approx(without, rel=1e-3)


@pytest.mark.parametrize("one", [Dropout(0.9), GaussianDropout(0.9), RDrop(1.0, p=0.9)], ids=lambda o: type(o).__name__)
def test_a_rate_that_is_written_holds_for_its_layer(one):
    model = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.4), nn.Linear(8, 8), nn.Dropout(0.4))
    session = attached(one, model)
    model[1].p = 0.0
    assert (model[1].p, model[3].p) == (0.0, 0.9)
    with session.noise():
        h = model[0](torch.ones(2, 8))
        assert torch.equal(model[1](h), h)
        assert not torch.equal(model[3](h), h)
    with pytest.raises(SettingError, match=r"p=1\.5"):
        model[1].p = 1.5


def test_what_is_not_taken_over_is_told():
    class Fixed(nn.Module):
        def forward(self, x):
            return functional.dropout(x, 0.3, self.training)

    class Whole(nn.Module):
        def __init__(self):
            super().__init__()
            self.parts = nn.Sequential(nn.Dropout(0.1), nn.AlphaDropout(0.1), Fixed(), nn.RReLU(), nn.Linear(8, 8))
            self.layerdrop = 0.2

    model = Whole()
    session = attached(Dropout(0.0), model)
    told = [text for text in session.warnings if "does not take over" in text]
    for word in ("AlphaDropout in parts.1", "functional dropout", "Fixed", "RReLU", "layerdrop=0.2"):
        assert sum(word in text for text in told) == 1, (word, told)
        assert word in session.explain()
    assert isinstance(model.parts[0], DropoutSite)
    assert not_taken(nn.Sequential(nn.Linear(2, 2), nn.ReLU())) == ()


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")
def test_nothing_is_compiled_again_when_the_rate_moves_and_the_noise_is_the_same():
    from torch._dynamo.testing import CompileCounterWithBackend

    def run(backend):
        torch.manual_seed(0)
        torch.compiler.reset()
        model = Net()
        session = attached(Dropout(0.3), torch.compile(model, backend=backend) if backend else model)
        for p in (0.3, 0.1, 0.0, 0.5):
            session.set_strength("dropout.p", p)
            yield float(session.step(batch()).loss.detach()), backend and backend.frame_count

    expected = [loss for loss, _ in run(None)]
    found = list(run(CompileCounterWithBackend("aot_eager")))
    torch.compiler.reset()
    assert [loss for loss, _ in found] == pytest.approx(expected, rel=1e-6)
    assert len({count for _, count in found}) == 1
    assert found[0][1] > 0


def test_attention_whose_forward_is_wrapped_draws_the_steps_noise():
    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.dropout = nn.Dropout(0.1)

        def forward(self, x):
            rate = self.dropout.p if self.training else 0.0
            return nn.functional.scaled_dot_product_attention(x, x, x, dropout_p=rate).mean(1)

    plain = Attention.forward

    @functools.wraps(plain)
    def wrapped(self, x):  # as transformers wraps forward functions that renamed an argument
        return plain(self, x)

    Attention.forward = wrapped
    losses = []
    for seed in (0, 1):
        model = nn.Sequential(Attention(), nn.Linear(4, 2))
        nn.init.constant_(model[1].weight, 0.3)
        nn.init.constant_(model[1].bias, 0.1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        session = Recipe(Dropout(0.5)).attach(model, optimizer, loss=nn.functional.cross_entropy)
        torch.manual_seed(seed)
        x = torch.arange(64.0).reshape(4, 4, 4).sin()
        losses.append(session.step((x, torch.tensor([0, 1, 1, 0]))).loss.item())
    assert losses[0] == losses[1]


class Locked(nn.Dropout):
    """One mask for all rows."""

    def forward(self, x):
        if not self.training:
            return x
        return x * torch.empty(1, x.shape[1]).bernoulli_(1 - self.p) / (1 - self.p)


@pytest.mark.parametrize("one", [Dropout(0.5), GaussianDropout(0.5), RDrop(1.0, p=0.5)], ids=lambda o: type(o).__name__)
def test_a_subclass_with_a_forward_of_its_own_keeps_it_and_follows_p(one):
    losses = []
    for seed in (0, 1):
        torch.manual_seed(0)
        layer = Locked(0.1)
        model, got = nn.Sequential(layer, nn.Linear(8, 3)), []
        session = attached(one, model)
        assert model[0] is layer
        assert layer.p == 0.5
        model[1].register_forward_pre_hook(lambda _, inputs, got=got: got.append(inputs[0]))
        torch.manual_seed(seed)  # the noise is the step's
        losses.append(session.step((torch.ones(4, 8), torch.tensor([0, 1, 2, 0]))).loss.item())
        assert set(got[0].unique().tolist()) == {0.0, 2.0}
        assert (got[0] == got[0][:1]).all()
        session.finish()
        assert layer.p == 0.1
        assert "forward" not in layer.__dict__
    assert losses[0] == losses[1]
