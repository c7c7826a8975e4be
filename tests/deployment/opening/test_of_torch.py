import numpy as np
import pytest
import torch
from torch import nn

from temperance.deployment.opening.of_torch import ModulePredictor, open_module
from temperance.deployment.torch_graph.network import as_inputs
from temperance.records.errors import BundleError, TaskError
from temperance.records.schema import Rows, Schema, Target

W = torch.tensor([[0.0, 0.0], [2.0, -1.0]])


class Two(nn.Module):
    def __init__(self, end=None):
        super().__init__()
        self.line, self.end = nn.Linear(2, 2, bias=False), end
        self.drop = nn.Dropout(0.9)
        with torch.no_grad():
            self.line.weight.copy_(W)

    def forward(self, x):
        z = self.drop(self.line(x))
        return z if self.end is None else self.end(z)


@pytest.mark.parametrize("end", [None, nn.Softmax(dim=1), lambda z: z[:, 1], lambda z: torch.sigmoid(z[:, 1:])])
def test_all_forms_of_outputs_give_the_same_chances_and_gradients(tables, true_chance, end) -> None:
    subject = open_module(Two(end).train(), tables.numbers.schema, name="net", place="m:f")
    assert subject.predict(tables.numbers.rows) == pytest.approx(true_chance, abs=1e-5)
    inputs = as_inputs(tables.numbers.rows.take(slice(0, 5)))
    numeric = inputs.numeric.clone().requires_grad_()
    scores = subject.network.scores(inputs._replace(numeric=numeric))
    chance = torch.softmax(scores.double(), dim=1).detach().numpy()
    assert chance == pytest.approx(true_chance[:5], abs=1e-5)
    (slope,) = torch.autograd.grad((scores[:, 1] - scores[:, 0]).sum(), numeric)
    assert slope.numpy() == pytest.approx(np.tile([2.0, -1.0], (5, 1)), rel=1e-3)
    assert subject.network.features(inputs).shape == (5, 2)


def test_categories_come_as_codes_and_pictures_from_0_to_1(tables) -> None:
    seen = []

    class Pair(nn.Module):
        def forward(self, numeric, categorical):
            seen.append(categorical)
            return numeric

    rows = tables.mixed.rows.take(slice(0, 3))._replace(categorical=np.array([[-2], [-1], [1]], np.int32))
    open_module(Pair(), tables.mixed.schema, name="n", place="p").predict(rows)
    assert seen[0].tolist() == [[0], [0], [2]]

    class Mean(nn.Module):
        def forward(self, x):
            assert x.shape == (2, 3, 4, 5)
            return torch.stack([1 - x.mean(dim=(1, 2, 3)), x.mean(dim=(1, 2, 3))], dim=1)

    schema = Schema((), Target("y", "binary", ("a", "b")), "images", (4, 5, 3))
    images = Rows(np.zeros((2, 0)), np.zeros((2, 0), np.int32), np.full((2, 4, 5, 3), 51, np.uint8))
    assert open_module(Mean(), schema, name="n", place="p").predict(images)[0] == pytest.approx([0.8, 0.2])


def test_a_module_that_fails_or_gives_something_else(tables) -> None:
    with pytest.raises(TaskError, match=r"shape \(200, 2\)"):
        open_module(nn.Linear(7, 2), tables.numbers.schema, name="n", place="p").predict(tables.numbers.rows)

    class Tuple(nn.Module):
        def forward(self, x):
            return x, x

    with pytest.raises(TaskError, match="gave a tuple"):
        open_module(Tuple(), tables.numbers.schema, name="n", place="p").predict(tables.numbers.rows)
    early = ModulePredictor(tables.numbers.schema, Two())
    with pytest.raises(BundleError, match="before the first prediction"):
        early.scores(as_inputs(tables.numbers.rows))
