"""Class outputs with members, pictures and labels of every kind."""

from functools import partial

import pytest
import torch

import temperance
from temperance.core.batch import Batch
from temperance.core.kit.classes import class_logits, expected, log_softmax, member_mean, per_label, softmax, spread
from temperance.records.errors import RecipeError

GENERATOR = torch.Generator().manual_seed(0)


def test_the_classes_come_last():
    assert class_logits(torch.zeros(5, 3), "X").shape == (5, 3)
    assert class_logits(torch.zeros(5, 4, 3), "X").shape == (5, 4, 3)
    assert class_logits(torch.zeros(5, 3, 6, 7), "X").shape == (5, 6, 7, 3)
    assert class_logits(torch.zeros(5, 3, 6), "X", axis=1).shape == (5, 6, 3)
    assert class_logits(torch.zeros(5, 3, dtype=torch.bfloat16), "X").dtype == torch.float32


@pytest.mark.parametrize("outputs", [torch.zeros(5), torch.zeros(5, 1), (torch.zeros(5, 3),)])
def test_what_is_no_classifier_is_refused_by_name(outputs):
    with pytest.raises(RecipeError, match="Focal"):
        class_logits(outputs, "Focal")


def test_labels_choose_their_class_for_every_member():
    values = torch.randn(4, 2, 3, generator=GENERATOR)
    labels = torch.tensor([0, 2, 1, 2])
    chosen = expected(values, labels, "X")
    assert chosen.shape == (4, 2)
    assert torch.equal(chosen[1], values[1, :, 2])
    own = torch.tensor([[0, -1], [2, 1], [1, 1], [2, 0]])
    chosen = expected(values, own, "X")
    assert chosen[0, 1] == 0.0
    assert chosen[1, 1] == values[1, 1, 1]


def test_probabilities_take_the_mean_over_classes():
    values = torch.randn(4, 2, 3, generator=GENERATOR)
    shares = torch.eye(3)[[0, 2, 1, 2]]
    assert torch.equal(expected(values, shares, "X"), expected(values, torch.tensor([0, 2, 1, 2]), "X"))


@pytest.mark.parametrize("labels", [torch.zeros(5, dtype=torch.long), torch.zeros(4, 7)])
def test_labels_that_do_not_fit_are_refused(labels):
    with pytest.raises(RecipeError, match="labels"):
        expected(torch.zeros(4, 3), labels, "X")


def test_rows_spread_over_members_and_back():
    assert spread(torch.zeros(4, 3), 4).shape == (4, 1, 1, 3)
    assert member_mean(torch.ones(4, 2, 3), "X").shape == (4, 3)
    with pytest.raises(RecipeError, match="dense"):
        member_mean(torch.ones(4, 2, 2, 3), "X")


@pytest.mark.parametrize("shape", [(4, 3), (200, 10), (60, 4, 9), (80, 40)])
def test_a_softmax_is_the_same_in_either_layout(shape):
    logits = torch.randn(*shape, generator=GENERATOR, dtype=torch.float64)
    assert torch.allclose(log_softmax(logits), torch.log_softmax(logits, -1), rtol=1e-14, atol=1e-14)
    assert torch.allclose(softmax(logits), torch.softmax(logits, -1), rtol=1e-14, atol=1e-14)


def test_a_place_left_out_adds_nothing_whatever_its_number():
    logits = torch.randn(4, 3, generator=GENERATOR)
    labels = torch.tensor([0, -1, 2, -100])
    terms = per_label(logits, labels, lambda ce: ce, "X")
    assert torch.equal(terms[[1, 3]], torch.zeros(2))
    assert torch.allclose(terms[[0, 2]], -torch.log_softmax(logits, -1)[[0, 2], [0, 2]])


def _session(one, loss):
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 4)
    return temperance.Recipe(one).attach(
        model, torch.optim.SGD(model.parameters(), lr=0.1), loss=loss, epochs=1, steps_per_epoch=2
    )


@pytest.mark.parametrize(
    "one", [temperance.Focal(2.0), temperance.GeneralizedCrossEntropy(0.5), temperance.AdaFocal()],
    ids=lambda one: type(one).__name__,
)  # fmt: skip
def test_what_replaces_the_cross_entropy_refuses_one_with_weights(one):
    """ "loss − cross-entropy + own term" mixed weighted and plain terms, and could be negative."""
    batch = torch.randn(6, 3), torch.arange(6) % 4
    weights = torch.tensor([0.01, 0.01, 0.01, 1.0])
    for loss in (
        torch.nn.CrossEntropyLoss(weight=weights),
        partial(torch.nn.functional.cross_entropy, weight=weights),
        torch.nn.CrossEntropyLoss(label_smoothing=0.2),
    ):
        with pytest.raises(RecipeError, match=f"{type(one).__name__} takes the place of a plain cross-entropy"):
            _session(one, loss).step(batch)
    for loss in (torch.nn.CrossEntropyLoss(), torch.nn.CrossEntropyLoss(ignore_index=3, reduction="none")):
        assert torch.isfinite(_session(one, loss).step(batch).loss)


@pytest.mark.parametrize(
    "one", [temperance.EarlyLearning(), temperance.SelfDistillation(source="previous")],
    ids=lambda one: type(one).__name__,
)  # fmt: skip
def test_tokens_are_not_taken_for_members(one):
    """The memory of an example was the mean over its tokens, padding included."""
    batch = Batch(torch.randn(2, 5, 3), torch.randint(0, 4, (2, 5)), index=torch.arange(2))

    def loss(out, y):
        return torch.nn.functional.cross_entropy(out.movedim(-1, 1), y)

    with pytest.raises(RecipeError, match="one answer per example"):
        _session(one, loss).step(batch)
