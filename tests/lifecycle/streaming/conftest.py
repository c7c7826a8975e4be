import numpy as np
import pytest

from temperance.data import read


def rows(n: int, seed: int, *, turn: bool = False, values: bool = False) -> dict:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    score = 2 * x[:, 0] + 0.5 * rng.normal(size=n)
    score = -score if turn else score
    y = score.tolist() if values else ["yes" if s > 0 else "no" for s in score]
    return {"x0": x[:, 0].tolist(), "x1": x[:, 1].tolist(), "y": y}


def joined(*parts: dict) -> dict:
    found = {name: [v for part in parts for v in part[name]] for name in parts[0]}
    return {**found, "t": list(range(len(found["y"])))}


@pytest.fixture(scope="session")
def turning() -> dict:
    """600 rows of one law, then 900 of the opposite one."""
    return joined(rows(600, 0), rows(900, 1, turn=True))


@pytest.fixture(scope="session")
def growing() -> dict:
    """Numbers whose level rises by 5 after 500 rows."""
    first, rest = rows(500, 0, values=True), rows(700, 1, values=True)
    rest["y"] = [v + 5 for v in rest["y"]]
    return joined(first, rest)


@pytest.fixture(scope="session")
def table(turning):
    return read(turning, target="y", time="t").table


class Quick:
    """A linear model without a search, so that a stream is walked in a second."""

    def __init__(self, table) -> None:
        from sklearn.linear_model import LogisticRegression, Ridge

        self.classes = table.schema.target.outputs if table.schema.target.classes else 0
        self.fitted = (LogisticRegression() if self.classes else Ridge()).fit(table.rows.numeric, table.target)

    def predict(self, rows):
        if not self.classes:
            return self.fitted.predict(rows.numeric)
        found = np.full((rows.size, self.classes), 1e-6)
        found[:, self.fitted.classes_] = self.fitted.predict_proba(rows.numeric)
        return found / found.sum(axis=1, keepdims=True)


def quick(table, *, seed=0, net=True, device="cpu"):
    from temperance.lifecycle.streaming.learner import Learned
    from temperance.monitoring import build

    half = np.arange(len(table)) % 2 == 0
    one, other = Quick(table.take(half)), Quick(table.take(~half))
    answers = one.predict(table.rows.take(~half))
    reference = build(table.rows.take(~half), answers, table.schema, target=np.asarray(table.target)[~half])
    return Learned(table.schema, ((one, 0.5), (other, 0.5)), reference, 0.01, len(table))


@pytest.fixture(scope="session")
def quickly():
    return quick


@pytest.fixture(scope="module")
def fast():
    """Streams are walked with the quick learner."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("temperance.lifecycle.streaming.run.learn", quick)
        yield
