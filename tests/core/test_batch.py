import pytest
import torch

from temperance.core.batch import (
    Batch,
    Mixed,
    Pass,
    between,
    call,
    first_leaf,
    joined,
    map_leaves,
    measure,
    part_of,
    plus,
    reduce,
    row_counts,
    to_device,
)
from temperance.core.batches import Reader
from temperance.core.convention import Convention
from temperance.records.errors import SettingError

X, Y = torch.arange(6.0).reshape(3, 2), torch.tensor([1.0, 2.0, 4.0])


def rows(outputs, targets):
    return (outputs[:, 0] - targets).square()


@pytest.mark.parametrize("given", [Batch(X, Y), (X, Y), [X, Y], {"inputs": X, "targets": Y}])
def test_what_loaders_yield_becomes_a_batch(given):
    batch = Reader().one(given)
    assert batch.inputs is X
    assert batch.targets is Y
    assert batch.size == 3


def test_anything_else_is_refused():
    with pytest.raises(SettingError, match="a batch of type Tensor"):
        Reader().one(X)


@pytest.mark.parametrize("inputs", [X, (X,), {"x": X}])
def test_the_model_is_called_as_the_type_of_the_inputs_says(inputs):
    assert torch.equal(call(lambda x: 2 * x, inputs), 2 * X)
    assert first_leaf(inputs) is X


def test_leaves_of_a_nest_are_mapped_and_the_rest_stays():
    out = map_leaves(lambda t: t + 1, {"a": (X, [Y]), "b": "text"})
    assert torch.equal(out["a"][1][0], Y + 1)
    assert out["b"] == "text"
    assert to_device(Batch((X,), Y, weight=Y), torch.device("cpu")).weight is not None


def test_losses_are_averaged_and_weighted():
    losses = torch.tensor([1.0, 2.0, 6.0])
    assert reduce(losses, None).item() == 3.0
    assert reduce(losses, torch.tensor([1.0, 1.0, 0.0])).item() == 1.5
    assert reduce(torch.stack([losses, losses + 2], 1), torch.tensor([0.0, 0.0, 2.0])).item() == 7.0
    with pytest.raises(SettingError, match="one number"):
        reduce(losses.mean(), torch.ones(3))


def test_mixed_targets_weigh_two_losses():
    first, second = torch.zeros(3), torch.ones(3)
    one, two = rows(X, first).mean(), rows(X, second).mean()
    mixed = measure(rows, X, Batch(X, Mixed(first, second, torch.tensor(0.25))))
    torch.testing.assert_close(mixed, 0.25 * one + 0.75 * two)
    share = torch.tensor([1.0, 0.0, 0.5])
    each = measure(rows, X, Batch(X, Mixed(first, second, share)))
    torch.testing.assert_close(each, (share * rows(X, first) + (1 - share) * rows(X, second)).mean())
    with pytest.raises(SettingError, match="a share per example"):
        measure(lambda o, y: rows(o, y).mean(), X, Batch(X, Mixed(first, second, share)))


def test_a_pass_remembers_by_address():
    from temperance.core.batch import Pass

    passed = Pass(X, X, {}, {"a": {"old": 1}}, {}).remember("a", new=2).remember("b", x=3)
    assert passed.memory == {"a": {"old": 1, "new": 2}, "b": {"x": 3}}


def test_a_term_is_added_by_a_number_or_a_tensor():
    loss, term = torch.tensor(1.0), torch.tensor(3.0)
    for factor in (0.5, torch.tensor(0.5, dtype=torch.float64)):
        assert plus(loss, term, factor).item() == 2.5
        assert plus(loss, term, factor).dtype == torch.float32


def test_a_loss_lies_between_two_by_a_number_or_a_tensor():
    for share in (0.25, torch.tensor(0.25, dtype=torch.float64)):
        found = between(torch.tensor(1.0), torch.tensor(3.0), share)
        assert found.item() == 1.5
        assert found.dtype == torch.float32


def test_weights_that_are_all_zero_give_no_loss():
    assert reduce(torch.tensor([1.0, 2.0]), torch.zeros(2)).item() == 0.0
    assert reduce(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 3.0])).item() == 1.75


def test_micro_batches_as_one_pass():
    one, two = (Pass(torch.tensor(v), torch.tensor([v]), {}, {"a": {n: v}}, {}) for v, n in ((1.0, "x"), (3.0, "y")))
    both = joined([one, two], [0.25, torch.tensor(0.75)])
    assert both.loss.item() == 2.5
    assert both.memory == {"a": {"x": 1.0, "y": 3.0}}
    assert part_of(torch.tensor(float("nan")), torch.tensor(0.0)).item() == 0.0
    assert part_of(two.loss, 1.0) is two.loss


def test_how_much_each_row_counts():
    classes = Convention("classes", axis=-1)
    rows_of = torch.tensor([0, -100, 2])
    assert row_counts(Batch(X, Y, convention=classes)) is None
    assert row_counts(Batch(X, rows_of, convention=classes)).tolist() == [1.0, 0.0, 1.0]
    assert row_counts(Batch(X, rows_of, weight=Y, convention=classes)).tolist() == [1.0, 0.0, 4.0]
    tokens = torch.tensor([[0, -100], [1, 1], [-100, -100]])
    assert row_counts(Batch(X, tokens, convention=classes)).tolist() == [1.0, 2.0, 0.0]
    assert row_counts(Batch(X, tokens, weight=Y, convention=classes)).tolist() == [1.0, 4.0, 0.0]
    assert row_counts(Batch(X, tokens, weight=2 * torch.ones(3, 2), convention=classes)).tolist() == [2.0, 4.0, 0.0]
    assert row_counts(Batch(X, Y, weight=torch.ones(3, 2))).tolist() == [2.0, 2.0, 2.0]


def test_a_language_models_losses_of_each_place_leave_padding_out():
    labels = torch.tensor([[1, 2, 0, -100], [2, -100, -100, -100], [0, 1, 2, 2]])
    losses = torch.rand(3, 3) * (labels[:, 1:] != -100)
    batch = Batch(torch.zeros(3, 4), labels)
    kept = losses[labels[:, 1:] != -100]
    assert torch.equal(measure(lambda outputs, targets: outputs, losses, batch), kept.sum() / len(kept))
    assert torch.equal(measure(lambda outputs, targets: outputs.flatten(), losses, batch), kept.sum() / len(kept))
