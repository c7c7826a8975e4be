"""A loss of unknown convention: its first numbers tell mean or sum, which places, and which class is left out."""

import dataclasses

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

import temperance as t
from temperance.core.convention import Convention
from temperance.core.criterion import Criterion
from temperance.core.intake import NotCrossEntropy
from temperance.core.learning import LOOKS, Learning, of_values
from temperance.records.errors import RecipeError

UNKNOWN = Convention()


def attach(recipe, model, loss):
    return t.Recipe(*recipe).attach(model, torch.optim.SGD(model.parameters(), lr=1.0), loss=loss)


class Tokens(nn.Module):
    def __init__(self, axis=-1):
        super().__init__()
        torch.manual_seed(0)
        self.table, self.head, self.axis = nn.Embedding(20, 8), nn.Linear(8, 20), axis

    def forward(self, x):
        return self.head(self.table(x)).movedim(-1, self.axis)


def text():
    torch.manual_seed(1)
    ids = torch.randint(1, 20, (6, 7))
    labels = ids.clone()
    labels[:3, 2:] = 0
    return ids, labels


def flat(axis, **more):
    """Return a loss over (b, t, c) or (b, c, t) that says nothing of itself."""
    return lambda out, y: F.cross_entropy(out.transpose(1, 2) if axis == -1 else out, y, **more)


def moved(recipe, model, loss, batch):
    before = torch.cat([p.detach().flatten() for p in model.parameters()])
    attach(recipe, model, loss).step(batch)
    return torch.cat([p.detach().flatten() for p in model.parameters()]) - before


def by_hand(model, loss, ids, labels):
    loss(model(ids), labels).backward()
    return -torch.cat([p.grad.flatten() for p in model.parameters()])


@pytest.mark.parametrize("axis", [-1, 1])
@pytest.mark.parametrize("reduction", ["mean", "none", "sum"])
def test_micro_batches_of_unequal_kept_tokens_make_the_big_batch(axis, reduction):
    ids, labels = text()
    parts = [(ids[:3], labels[:3]), (ids[3:], labels[3:])]
    loss = flat(axis, ignore_index=0, reduction=reduction)
    found = moved([], Tokens(axis), loss, parts)
    expected = by_hand(
        Tokens(axis), flat(axis, ignore_index=0, reduction="sum" if reduction == "sum" else "mean"), ids, labels
    )
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("axis", [-1, 1])
def test_label_smoothing_leaves_the_pads_of_the_users_loss_alone(axis):
    found = moved([t.LabelSmoothing(0.3)], Tokens(axis), flat(axis, ignore_index=0), text())
    expected = by_hand(Tokens(axis), flat(axis, ignore_index=0, label_smoothing=0.3), *text())
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "one", [t.ConfidencePenalty(0.3), t.MaxSup(0.5), t.Focal(2.0)], ids=lambda one: type(one).__name__
)
def test_terms_over_classes_are_means_over_what_the_loss_counts(one):
    found = moved([one], Tokens(1), flat(1, ignore_index=0), text())
    torchs = moved([one], Tokens(1), nn.CrossEntropyLoss(ignore_index=0), text())
    torch.testing.assert_close(found, torchs, rtol=1e-4, atol=1e-6)


def test_a_sum_over_rows_is_no_mean_and_takes_no_terms_that_are():
    torch.manual_seed(0)
    x, y = torch.randn(12, 8), torch.randint(0, 3, (12,))

    def net():
        torch.manual_seed(0)
        return nn.Linear(8, 3)

    def summed(out, y):
        return F.cross_entropy(out, y, reduction="sum")

    found = moved([], net(), summed, [(x[:5], y[:5]), (x[5:], y[5:])])
    torch.testing.assert_close(found, by_hand(net(), summed, x, y), rtol=1e-4, atol=1e-6)
    session = attach([], net(), summed)
    assert session.validate([(x[:5], y[:5]), (x[5:], y[5:])])["valid_loss"] == pytest.approx(
        F.cross_entropy(net()(x), y).item(), rel=1e-5
    )
    with pytest.raises(RecipeError, match="LabelSmoothing beside a loss of your own, which sums over rows"):
        attach([t.LabelSmoothing(0.1)], net(), lambda out, y: F.cross_entropy(out, y, reduction="sum")).step((x, y))


SCORES = torch.randn(40, 5, generator=torch.Generator().manual_seed(3))
LABELS = torch.arange(40) % 5


@pytest.mark.parametrize("left", [0, 3, -1, 7])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_the_class_that_is_left_out_is_found_whatever_its_number(left, reduction):
    labels = torch.where(LABELS == 3, torch.full_like(LABELS, left), LABELS)
    value = F.cross_entropy(SCORES, labels, ignore_index=left, reduction=reduction)
    learning = Learning()
    found = learning.look(SCORES, labels, value, UNKNOWN)
    assert (found.ignore_index, found.is_sum) == (left, reduction == "sum")
    assert learning.done or left in (-1, 7)


def test_where_all_classes_count_nothing_is_left_out_and_nothing_more_is_looked_at():
    learning = Learning()
    found = learning.look(SCORES, LABELS, F.cross_entropy(SCORES, LABELS), UNKNOWN)
    assert found == UNKNOWN
    assert learning.done


def test_a_class_that_comes_later_is_still_noticed():
    learning, some = Learning(), LABELS > 0
    first = F.cross_entropy(SCORES[some], LABELS[some], ignore_index=0)
    assert learning.look(SCORES[some], LABELS[some], first, UNKNOWN).ignore_index == -100
    assert not learning.done
    found = learning.look(SCORES, LABELS, F.cross_entropy(SCORES, LABELS, ignore_index=0), UNKNOWN)
    assert found.ignore_index == 0
    assert learning.done


def test_of_one_row_mean_and_sum_are_one_number_and_the_next_batch_tells():
    learning = Learning()
    one = F.cross_entropy(SCORES[:1], LABELS[:1], reduction="sum")
    assert not learning.look(SCORES[:1], LABELS[:1], one, UNKNOWN).is_sum
    assert not learning.done
    assert learning.look(SCORES, LABELS, F.cross_entropy(SCORES, LABELS, reduction="sum"), UNKNOWN).is_sum


OWN = dataclasses.replace(UNKNOWN, is_own=True)


@pytest.mark.parametrize("factor", [2.0, 1.05])
def test_a_loss_of_its_own_kind_stays_unknown(factor):
    learning = Learning()
    assert learning.look(SCORES, LABELS, factor * F.cross_entropy(SCORES, LABELS), UNKNOWN) == OWN
    assert learning.done
    assert not learning.is_own  # one row is one place: nothing to shift


def test_looking_ends():
    learning, some = Learning(), LABELS > 0
    value = F.cross_entropy(SCORES[some], LABELS[some])
    for _ in range(LOOKS):
        assert not learning.done
        learning.look(SCORES[some], LABELS[some], value, UNKNOWN)
    assert learning.done


def test_a_number_that_is_none_tells_nothing():
    learning = Learning()
    assert learning.look(SCORES, LABELS, torch.tensor(float("nan")), UNKNOWN) == UNKNOWN
    assert not learning.done
    assert learning.shifts is None


def test_what_is_known_is_not_learnt():
    for loss in (F.cross_entropy, nn.CrossEntropyLoss(ignore_index=0), F.mse_loss):
        assert Criterion(loss, nn.Linear(2, 2))._learning is None
    criterion = Criterion(lambda out, y: F.cross_entropy(out, y), nn.Linear(2, 2))
    criterion(SCORES, LABELS)
    assert criterion._learning is None


def test_shifted_sums_with_a_pad_are_all_told_by_one_number():
    torch.manual_seed(4)
    scores, labels = torch.randn(4, 6, 5), torch.randint(0, 5, (4, 6))
    value = F.cross_entropy(scores[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=2, reduction="sum")
    learning = Learning()
    found = learning.look(scores, labels, value, UNKNOWN)
    assert (learning.shifts, found.is_sum, found.ignore_index, found.axis) == (True, True, 2, -1)


AIMS = F.one_hot(torch.tensor([0, 2, 1, 1]), 3).float()
ANSWERS = torch.tensor([[0.3, -1.0, 0.2], [1.5, 0.1, -0.4], [0.0, 0.9, 2.0], [-0.7, 0.6, 0.4]])


@pytest.mark.parametrize(
    ("loss", "kind", "is_sum"),
    [
        (F.cross_entropy, "classes", False),
        (lambda o, y: F.cross_entropy(o, y, reduction="sum"), "classes", True),
        (lambda o, y: F.kl_div(F.log_softmax(o, -1), y, reduction="batchmean"), "classes", False),
        (F.binary_cross_entropy_with_logits, "labels", False),
        (lambda o, y: F.binary_cross_entropy_with_logits(o, y, reduction="none"), "labels", False),
        (F.mse_loss, "numbers", False),
        (lambda o, y: F.l1_loss(o, y, reduction="sum"), "numbers", True),
    ],
)
@pytest.mark.parametrize("guess", ["classes", "labels", "numbers"])
def test_the_number_tells_what_targets_with_decimals_are(loss, kind, is_sum, guess):
    found = of_values(ANSWERS, AIMS, loss(ANSWERS, AIMS), Convention(guess))
    assert (found.kind, found.is_sum, found.is_own) == (kind, is_sum, False)


def test_a_number_that_is_no_known_loss_of_decimals_is_its_own():
    found = of_values(ANSWERS, AIMS, 2 * F.mse_loss(ANSWERS, AIMS), Convention("classes"))
    assert found == Convention("classes", is_own=True)


def test_one_label_in_each_row_is_not_taken_for_classes():
    net = nn.Linear(4, 3)
    x = torch.randn(4, 4)
    session = attach([t.LabelSmoothing(0.2)], net, lambda o, y: F.binary_cross_entropy_with_logits(o, y))
    wanted = F.binary_cross_entropy_with_logits(net(x), 0.8 * AIMS + 0.1)
    assert session.gradients((x, AIMS)).loss.item() == pytest.approx(wanted.item(), rel=1e-6)


def test_squares_of_one_hot_targets_are_no_classes():
    net = nn.Linear(4, 3)
    with pytest.raises(RecipeError, match="compares numbers, not classes"):
        attach([t.Focal(2.0)], net, lambda o, y: F.mse_loss(o, y)).step((torch.randn(4, 4), AIMS))


@pytest.mark.parametrize("technique", [t.DFT(), t.Focal(2.0), t.GeneralizedCrossEntropy(), t.AdaFocal()])
def test_a_technique_in_the_place_of_a_cross_entropy_that_is_none_is_told(technique):
    weights = torch.tensor([1.0, 5.0, 0.2])
    session = attach([technique], nn.Linear(4, 3), lambda o, y: F.cross_entropy(o, y, weight=weights))
    with pytest.warns(NotCrossEntropy, match=type(technique).__name__):
        session.step((torch.randn(6, 4), torch.tensor([0, 1, 2, 0, 1, 2])))


def test_half_precision_does_not_hide_which_places_a_loss_pairs():
    def loss(o, y):
        return F.cross_entropy(o[:, :-1].flatten(0, 1), y[:, 1:].flatten())

    model = Tokens().bfloat16()
    x = torch.randint(0, 20, (8, 12), generator=torch.Generator().manual_seed(0))
    session = attach([t.DFT()], model, loss)
    session.gradients((x, x))
    got = [p.grad.float() for p in model.parameters()]
    places = F.cross_entropy(model(x)[:, :-1].flatten(0, 1).float(), x[:, 1:].flatten(), reduction="none")
    wanted = torch.autograd.grad((places * torch.exp(-places.detach())).mean(), list(model.parameters()))
    for g, w in zip(got, wanted, strict=True):
        assert (g - w.float()).norm() < 0.3 * w.float().norm()  # loss and term cancel in half precision; unshifted 1.4
