import numpy as np
import pytest

from temperance.evaluation.frontier import nondominated
from temperance.records.errors import DataError

N = 400


def losses(**means):
    random = np.random.default_rng(0)
    noise = random.normal(size=N)
    return {name: {"loss": mean + 0.3 * noise + 0.2 * random.normal(size=N)} for name, mean in means.items()}


def test_a_model_leaves_only_where_another_is_shown_better() -> None:
    stay, left = nondominated(losses(best=0.0, near=0.002, far=0.5))
    assert stay == ("best", "near")
    assert [(one.name, one.goal) for one in left] == [("far", "loss")]
    assert left[0].p < 0.001


def test_a_cheaper_model_stays_though_it_is_worse() -> None:
    found = losses(good=0.0, cheap=0.5, poor=0.5)
    cost = {"good": {"bytes": 100.0}, "cheap": {"bytes": 1.0}, "poor": {"bytes": 200.0}}
    stay, left = nondominated(found, costs=cost)
    assert stay == ("good", "cheap")
    assert left[0].by == "good"


def test_equal_models_rarely_leave() -> None:
    lost = 0
    for seed in range(100):
        random = np.random.default_rng(seed)
        found = {name: {"loss": random.normal(size=100)} for name in "abcd"}
        lost += len(nondominated(found)[1]) > 0
    assert lost <= 10


def test_exact_numbers_alone_and_goals_that_differ() -> None:
    stay, left = nondominated({"a": {}, "b": {}}, costs={"a": {"ms": 1.0}, "b": {"ms": 2.0}})
    assert stay == ("a",)
    assert left[0].goal == "ms"
    with pytest.raises(DataError, match="different goals"):
        nondominated({"a": {"x": np.ones(3)}, "b": {"y": np.ones(3)}})
