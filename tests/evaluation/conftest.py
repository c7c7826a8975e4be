"""Small tables, images and predictors; everything is made from a seed."""

import numpy as np
import pytest

from temperance.records.schema import Column, Rows, Schema, Target
from temperance.records.table import Table


class Formula:
    """A predictor made of a function of rows."""

    def __init__(self, schema, function, half=None):
        self.schema, self.function, self.half, self.sizes = schema, function, half, []

    def predict(self, rows):
        self.sizes.append(rows.size)
        return self.function(rows)

    def interval(self, rows):
        if self.half is None:
            return None
        value = self.function(rows)
        return value - self.half, value + self.half


def both(p):
    return np.stack([1 - p, p], axis=1)


@pytest.fixture
def binary():
    """A table of 1,000 rows, four numbers and one category, and a model that knows the law behind it."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(1000, 4)) * [1, 2, 1, 10] + [0, 0, 0, 100]
    code = generator.integers(0, 3, size=(1000, 1)).astype(np.int32)

    def chance(rows):
        z = np.nan_to_num(rows.numeric[:, 0]) + np.nan_to_num(rows.numeric[:, 1])
        return both(1 / (1 + np.exp(-2 * z)))

    columns = tuple(Column(f"x{j}", "numeric", f"x{j}") for j in range(4))
    city = Column("city", "categorical", "city", "", ("Bonn", "Kiel", "Ulm"))
    schema = Schema((*columns, city), Target("y", "binary", ("no", "yes")))
    rows = Rows(x, code)
    y = (generator.random(1000) < chance(rows)[:, 1]).astype(np.int64)
    return Table(schema, rows, y), Formula(schema, chance)


@pytest.fixture
def regression():
    """A table of 600 rows, three numbers, and a model with intervals of about 90 %."""
    generator = np.random.default_rng(1)
    x = generator.normal(size=(600, 3))
    schema = Schema(tuple(Column(f"x{j}", "numeric", f"x{j}") for j in range(3)), Target("y", "regression"))
    y = x[:, 0] - x[:, 1] + 0.5 * generator.normal(size=600)
    function = lambda rows: np.nan_to_num(rows.numeric[:, 0]) - np.nan_to_num(rows.numeric[:, 1])  # noqa: E731
    return Table(schema, Rows(x, np.zeros((600, 0), np.int32)), y), Formula(schema, function, half=0.5 * 1.645)


@pytest.fixture
def pictures():
    """300 pictures of 12 × 12 × 1, dark or bright on the left, and a model that compares the halves."""
    generator = np.random.default_rng(2)
    y = generator.integers(0, 2, size=300)
    images = generator.integers(90, 120, size=(300, 12, 12, 1)).astype(np.int64)
    images[y == 1, :, :6] += 4
    images[y == 0, :, 6:] += 4
    schema = Schema((), Target("side", "binary", ("right", "left")), "images", (12, 12, 1))
    empty = Rows(np.zeros((300, 0)), np.zeros((300, 0), np.int32), images.astype(np.uint8))

    def chance(rows):
        gap = rows.images[:, :, :6].mean(axis=(1, 2, 3)) - rows.images[:, :, 6:].mean(axis=(1, 2, 3))
        return both(1 / (1 + np.exp(-gap / 10)))

    return Table(schema, empty, y), Formula(schema, chance)


class Networked:
    """A net in torch as a ``Differentiable``, and as a predictor of the same answers."""

    def __init__(self, schema, inputs, body, head):
        self.schema, self.inputs, self.body, self.head = schema, inputs, body, head

    def features(self, inputs):
        return self.body(self.inputs(inputs))

    def scores(self, inputs):
        return self.head(self.features(inputs))

    def predict(self, rows):
        import torch

        from temperance.evaluation.aspects.base import Inputs

        images = None if rows.images is None else torch.from_numpy(rows.images.astype(np.float64))
        given = Inputs(torch.from_numpy(rows.numeric), torch.from_numpy(rows.categorical.astype(np.int64)), images)
        with torch.no_grad():
            return torch.softmax(self.scores(given).double(), dim=1).numpy()

    def fit(self, rows, y, steps=150):
        import torch
        from torch import nn

        from temperance.evaluation.aspects.base import Inputs

        images = None if rows.images is None else torch.from_numpy(rows.images.astype(np.float64))
        given = Inputs(torch.from_numpy(rows.numeric), torch.from_numpy(rows.categorical.astype(np.int64)), images)
        both = nn.ModuleList([self.body, self.head])
        optimizer = torch.optim.Adam(both.parameters(), lr=1e-2)
        for _ in range(steps):
            loss = nn.functional.cross_entropy(self.scores(given), torch.from_numpy(y))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        both.requires_grad_(False)
        return self


@pytest.fixture
def netted(binary):
    """The table of ``binary`` and a subject with a net that learned it."""
    import torch
    from torch import nn

    from temperance.evaluation.aspects.base import Subject

    table, _ = binary
    spread = torch.from_numpy(table.rows.numeric.std(axis=0))
    centre = torch.from_numpy(table.rows.numeric.mean(axis=0))

    def inputs(given):
        z = torch.nan_to_num((given.numeric - centre) / spread)
        hot = nn.functional.one_hot(given.categorical[:, 0].clamp(min=-1) + 1, 4)
        return torch.cat([z, hot], dim=1).float()

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        body, head = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU()), nn.Linear(16, 2)
        net = Networked(table.schema, inputs, body, head).fit(table.rows, table.target)
    return table, Subject(net, open_network=lambda: net)


@pytest.fixture
def pictured():
    """300 digits as pictures of bytes and a subject with a net that learned 200 of them."""
    import torch
    from sklearn.datasets import load_digits
    from torch import nn

    from temperance.evaluation.aspects.base import Subject

    found = load_digits()
    images = np.rint(found.images[:300, :, :, None] / 16 * 255).astype(np.uint8)
    schema = Schema((), Target("digit", "multiclass", tuple("0123456789")), "images", (8, 8, 1))
    rows = Rows(np.zeros((300, 0)), np.zeros((300, 0), np.int32), images)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        body = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(512, 32), nn.ReLU())
        net = Networked(schema, lambda g: (g.images.movedim(-1, 1) / 255).float(), body, nn.Linear(32, 10))
        net.fit(rows.take(slice(0, 200)), found.target[:200].astype(np.int64), steps=60)
    return Table(schema, rows, found.target[:300].astype(np.int64)), Subject(net, open_network=lambda: net)
