import math

import pytest
import torch

from temperance.core.leaves import Leaves


def pair(owned):
    a = Leaves.of({"w": torch.tensor([1.0, 2.0]), "b": torch.tensor([3.0])}, owned=owned)
    b = Leaves.of({"w": torch.tensor([10.0, 20.0]), "b": torch.tensor([30.0])}, owned=owned)
    return a, b


both = pytest.mark.parametrize("owned", [True, False])


@both
def test_arithmetic(owned):
    a, b = pair(owned)
    assert a.add(b, 0.5)["w"].tolist() == [6.0, 12.0]
    assert a.add(b, torch.tensor(2.0))["b"].tolist() == [63.0]
    assert a["w"].tolist() == [1.0, 2.0]
    assert a.norm().item() == pytest.approx(math.sqrt(14))
    assert a.mul_(2.0)["w"].tolist() == [2.0, 4.0]


@both
@pytest.mark.parametrize("weight", [0.25, torch.tensor(0.25, dtype=torch.float64)])
def test_lerp(owned, weight):
    a, b = pair(owned)
    assert a.lerp_(b, weight)["w"].tolist() == [3.25, 6.5]
    a, b = pair(owned)
    assert torch.equal(a.lerp_(b, 1.0)["b"], b["b"])


@both
def test_a_number_keeps_its_double_precision(owned):
    a = Leaves.of({"w": torch.zeros(1, dtype=torch.float64)}, owned=owned)
    b = Leaves.of({"w": torch.ones(1, dtype=torch.float64)}, owned=owned)
    assert float(a.lerp_(b, 0.05)["w"]) == 0.05


@both
def test_methods_with_underscore_work_in_place_only_where_owned(owned):
    a, b = pair(owned)
    kept = a["w"]
    for new in (a.add_(b), a.mul_(2.0), a.copy_(b), a.lerp_(b, 0.5)):
        assert (new is a) == owned
    assert (kept.tolist() == [1.0, 2.0]) != owned


@both
def test_a_part_is_the_same_tensors(owned):
    a, b = pair(owned)
    part = a.part(("b",))
    assert part["b"] is a["b"]
    assert a.part(("b",)) is part
    assert a.part(a.names) is a
    after = a.mul_([2.0], only=("b",)).add_(b.part(("b",)), 1.0, only=("b",))
    assert after["b"].tolist() == [36.0]
    assert after["w"].tolist() == [1.0, 2.0]
    assert list(after) == ["w", "b"]


def test_scaled_addition_leaves_both_sides_alone():
    a, b = pair(True)
    a.add(b, torch.tensor(3.0, dtype=torch.float64))
    assert a["w"].tolist() == [1.0, 2.0]
    assert b["w"].tolist() == [10.0, 20.0]


def test_copies_are_independent():
    a, _ = pair(True)
    copy = a.clone()
    a.mul_(0.0)
    assert copy["w"].tolist() == [1.0, 2.0]
    assert copy.map(lambda t: t + 1)["b"].tolist() == [4.0]
    assert len(a.detach()) == 2


@pytest.mark.parametrize("owned", [True, False])
def test_products_dots_and_blends_are_new_tensors(owned):
    one = Leaves(["a", "b"], [torch.tensor([1.0, 2.0]), torch.tensor([[3.0]])], owned=owned)
    two = Leaves(["a", "b"], [torch.tensor([4.0, 5.0]), torch.tensor([[6.0]])], owned=owned)
    assert [t.flatten().tolist() for t in one.times(two).tensors] == [[4.0, 10.0], [18.0]]
    assert float(one.dot(two)) == 32.0
    assert [t.flatten().tolist() for t in one.lerp(two, 0.5).tensors] == [[2.5, 3.5], [4.5]]
    assert one["a"].tolist() == [1.0, 2.0]


@both
def test_the_norm_of_complex_leaves_is_real(owned):
    norm = Leaves.of({"w": torch.tensor([3.0 + 4.0j]), "b": torch.tensor([12.0 + 0.0j])}, owned=owned).norm()
    assert norm.item() == pytest.approx(13.0)
