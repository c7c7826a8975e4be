"""One mask of what counts: losses, techniques, micro-batches and validation leave out the same places."""

import copy
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

import temperance as t
from temperance.core.batch import Batch, Mixed, mean, measure, per_row, reduce
from temperance.core.convention import Convention
from temperance.core.counted import counted, ignored, marked
from temperance.records.errors import RecipeError, SettingError

CLASSES = Convention("classes", axis=-1)
IGNORED = Convention("classes", 255, axis=1)


def tokens(out, y):
    """A loss per token, 0 where it is padding."""
    return F.cross_entropy(out.movedim(-1, 1), y, reduction="none")


def mean_of_tokens(out, y):
    return F.cross_entropy(out.movedim(-1, 1), y)


def a_model(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 4))


def attach(recipe, model, loss, **more):
    return t.Recipe(*recipe).attach(model, torch.optim.SGD(model.parameters(), lr=0.0), loss=loss, **more)


def gradient(recipe, loss, batch, seed=0):
    model = a_model(seed)
    attach(recipe, model, loss).step(batch)
    return torch.cat([p.grad.flatten() for p in model.parameters()])


def texts(kept=(3, 29), seed=1):
    """Two halves of a batch of tokens, with so many kept ones."""
    torch.manual_seed(seed)
    x, y = torch.randn(8, 8, 5), torch.randint(0, 4, (8, 8))
    for half, many in ((slice(0, 4), kept[0]), (slice(4, 8), kept[1])):
        flat = y[half].flatten()
        flat[torch.randperm(32)[many:]] = -100
        y[half] = flat.reshape(4, 8)
    return x, y


# -- the mask --------------------------------------------------------------------------------


def test_all_that_counts_needs_no_mask():
    assert counted(torch.tensor([0, 1, 2]), CLASSES) is None
    assert counted(torch.rand(3, 2), CLASSES) is None
    assert counted(None, CLASSES) is None
    assert counted(torch.zeros(0, dtype=torch.int64), CLASSES) is None


def test_left_out_are_ignore_index_and_negative_numbers():
    assert counted(torch.tensor([0, -100, -1, 3]), CLASSES).tolist() == [True, False, False, True]
    assert counted(torch.tensor([0, 255, -1, 3]), IGNORED).tolist() == [True, False, False, True]
    assert counted(torch.tensor([-100, 3]), Convention("numbers")) is None
    assert marked(torch.tensor([0, 255]), IGNORED).tolist() == [0, -1]


def test_a_mixed_place_counts_by_its_shares():
    mixed = Mixed(torch.tensor([1, -100, -100]), torch.tensor([1, 1, -100]), torch.tensor(0.25))
    assert counted(mixed, CLASSES).tolist() == [1.0, 0.75, 0.0]


def test_the_users_loss_leaves_out_only_what_it_gave_a_zero():
    """A regression on integers may well have a target of −100."""
    targets = torch.tensor([1, -100, 2])
    assert ignored(torch.tensor([0.5, 0.0, 1.0]), targets, Convention()).tolist() == [True, False, True]
    assert ignored(torch.tensor([0.5, 3.0, 1.0]), targets, Convention()).all()


def test_padding_is_no_loss_of_zero():
    losses = torch.tensor([[2.0, 0.0, 0.0], [4.0, 6.0, 0.0]])
    targets = torch.tensor([[1, -100, -100], [1, 1, -100]])
    batch = Batch(losses, targets)
    assert measure(lambda out, y: out, losses, batch).item() == 4.0  # not 2.0, the mean over all six
    assert measure(lambda out, y: out.flatten(), losses, batch).item() == 4.0
    assert per_row(losses, batch).tolist() == [2.0, 5.0]
    weighted = batch._replace(weight=torch.tensor([1.0, 3.0]))
    assert measure(lambda out, y: out, losses, weighted).item() == pytest.approx((2 + 3 * 10) / (1 + 3 * 2))
    alone = Batch(losses[:1], torch.full((1, 3), -100))
    assert measure(lambda out, y: 0 * out, losses[:1], alone).item() == 0.0  # nothing counts: no 0/0


def test_weights_may_be_given_per_token():
    losses, weight = torch.tensor([[2.0, 4.0], [6.0, 8.0]]), torch.tensor([[1.0, 0.0], [1.0, 2.0]])
    assert reduce(losses, weight).item() == pytest.approx((2 + 6 + 16) / 4)


# -- training --------------------------------------------------------------------------------

TERMS = [
    t.LabelSmoothing(0.2), t.ConfidencePenalty(0.3), t.MaxSup(0.5), t.Focal(2.0), t.RDrop(1.0, p=0.0),
    t.GeneralizedCrossEntropy(0.5), t.SymmetricCrossEntropy(), t.MarginSmoothing(0.5),
]  # fmt: skip


@pytest.mark.parametrize("one", TERMS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("loss", [F.cross_entropy, nn.CrossEntropyLoss(reduction="none"), nn.CrossEntropyLoss()])
def test_rows_left_out_are_pushed_by_no_technique(one, loss):
    torch.manual_seed(2)
    x, y = torch.randn(6, 5), torch.tensor([0, 1, -100, 2, -100, 3])
    kept = y >= 0
    both = gradient([one], loss, (x, y)), gradient([one], loss, (x[kept], y[kept]))
    torch.testing.assert_close(*both)


@pytest.mark.parametrize("one", TERMS, ids=lambda one: type(one).__name__)
def test_an_ignore_index_that_is_no_negative_number_is_left_out_too(one):
    torch.manual_seed(2)
    x, y = torch.randn(6, 5), torch.tensor([0, 1, 255, 2, 255, 3])
    kept, loss = y != 255, nn.CrossEntropyLoss(ignore_index=255)
    torch.testing.assert_close(gradient([one], loss, (x, y)), gradient([one], loss, (x[kept], y[kept])))


@pytest.mark.parametrize("one", TERMS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("loss", [tokens, mean_of_tokens])
def test_tokens_left_out_are_pushed_by_no_technique(one, loss):
    x, y = texts()
    other = x.clone()
    other[y < 0] = torch.randn(5)  # whatever stands there
    torch.testing.assert_close(gradient([one], loss, (x, y)), gradient([one], loss, (other, y)))


@pytest.mark.parametrize("recipe", [[], *([one] for one in TERMS)], ids=lambda r: type(r[0]).__name__ if r else "plain")
@pytest.mark.parametrize("loss", [tokens, mean_of_tokens])
def test_micro_batches_with_unequal_kept_tokens_give_the_gradient_of_the_big_batch(recipe, loss):
    x, y = texts()
    whole = gradient(recipe, loss, (x, y))
    parts = gradient(recipe, loss, [(x[:4], y[:4]), (x[4:], y[4:])])
    torch.testing.assert_close(parts, whole, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("loss", [tokens, mean_of_tokens])
def test_a_micro_batch_of_padding_alone_adds_nothing(loss):
    x, y = texts((0, 20))
    whole, parts = gradient([], loss, (x, y)), gradient([], loss, [(x[:4], y[:4]), (x[4:], y[4:])])
    assert whole.isfinite().all()
    torch.testing.assert_close(parts, whole)


def test_weighted_rows_in_micro_batches_give_the_gradient_of_the_big_batch():
    torch.manual_seed(3)
    x, y, w = torch.randn(12, 5), torch.randint(0, 4, (12,)), torch.rand(12) ** 4
    loss = nn.CrossEntropyLoss(reduction="none")
    for recipe in ([], [t.LabelSmoothing(0.2)], [t.Focal(1.0)]):
        whole = gradient(recipe, loss, Batch(x, y, weight=w))
        parts = gradient(recipe, loss, [Batch(x[:4], y[:4], weight=w[:4]), Batch(x[4:], y[4:], weight=w[4:])])
        torch.testing.assert_close(parts, whole)


def test_sums_and_class_weights_of_torchs_loss_add_up_over_micro_batches():
    torch.manual_seed(4)
    x, y = torch.randn(12, 5), torch.randint(0, 4, (12,))
    for loss in (nn.CrossEntropyLoss(reduction="sum"), nn.CrossEntropyLoss(torch.tensor([0.1, 5.0, 1.0, 2.0]))):
        parts = gradient([], loss, [(x[:3], y[:3]), (x[3:], y[3:])])
        torch.testing.assert_close(parts, gradient([], loss, (x, y)))


# -- validation --------------------------------------------------------------------------------


def test_validate_weighs_rows_and_tokens_not_batches():
    torch.manual_seed(5)
    model, x, y = a_model(), torch.randn(67, 5), torch.randint(0, 4, (67,))
    session = attach([], model, F.cross_entropy)
    session.step((x, y))
    found = session.validate([(x[:64], y[:64]), (x[64:], y[64:])])["valid_loss"]
    assert found == pytest.approx(F.cross_entropy(model(x), y).item(), rel=1e-5)


@pytest.mark.parametrize("loss", [tokens, mean_of_tokens])
def test_validate_weighs_kept_tokens(loss):
    x, y = texts()
    model = a_model()
    session = attach([], model, loss)
    session.step((x, y))
    session.solo.home.copy_(session.solo.home)
    told = session.validate([(x[:4], y[:4]), (x[4:], y[4:])])
    assert told["valid_loss"] == pytest.approx(mean_of_tokens(model(x), y).item(), rel=1e-5)
    assert told["train_loss"] == pytest.approx(told["valid_loss"], rel=1e-5)


# -- one row, no row --------------------------------------------------------------------------------


def test_a_batch_of_one_row_works_and_is_told_where_batch_norm_cannot():
    model = nn.Sequential(nn.Linear(5, 4))
    assert (
        attach([t.MixUp(0.2), t.LabelSmoothing(0.1)], model, F.cross_entropy)
        .step((torch.randn(1, 5), torch.tensor([1])))
        .loss.isfinite()
    )
    normed = nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4))
    with pytest.raises(RecipeError, match=r"one row, and BatchNorm.*drop_last"):
        attach([], normed, F.cross_entropy).step((torch.randn(1, 5), torch.tensor([1])))


def test_an_empty_batch_is_refused():
    session = attach([], a_model(), F.cross_entropy)
    with pytest.raises(SettingError, match="without rows"):
        session.step((torch.zeros(0, 5), torch.zeros(0, dtype=torch.int64)))


# -- where the classes stand --------------------------------------------------------------------------------


class Channels(nn.Module):
    """Gives (b, c, t), as torch's cross-entropy wants it."""

    def __init__(self, classes=4):
        super().__init__()
        torch.manual_seed(0)
        self.inner = nn.Linear(5, classes)

    def forward(self, x):
        return self.inner(x).movedim(-1, 1)


@pytest.mark.parametrize("loss", [F.cross_entropy, lambda out, y: F.cross_entropy(out, y)])
@pytest.mark.parametrize("length", [7, 4])
def test_label_smoothing_on_places_acts_along_the_classes(loss, length):
    torch.manual_seed(1)
    x, y = torch.randn(3, length, 5), torch.randint(0, 4, (3, length))
    model = Channels()
    session = attach([t.LabelSmoothing(0.2)], model, loss)
    expected = F.cross_entropy(model(x), y, label_smoothing=0.2)
    torch.testing.assert_close(session.step((x, y)).loss, expected)


# -- several labels, numbers --------------------------------------------------------------------------------

X, LABELS = torch.randn(6, 5), (torch.rand(6, 4) > 0.5).float()


BCE = F.binary_cross_entropy_with_logits


@pytest.mark.parametrize("loss", [nn.BCEWithLogitsLoss(), BCE, lambda out, y: BCE(out, y, reduction="none")])
def test_several_labels_have_their_own_form(loss):
    labels = torch.tensor([[1.0, 1, 0, 0], [0, 0, 0, 0], [1, 0, 1, 1]])
    model, x = a_model(), X[:3]
    out = model(x)
    smooth = F.binary_cross_entropy_with_logits(out, labels * 0.8 + 0.1)
    found = attach([t.LabelSmoothing(0.2)], copy.deepcopy(model), loss).step((x, labels)).loss
    torch.testing.assert_close(found, smooth)
    p = torch.where(labels > 0, out.sigmoid(), 1 - out.sigmoid())
    focal = (-((1 - p) ** 2) * p.log()).mean()
    found = attach([t.Focal(2.0)], copy.deepcopy(model), loss).step((x, labels)).loss
    torch.testing.assert_close(found, focal)
    with pytest.raises(RecipeError, match=r"several labels.*MaxSup needs one class per row"):
        attach([t.MaxSup(1.0)], copy.deepcopy(model), loss).step((x, labels))


def test_techniques_on_classes_say_truthfully_why_they_refuse():
    one = t.ConfidencePenalty(0.1)
    with pytest.raises(RecipeError, match="MSELoss, which compares numbers"):
        attach([one], a_model(), nn.MSELoss()).step((X, torch.randn(6, 4)))
    with pytest.raises(RecipeError, match="which compares numbers"):
        attach([one], a_model(), lambda out, y: (out - y).square().mean()).step((X, torch.randn(6, 4)))
    sure = nn.Sequential(a_model(), nn.Sigmoid())
    with pytest.raises(RecipeError, match="takes probabilities, no logits"):
        attach([one], sure, nn.BCELoss()).step((X, LABELS))
    heads = {"a": LABELS, "b": torch.zeros(6, dtype=torch.int64)}
    with pytest.raises(RecipeError, match=r"2 targets \(dict\).*one head"):
        attach([one], a_model(), lambda out, y: F.cross_entropy(out, y["b"])).step((X, heads))


def test_soft_labels_are_classes():
    soft = torch.softmax(torch.randn(6, 4), 1)
    model = a_model()
    found = attach([t.LabelSmoothing(0.2)], model, lambda out, y: F.cross_entropy(out, y)).step((X, soft)).loss
    torch.testing.assert_close(found, F.cross_entropy(model(X), soft, label_smoothing=0.2))


def test_a_loss_of_the_whole_batch_refuses_what_would_split_it():
    def contrastive(out, y):
        return F.cross_entropy(out @ out.T, torch.arange(len(out)))

    loss = t.WholeBatch(contrastive)
    plain = attach([], a_model(), loss)
    assert plain.step((X, None)).loss.item() == pytest.approx(contrastive(plain.model(X), None).item())
    with pytest.raises(RecipeError, match="2 micro-batches were given, and contrastive compares"):
        plain.step([(X, None), (X, None)])
    with pytest.raises(RecipeError, match="MixUp mixes rows, and contrastive"):
        attach([t.MixUp(0.2)], a_model(), loss).step((X, None))
    with pytest.raises(RecipeError, match="the batch has weights, and contrastive"):
        attach([], a_model(), loss).step(Batch(X, None, weight=torch.rand(6)))
    with pytest.raises(RecipeError, match="MaxSup needs one class"):
        attach([t.MaxSup(1.0)], a_model(), loss).step((X, None))


def test_the_mean_over_what_counts_takes_axes_behind_the_targets():
    values = torch.tensor([[[1.0, 3.0], [5.0, 7.0]]])
    assert mean(values, Batch(values, torch.tensor([[1, -100]]), convention=CLASSES)).item() == 2.0
    assert mean(values, Batch(values, None)).item() == 4.0


# -- one loss per row, some of them left out ---------------------------------------------------------------------------


def labelled(seed=3):
    torch.manual_seed(seed)
    x, y = torch.randn(32, 5), torch.randint(0, 4, (32,))
    y[:12][torch.rand(12) < 0.8] = -100
    return x, y


WEIGHTS = torch.tensor([0.2, 1.0, 3.0, 0.5])
OF_ROWS = {
    "module": nn.CrossEntropyLoss(reduction="none"),
    "function": lambda out, y: F.cross_entropy(out, y, reduction="none"),
    "weighted": nn.CrossEntropyLoss(weight=WEIGHTS, reduction="none"),
    "partial": partial(F.cross_entropy, weight=WEIGHTS),
    "sum": nn.CrossEntropyLoss(reduction="sum"),
}


@pytest.mark.parametrize("name", OF_ROWS)
def test_micro_batches_of_rows_some_left_out_give_the_gradient_of_the_big_batch(name):
    """Rows of −100 counted in the shares: relative 0.34."""
    x, y = labelled()
    whole = gradient([], OF_ROWS[name], (x, y))
    parts = gradient([], OF_ROWS[name], [(x[:5], y[:5]), (x[5:], y[5:])])
    torch.testing.assert_close(parts, whole, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["module", "function", "sum"])
def test_validate_leaves_the_same_rows_out_also_of_the_accuracy(name):
    """They counted as loss 0 (0.63 for 1.13) and as wrong answers; a loss that sums was weighed by its rows twice."""
    x, y = labelled()
    model = a_model()
    told = attach([], model, OF_ROWS[name]).validate([(x[:5], y[:5]), (x[5:], y[5:])], metric="accuracy")
    out, kept = model(x), y != -100
    assert told["valid_loss"] == pytest.approx(F.cross_entropy(out, y).item(), rel=1e-5)
    assert told["metric"] == pytest.approx((out.argmax(1) == y)[kept].float().mean().item())
    weighed = [Batch(x, y, weight=torch.arange(32.0))]
    if name != "sum":
        told = attach([], a_model(), OF_ROWS[name]).validate(weighed, metric="accuracy")
        share = kept * torch.arange(32.0)
        assert told["metric"] == pytest.approx(((out.argmax(1) == y) * share).sum().item() / share.sum().item())


def test_class_weights_of_an_unreduced_loss_per_place_do_not_divide():
    x, y = texts()
    loss = nn.CrossEntropyLoss(weight=WEIGHTS, reduction="none")

    def places(out, targets):
        return loss(out.movedim(-1, 1), targets)

    for one in (places, partial(places)):
        whole = gradient([], one, (x, y))
        torch.testing.assert_close(gradient([], one, [(x[:4], y[:4]), (x[4:], y[4:])]), whole, rtol=1e-4, atol=1e-5)


def test_a_loss_per_row_that_knows_no_number_to_ignore_keeps_its_rows_in_validate():
    x, y = labelled()
    model = a_model()

    def loss(out, targets):
        return (out[:, 0] - targets).abs()

    told = attach([], model, loss).validate([(x[:5], y[:5]), (x[5:], y[5:])])
    assert told["valid_loss"] == pytest.approx(loss(model(x), y).mean().item(), rel=1e-5)
