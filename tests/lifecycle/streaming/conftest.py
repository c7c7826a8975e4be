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
