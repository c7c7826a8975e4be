"""A loss that does not say how it divides is asked once whether its micro-batches make the whole batch."""

import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

import temperance as t
from temperance.core.additivity import NotAdditive

WEIGHTS = torch.tensor([1.0, 5.0, 0.2])


def parts(sizes=(5, 7), classes=3):
    torch.manual_seed(2)
    return [(torch.randn(n, 4), torch.randint(0, classes, (n,))) for n in sizes]


def stepped(loss, micros, steps=1):
    torch.manual_seed(0)
    model = nn.Linear(4, 3)
    session = t.Recipe(t.WeightDecay(0.01)).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=loss)
    for _ in range(steps):
        session.step(micros)
    return model


def test_class_weights_that_a_function_hides_are_told_once():
    with pytest.warns(NotAdditive, match="weights of classes") as found:
        stepped(lambda out, y: F.cross_entropy(out, y, weight=WEIGHTS), parts(), steps=3)
    assert len([one for one in found if one.category is NotAdditive]) == 1


def test_a_sum_of_squares_is_told():
    micros = [(x, torch.randn(len(x), 3)) for x, _ in parts()]
    with pytest.warns(NotAdditive, match="make"):
        stepped(lambda out, y: 3 * F.mse_loss(out, y, reduction="sum"), micros)


@pytest.mark.parametrize("loss", [
    lambda out, y: F.cross_entropy(out, y),
    lambda out, y: F.cross_entropy(out, y, reduction="sum"),
    lambda out, y: F.cross_entropy(out, y, ignore_index=1),
    lambda out, y: F.cross_entropy(out, y, weight=WEIGHTS, reduction="none"),
    lambda out, y: F.cross_entropy(out, y, label_smoothing=0.1) + 0.3,
    lambda out, y: F.cross_entropy(out + 0.5 * torch.randn_like(out), y),  # draws: cannot be judged
    nn.CrossEntropyLoss(weight=WEIGHTS),
])  # fmt: skip
def test_losses_that_add_up_or_cannot_be_judged_are_silent(loss):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always", NotAdditive)
        stepped(loss, parts())
    assert [one for one in found if one.category is NotAdditive] == []


def test_what_the_model_computes_itself_and_whole_batches_are_not_asked():
    calls = []

    def loss(out, y):
        calls.append(len(y))
        return F.cross_entropy(out, y)

    stepped(loss, parts()[0])
    assert calls == [5]
    calls.clear()
    stepped(loss, parts())
    assert calls == [5, 7, 12, 5, 7, 5]


def test_rows_of_other_lengths_are_compared_by_parts_of_one():
    torch.manual_seed(3)
    long, short = (
        (torch.randn(2, 6, 4), torch.randint(0, 3, (2, 6))),
        (torch.randn(2, 4, 4), torch.randint(0, 3, (2, 4))),
    )
    loss = lambda out, y: F.cross_entropy(out.flatten(0, 1), y.flatten(), weight=WEIGHTS)  # noqa: E731
    model = nn.Linear(4, 3)
    session = t.Recipe().attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=loss)
    with pytest.warns(NotAdditive):
        session.step([long, short])


def test_slopes_tell_where_numbers_agree():
    model = nn.Linear(4, 3)
    nn.init.zeros_(model.weight), nn.init.zeros_(model.bias)  # each row's loss is log 3, whatever it counts
    session = t.Recipe().attach(
        model, torch.optim.SGD(model.parameters(), lr=0.1),
        loss=lambda out, y: F.cross_entropy(out, y, weight=WEIGHTS),
    )  # fmt: skip
    with pytest.warns(NotAdditive):
        session.step(parts())


def test_a_part_in_which_nothing_counts_puts_the_comparison_off():
    (x, y), rest = parts()
    session_model = nn.Linear(4, 3)
    session = t.Recipe().attach(
        session_model, torch.optim.SGD(session_model.parameters(), lr=0.1),
        loss=lambda out, y: F.cross_entropy(out, y, weight=WEIGHTS), nan="ignore",
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error", NotAdditive)
        session.step([(x, torch.full_like(y, -100)), rest])
    with pytest.warns(NotAdditive):
        session.step([(x, y), rest])


def test_noise_stays_what_it_was():
    def after(loss):
        torch.manual_seed(5)
        stepped(loss, parts())
        return torch.rand(1).item()

    plain = after(nn.CrossEntropyLoss())
    assert after(lambda out, y: F.cross_entropy(out, y)) == plain


def test_named_answers_and_several_targets_are_joined():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(4, 3), nn.Linear(4, 2)

        def forward(self, x):
            return {"a": self.a(x), "b": (self.b(x), None)}

    def loss(out, y):
        return F.cross_entropy(out["a"], y["a"], weight=WEIGHTS) + F.cross_entropy(out["b"][0], y["b"])

    micros = [{"x": x, "y": {"a": y, "b": y % 2}} for x, y in parts()]
    model = Two()
    session = t.Recipe().attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=loss)
    with pytest.warns(NotAdditive):
        session.step(micros)
