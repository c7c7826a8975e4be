"""Blends of two examples: numbers are averaged, codes are chosen, weights follow."""

import pytest
import torch

from temperance.core.batch import Batch, Mixed
from temperance.core.kit.mixing import blend, paired
from temperance.records.errors import RecipeError

PARTNER, SHARE = torch.tensor([1, 0]), torch.tensor(0.75)


def test_numbers_are_averaged_and_codes_are_chosen() -> None:
    numbers, codes = blend((torch.tensor([[0.0], [4.0]]), torch.tensor([[2], [9]])), PARTNER, SHARE, 1)
    assert numbers.flatten().tolist() == [1.0, 3.0]
    assert set(codes.flatten().tolist()) <= {2, 9}


def test_targets_and_weights() -> None:
    mixed = paired(Batch(None, torch.tensor([5, 6]), torch.tensor([1.0, 2.0])), "inputs", PARTNER, SHARE)
    assert mixed.inputs == "inputs"
    assert mixed.targets.second.tolist() == [6, 5]
    assert mixed.weight is not None
    assert mixed.weight.tolist() == [1.25, 1.75]
    with pytest.raises(RecipeError, match="mixed already"):
        paired(Batch(None, Mixed(PARTNER, PARTNER, SHARE)), None, PARTNER, SHARE)
