"""Nests of tensors in every container."""

from collections import namedtuple
from dataclasses import dataclass

import pytest
import torch
from torch.nn.utils.rnn import pack_sequence

from temperance.core.nest import (
    call,
    described,
    detached,
    fields_of,
    first_leaf,
    floating_leaves,
    leaves,
    map_leaves,
    rows,
    with_floating,
)
from temperance.records.errors import RecipeError, SettingError

X = torch.arange(6.0).reshape(3, 2)
PACKED = pack_sequence([torch.ones(3, 2), torch.ones(1, 2)])
Named = namedtuple("Named", "a b")


@dataclass
class Held:
    a: torch.Tensor
    b: object = None


@pytest.mark.parametrize("nest", [X, (X, 1), [X], {"a": X}, Named(X, None), Held(X), {"n": None, "x": (Held(X),)}])
def test_the_first_tensor_is_found_and_mapped_in_any_container(nest):
    assert first_leaf(nest) is X
    assert rows(nest) == 3
    mapped = map_leaves(lambda leaf: leaf + 1, nest)
    assert type(mapped) is type(nest)
    assert torch.equal(first_leaf(mapped), X + 1)


def test_named_tuples_and_dataclasses_are_one_argument():
    for inputs in (Named(X, X), Held(X), PACKED):
        assert call(lambda one: one, inputs) is inputs
    assert call(lambda a, b: (a, b), (X, 1)) == (X, 1)


def test_a_packed_sequence_is_a_leaf_whose_rows_are_no_examples():
    assert list(leaves((PACKED, X))) == [PACKED, X]
    assert rows(PACKED) == 2
    assert first_leaf(PACKED) is PACKED.data
    with pytest.raises(RecipeError, match="whose rows are steps of sequences"):
        map_leaves(lambda leaf: leaf, (PACKED,))
    free = pack_sequence([torch.ones(2, 1, requires_grad=True)])
    assert not detached((free, X))[0].data.requires_grad


def test_a_nest_without_a_tensor_is_told():
    with pytest.raises(SettingError, match="dict holds no tensor"):
        first_leaf({"a": "text"})


def test_answers_are_described_by_their_parts():
    assert described(X) == "float32 (3, 2)"
    assert described({"a": X, "b": X}) == "dict with 'a', 'b'"
    assert described((X, None)) == "tuple of 2 (float32 (3, 2), NoneType)"
    assert fields_of(3) is None


@dataclass
class Scene:
    image: torch.Tensor
    kinds: torch.Tensor
    depth: torch.Tensor


def test_tensors_with_decimals_are_found_and_put_back_in_every_kind_of_nest():
    """Dataclasses too, which torch's own walker takes for one leaf."""
    scene = Scene(X, torch.tensor([1, 2, 3]), X + 1)
    nest = {"scene": scene, "more": (X * 2, None)}
    found = floating_leaves(nest)
    assert [float(t.flatten()[0]) for t in found] == [float(t.flatten()[0]) for t in (X, X + 1, X * 2)]
    moved = with_floating(nest, [t + 10 for t in found])
    assert torch.equal(moved["scene"].depth, X + 11)
    assert moved["scene"].kinds is scene.kinds
    assert torch.equal(moved["more"][0], X * 2 + 10)
