"""Numbers by training row."""

import math

import torch

from temperance.core.kit.by_row import gather, scores, table


def test_the_latest_value_of_each_row_counts():
    memory = {}
    gather(memory, torch.tensor([0, 3]), torch.tensor([1.0, 2.0]))
    gather(memory, torch.tensor([3]), torch.tensor([5.0]))
    whole = table(memory, math.nan)
    assert whole[[0, 3]].tolist() == [1.0, 5.0]
    assert torch.isnan(whole[[1, 2]]).all()
    assert len(table(memory, -1)) == 0


def test_scores_of_one_column_are_two_classes():
    assert scores(torch.tensor([2.0, -1.0])).tolist() == [[0.0, 2.0], [0.0, -1.0]]
    assert scores(torch.tensor([[2.0]])).tolist() == [[0.0, 2.0]]
    assert scores(torch.zeros(2, 3)).shape == (2, 3)
    assert scores({"a": torch.zeros(2)}) is None
    assert scores(torch.zeros(2, 3, 4)) is None
