"""The reader of batches: every form the ecosystem writes, and nothing paired in silence that may mean another thing."""

import random
from collections import UserDict, namedtuple
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_sequence
from torch.utils.data import default_collate

from temperance.core.batch import Batch
from temperance.core.batches import Reader, Signature, _looks
from temperance.core.convention import Convention
from temperance.core.nest import leaves
from temperance.records.errors import RecipeError, SettingError

X, Y, Z = torch.randn(6, 3), torch.arange(6), torch.randn(6, 2)


class One(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x


class Two(nn.Module):
    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return a


class Text(nn.Module):
    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None, labels: Tensor | None = None) -> Tensor:
        return input_ids


@dataclass
class Sample:
    x: Tensor
    y: Tensor


Named = namedtuple("Named", "x label")


@pytest.mark.parametrize(
    "value",
    [(X, Y), [X, Y], {"x": X, "y": Y}, {"image": X, "label": Y}, {"inputs": X, "targets": Y}, {"x": X, "target": Y},
     UserDict(x=X, labels=Y), Sample(X, Y), Named(X, Y), Batch(X, Y)],
)  # fmt: skip
def test_one_input_and_its_targets_in_every_form(value):
    batch = Reader(One()).one(value)
    assert next(leaves(batch.inputs)) is X
    assert batch.targets is Y


def test_a_batch_of_the_trainer_keeps_its_names_without_the_labels():
    ids, mask = torch.ones(4, 5, dtype=torch.int64), torch.ones(4, 5, dtype=torch.int64)
    batch = Reader(Text()).one({"input_ids": ids, "attention_mask": mask, "labels": Y[:4]})
    assert list(batch.inputs) == ["input_ids", "attention_mask"]
    assert type(batch.inputs) is dict
    assert torch.equal(batch.targets, Y[:4])


def test_a_batch_encoding_is_a_dict():
    transformers = pytest.importorskip("transformers")
    ids = torch.ones(4, 5, dtype=torch.int64)
    batch = Reader(Text()).one(transformers.BatchEncoding({"input_ids": ids, "labels": Y[:4]}))
    assert type(batch.inputs) is dict
    assert batch.inputs["input_ids"] is ids


def test_a_single_part_goes_by_name_only_where_the_model_has_the_name():
    assert set(Reader(Text()).one({"attention_mask": X, "labels": Y}).inputs) == {"attention_mask"}
    assert Reader(One()).one({"pixels": X, "labels": Y}).inputs is X


def test_names_that_the_model_does_not_take_are_told():
    with pytest.raises(SettingError, match=r"'idx', which the model's forward does not take.*input_ids.*collate="):
        Reader(Text()).one({"input_ids": X, "idx": X, "labels": Y})
    with pytest.raises(SettingError, match=r"'image', 'cls'.*labels, label.*collate="):
        Reader(One()).one({"image": X, "cls": Y})
    with pytest.raises(SettingError, match="'label' and 'y'"):
        Reader(One()).one({"x": X, "y": Y, "label": Y})


def test_weights_and_row_numbers_of_a_dict_are_those_of_the_batch_unless_the_model_takes_them():
    class Weighing(nn.Module):
        def forward(self, x: Tensor, weight: Tensor) -> Tensor:
            return x * weight

    rows = {"x": X, "y": Y, "weight": torch.rand(6), "index": Y}
    batch = Reader(One()).one(rows)
    assert batch.weight is rows["weight"]
    assert batch.index is Y
    given = {"x": X, "y": Y, "weight": torch.rand(6)}
    assert set(Reader(Weighing()).one(given).inputs) == {"x", "weight"}


def test_a_third_part_by_position_is_refused_until_it_is_said_what_it_is():
    for value in ((X, Y, Y), [X, Y, Y], (X, Y, torch.rand(6), Y)):
        with pytest.raises(SettingError, match=r"parts by position.*index="):
            Reader(One()).micros(value)
    said = Reader(One(), collate=lambda raw: Batch(raw[0], raw[1], index=raw[2])).one((X, Y, Y))
    assert said.index is Y
    assert said.weight is None


def test_torchs_own_collate_of_two_inputs_is_one_batch():
    raw = default_collate([((torch.randn(3), torch.randn(2)), i) for i in range(6)])
    assert isinstance(raw[0], list)  # the fault: this was taken for micro-batches
    found = Reader(Two()).micros(raw)
    assert len(found) == 1
    assert found[0].inputs[0] is raw[0][0]
    assert found[0].targets is raw[1]


@pytest.mark.parametrize("parts", [[(X, Y), (X, Y)], [[X, Y], [X, Y]], [Batch(X, Y), (X, Y)], [{"x": X, "y": Y}] * 3,
                                   [(X, Y)], [[X, Y]] * 3, [((X, Z), Y)] * 2])  # fmt: skip
def test_a_list_of_whole_batches_is_micro_batches(parts):
    model = Two() if isinstance(parts[0][0] if not isinstance(parts[0], dict) else X, tuple) else One()
    found = Reader(model).micros(parts)
    assert len(found) == len(parts)
    assert all(one.targets is Y for one in found)


def test_micro_batches_of_text_may_differ_in_length():
    parts = [{"input_ids": torch.ones(2, n, dtype=torch.int64), "labels": Y[:2]} for n in (4, 7)]
    assert [one.inputs["input_ids"].shape[1] for one in Reader(Text()).micros(parts)] == [4, 7]


def test_what_can_be_read_in_two_ways_is_decided_by_the_model_or_refused():
    pairs = [[X, X], [X, X]]
    assert len(Reader(One()).micros(pairs)) == 2
    (one,) = Reader(Two()).micros(pairs)
    assert one.inputs[0] is X
    assert len(one.targets) == 2
    with pytest.raises(SettingError, match="two micro-batches, or one batch"):
        Reader().micros(pairs)
    unlike = [[X, X], [Y, Y]]
    (one,) = Reader().micros(unlike)
    assert one.inputs[0] is X
    assert one.targets[0] is Y


def test_inputs_and_targets_that_are_dicts_are_one_batch_where_their_names_differ():
    (one,) = Reader(Text()).micros([{"input_ids": X, "labels": Y}, {"boxes": X, "labels": Y}])
    assert set(one.targets) == {"boxes", "labels"}


def test_a_packed_sequence_is_one_input():
    packed = pack_sequence([torch.randn(3, 2), torch.randn(1, 2)], enforce_sorted=False)
    batch = Reader(One()).one((packed, Y[:2]))
    assert batch.inputs is packed
    assert batch.size == 2
    with pytest.raises(SettingError, match="a batch of type PackedSequence"):
        Reader().one(packed)


def test_targets_may_be_none_or_several():
    assert Reader(One()).one((X, None)).targets is None
    assert Reader(One()).one({"x": X, "labels": None}).targets is None
    heads = {"age": Z, "sex": Y}
    assert Reader(One()).one((X, heads)).targets == heads
    assert Reader(Text(), needs_targets=False).one({"input_ids": X}).targets is None


@pytest.mark.parametrize(
    "value",
    [X, None, 3, "text", [], (), [X], (X,), (X.numpy(), Y), (X, Y.numpy()), {"x": X.numpy(), "y": Y}, {}, {"y": Y},
     (torch.zeros(0, 3), torch.zeros(0)), (torch.tensor(1.0), Y), {1: X, "y": Y, 2: X}, object(), iter([X, Y]),
     ("a", "b"), (X, "b"), ({}, Y), [None, None], Batch(X, Y, weight=torch.rand(5)), Batch(X, Y, index=Y[:2])],
)  # fmt: skip
def test_bad_input_gives_the_three_part_error(value):
    with pytest.raises(SettingError) as told:
        Reader(One()).micros(value)
    assert len(str(told.value)) > 40


def test_collate_may_return_micro_batches_and_nothing_but_batches():
    cut = Reader(One(), collate=lambda raw: [Batch(x, y) for x, y in zip(*raw, strict=True)])
    assert len(cut.micros([[X, X], [Y, Y]])) == 2
    with pytest.raises(SettingError, match="collate returned"):
        Reader(One(), collate=lambda raw: raw).one((X, Y))
    with pytest.raises(SettingError, match="collate returned"):
        Reader(One(), collate=lambda raw: raw).micros([(X, Y)])


def test_every_batch_carries_the_convention_of_the_loss():
    own = Convention("classes", 255)
    reader = Reader(One(), convention=own)
    given = ((X, Y), Batch(X, Y), {"x": X, "y": Y}, Batch({"x": X}, Y))
    assert {id(reader.one(value).convention) for value in given} == {id(own)}


def test_a_forward_without_a_signature_takes_anything():
    class Builtin(nn.Module):
        forward = print

    assert Signature(nn.Linear(1, 1)).names == ("input",)
    assert Signature(Builtin()).accepts("anything") in (True, False)


# -- ten thousand random nestings of each kind; Hypothesis needs 40 s for them, a seeded generator 2 s -----------------


class Anything(nn.Module):
    def forward(self, *args: Tensor, **named: Tensor) -> Tensor:
        return args[0]


READERS = [Reader(Anything()), Reader()]
NAMES = ["a", "b", "x", "y", "labels", "ids"]


def nesting(rng, depth=2, *, integer=False):
    """Return tensors in tuples, lists, dicts, dataclasses and named tuples, packed ones too, and its leaves."""
    kind = rng.choice(["tensor", "tensor", "tuple", "list", "dict", "user dict", "class", "named", "packed"])
    if depth == 0 or kind == "tensor":
        shape = (4, *[2] * rng.randrange(3))
        leaf = torch.zeros(shape, dtype=torch.int64) if integer else torch.zeros(shape)
        return leaf, [leaf]
    if kind == "packed":
        leaf = PackedSequence(torch.zeros(5, 2), torch.tensor([4, 1]))
        return leaf, [leaf]
    many = 2 if kind in ("class", "named") else rng.randrange(1, 4)
    parts = [nesting(rng, depth - 1, integer=integer) for _ in range(many)]
    nests, found = [nest for nest, _ in parts], [leaf for _, own in parts for leaf in own]
    named = dict(zip(rng.sample(NAMES, many), nests, strict=True))
    makers = {
        "tuple": lambda: tuple(nests), "list": lambda: nests, "class": lambda: Sample(*nests), "dict": lambda: named,
        "named": lambda: Named(*nests), "user dict": lambda: UserDict(named),
    }  # fmt: skip
    return makers[kind](), found


def in_form(form, inputs, targets):
    return {
        "tuple": lambda: (inputs, targets),
        "list": lambda: [inputs, targets],
        "Batch": lambda: Batch(inputs, targets),
        "dict": lambda: {"inputs": inputs, "targets": targets},
        "user dict": lambda: UserDict(x=inputs, label=targets),
        "micro tuples": lambda: [(inputs, targets)] * 3,
        "micro Batches": lambda: [Batch(inputs, targets)] * 2,
        "third": lambda: (inputs, targets, torch.zeros(4)),
        "bare": lambda: inputs,
    }[form]()


def identities(nest):
    return [id(leaf) for leaf in leaves(nest) if leaf is not None]


@pytest.mark.parametrize("seed", range(4))
def test_random_nestings_come_out_as_planted_or_are_refused(seed):
    rng, taken = random.Random(seed), 0
    forms = ["tuple", "list", "Batch", "dict", "user dict", "micro tuples", "micro Batches", "third", "bare"]
    for _ in range(2500):
        inputs, planted = nesting(rng)
        targets, goal = (None, []) if rng.random() < 0.1 else nesting(rng, integer=True)
        form = rng.choice(forms)
        try:
            found = rng.choice(READERS).micros(in_form(form, inputs, targets))
        except (SettingError, RecipeError):
            assert form not in ("tuple", "Batch", "dict", "micro Batches"), "a plain form was refused"
            continue
        taken += 1
        if form == "bare":  # it may happen to be a pair, or named; then every leaf is somewhere, once
            seen = [number for one in found for number in identities((one.inputs, one.targets, one.weight))]
            assert sorted(seen) == sorted(map(id, planted))
            continue
        assert form != "third"
        if form == "list" and len(found) == 2:  # each part is a whole batch, and they are alike: micro-batches
            assert _looks(inputs) == _looks(targets)
            continue
        assert len(found) == {"micro tuples": 3, "micro Batches": 2}.get(form, 1)
        for one in found:
            assert identities(one.inputs) == list(map(id, planted))
            assert identities(one.targets) == list(map(id, goal))
    assert taken > 1500


def junk(rng, depth=3):
    """Return anything that a loader might yield by mistake."""
    flat = [
        lambda: None, lambda: 3, lambda: "ab", lambda: 1.5, lambda: b"x", lambda: np.zeros(3), lambda: np.float32(1),
        lambda: torch.zeros(2, 2), lambda: torch.zeros(2, 2), lambda: torch.tensor(1.0), lambda: torch.zeros(0, 2),
        lambda: nn.Linear(1, 1), lambda: {1, 2}, lambda: iter([1]), lambda: print,
        lambda: PackedSequence(torch.zeros(5, 2), torch.tensor([4, 1])),
    ]  # fmt: skip
    if depth == 0 or rng.random() < 0.4:
        return rng.choice(flat)()

    def inner():
        return junk(rng, depth - 1)

    names = [*NAMES, "label", "inputs", "weight", "index", 5, None]
    nests = [
        lambda: [inner() for _ in range(rng.randrange(5))], lambda: tuple(inner() for _ in range(rng.randrange(5))),
        lambda: {name: inner() for name in rng.sample(names, rng.randrange(5))}, lambda: Sample(inner(), inner()),
        lambda: Named(inner(), inner()), lambda: Batch(inner(), inner(), inner(), inner()), lambda: (inner(), inner()),
        lambda: UserDict({name: inner() for name in rng.sample(names, 2)}),
    ]  # fmt: skip
    return rng.choice(nests)()


@pytest.mark.parametrize("seed", range(4))
def test_no_random_nesting_ends_in_a_raw_exception(seed):
    rng, taken = random.Random(seed), 0
    for _ in range(2500):
        try:
            found = rng.choice(READERS).micros(junk(rng))
        except (SettingError, RecipeError):
            continue
        taken += 1
        for batch in found:
            assert batch.size >= 1
            assert batch.targets is None or any(isinstance(x, (Tensor, PackedSequence)) for x in leaves(batch.targets))
    assert taken > 20
