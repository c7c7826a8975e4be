from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from temperance import SAM, Dropout
from temperance.control.strength import Strength
from temperance.core.regularizer import Context, Memory, Rank, Regularizer, Strengths, techniques
from temperance.records.errors import SettingError


@dataclass(frozen=True, repr=False)
class Nothing(Regularizer):
    """Do nothing at all."""

    amount: float = 0.5
    places: tuple[str, ...] = ()

    strengths: ClassVar[dict[str, Strength]] = {"amount": Strength(0.5, low=0.0, high=1.0, neutral=0.0)}


def test_stages_are_those_that_a_class_overrides():
    assert Nothing.stages() == ()
    assert Dropout.stages() == ("rewire",)
    assert SAM.stages() == ("gradient",)
    assert SAM.rank == Rank.ASCEND


def test_defaults_are_the_identity():
    one, inner = Nothing(), object()
    values, memory = Strengths({}, address="nothing"), Memory({}, address="nothing")
    assert one.objective(inner, values, memory) is inner
    assert one.gradient(inner, values, memory) is inner
    assert one.update(inner, values, memory) is inner
    assert one.served(inner, memory) is inner
    assert one.rewire(torch.nn.Linear(1, 1), values) is None
    assert one.initial(Context(torch.nn.Linear(1, 1), 0.1)) == {"amount": 0.5}


def test_settings_are_checked_and_shown():
    assert repr(Nothing()) == "Nothing()"
    assert repr(Nothing(0.2, ("a",))) == "Nothing(amount=0.2, places=('a',))"
    assert Nothing(0.2, ("a",)).to_dict() == {"name": "Nothing", "amount": 0.2, "places": ["a"]}
    assert Nothing().explain() == "Nothing: do nothing at all (amount 0.5)."
    with pytest.raises(SettingError, match="Nothing got amount=2"):
        Nothing(2)


def test_strengths_know_their_numbers_and_whether_they_are_off():
    solo = Strengths({"p": torch.tensor(0.0)}, address="a", mirror={"p": 0.0})
    many = Strengths({"p": torch.tensor(0.0)}, address="a")
    assert solo.is_off("p")
    assert not many.is_off("p")
    assert solo.number("p") == 0.0
    assert isinstance(many.number("p"), torch.Tensor)


@pytest.mark.parametrize("name", sorted(techniques))
def test_every_technique_documents_itself(name):
    cls = techniques[name]
    assert cls.citations
    assert cls.family
    for part in ("Stage:", "Cost:", "Strengths:", "Use when:", "Avoid when:", "Reference"):
        assert part in (cls.__doc__ or ""), f"{name} does not say {part}"
    assert set(cls.effect) == set(cls.strengths)
    assert all(spec.words for spec in cls.strengths.values())
