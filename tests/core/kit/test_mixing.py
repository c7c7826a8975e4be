"""Blends of two examples: numbers are averaged, codes are chosen, weights follow."""

import pytest
import torch

import temperance
from temperance.core.batch import Batch, Mixed
from temperance.core.kit.mixing import OnlyCodes, blend, paired, warn_of_codes
from temperance.records.errors import RecipeError
from temperance.regularizers.mixing.cutmix import cut

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


def test_codes_that_belong_together_come_from_one_example() -> None:
    """Token ids and their mask: the fault was a draw for each leaf."""
    ids = torch.arange(60).reshape(2, 30)
    mask = torch.stack([torch.ones(30), torch.zeros(30)]).long()
    for key in range(5):
        out = blend({"ids": ids, "mask": mask}, PARTNER, torch.tensor(0.5), key)
        assert torch.equal(out["ids"] < 30, out["mask"] == 1)
        rows = blend({"ids": ids, "length": mask[:, 0], "wide": mask[:, :, None]}, PARTNER, torch.tensor(0.5), key)
        first = rows["ids"][:, 0] < 30
        assert torch.equal(first, rows["length"] == 1)
        assert torch.equal(first, rows["wide"][:, 3, 0] == 1)


def test_codes_alone_are_warned_of() -> None:
    told: list[str] = []
    warn_of_codes((torch.ones(2, 3).long(), torch.ones(2, 3)), "MixUp", told)
    codes = {"ids": torch.ones(2, 3).long()}
    with pytest.warns(OnlyCodes, match="MixUp finds integers alone"):
        warn_of_codes(codes, "MixUp", told)
    warn_of_codes(codes, "MixUp", told)  # a second warning would be an error
    assert len(told) == 1


def test_each_head_of_the_targets_is_mixed() -> None:
    heads = {"a": torch.tensor([5, 6]), "b": torch.tensor([[0.0], [1.0]])}
    mixed = paired(Batch(None, heads, torch.tensor([1, 2])), "inputs", PARTNER, SHARE)
    assert mixed.targets.second["a"].tolist() == [6, 5]
    assert mixed.targets.second["b"].tolist() == [[1.0], [0.0]]
    assert mixed.weight is not None
    assert mixed.weight.tolist() == [1.25, 1.75]


@pytest.mark.parametrize("rows", [1, 3])
def test_targets_that_are_not_one_for_each_row_are_refused(rows: int) -> None:
    with pytest.raises(RecipeError, match=r"2 rows of inputs and targets of shape"):
        paired(Batch(None, torch.zeros(rows)), None, PARTNER, SHARE)


@pytest.mark.parametrize(
    "one", [temperance.MixUp(), temperance.RegMixUp(), temperance.ManifoldMixUp(), temperance.GradientPenalty()],
    ids=lambda one: type(one).__name__,
)  # fmt: skip
def test_inputs_that_differ_in_their_rows_are_refused_by_name(one):
    class Graph(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.act = torch.nn.Linear(5, 2), torch.nn.ReLU()

        def forward(self, x, edge_index):
            z = self.act(self.layer(x))
            return z + torch.zeros_like(z).index_add(0, edge_index[0], z[edge_index[1]])

    model = Graph()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    session = temperance.Recipe(one).attach(model, optimizer, loss=torch.nn.functional.cross_entropy)
    rows = {"x": torch.randn(8, 5), "edge_index": torch.randint(0, 8, (2, 20)), "y": torch.arange(8) % 2}
    with pytest.raises(RecipeError, match=rf"{type(one).__name__} got 8 rows and an input of shape \(2, 20\)"):
        list(map(session.step, [rows] * 8))  # ManifoldMixUp draws its place


def test_images_that_differ_in_their_rows_are_not_cut():
    images = torch.rand(6, 3, 8, 8), torch.rand(4, 3, 8, 8)
    with pytest.raises(RecipeError, match=r"CutMix got 6 rows and an input of shape \(4, 3, 8, 8\)"):
        cut(Batch(images, torch.arange(6) % 2), 1.0, 1.0, 0)
