import numpy as np
import pytest

import temperance.regularizers  # noqa: F401
from temperance.lifecycle.strength import judge, scaled, strengths
from temperance.study.spec import TrialSpec

SPEC = TrialSpec(
    "t1", "net", "cocktail", "small net",
    {"regularizers": [{"name": "WeightDecay", "rate": 0.01}, {"name": "Dropout", "p": 0.6}, {"name": "MaxNorm"}],
     "controller": {"name": "Curriculum"}},
)  # fmt: skip


def test_strengths_are_moved_away_from_neutral_within_their_range() -> None:
    found = strengths(scaled(SPEC, 3.0))
    assert found["WeightDecay.rate"] == pytest.approx(0.03)
    assert found["Dropout.p"] < 1.0
    weaker = strengths(scaled(SPEC, 1 / 3))
    assert weaker["WeightDecay.rate"] == pytest.approx(0.01 / 3)
    assert weaker["Dropout.p"] == pytest.approx(0.2)
    assert scaled(SPEC, 3.0).recipe["controller"] == {"name": "Curriculum"}
    assert strengths(SPEC)["WeightDecay.rate"] == 0.01


def test_a_neutral_strength_stays_neutral() -> None:
    still = SPEC.changed(recipe={"regularizers": [{"name": "Dropout", "p": 0.0}]})
    assert strengths(scaled(still, 3.0)) == {"Dropout.p": 0.0}


def losses(**means: float) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    base = rng.random(400)
    return {k.replace("_", " "): base + mean + 0.05 * rng.normal(size=400) for k, mean in means.items()}


def test_stronger_is_said_where_it_is_proven() -> None:
    tried = {"weaker": scaled(SPEC, 1 / 3), "stronger": scaled(SPEC, 3.0)}
    chosen, answer = judge(SPEC, tried, losses(as_it_was=0.0, weaker=0.1, stronger=-0.1), metric="log_loss")
    assert (chosen, answer.need) == ("stronger", "more")
    assert "More regularization is needed now" in answer.sentence
    assert {"address": "WeightDecay.rate", "before": 0.01, "now": pytest.approx(0.03)} in answer.changes
    chosen, answer = judge(SPEC, tried, losses(as_it_was=0.0, weaker=-0.1, stronger=0.1), metric="log_loss")
    assert (chosen, answer.need) == ("weaker", "less")


def test_no_proof_keeps_the_recipe() -> None:
    tried = {"weaker": scaled(SPEC, 1 / 3), "stronger": scaled(SPEC, 3.0)}
    chosen, answer = judge(SPEC, tried, losses(as_it_was=0.0, weaker=0.1, stronger=0.1), metric="log_loss")
    assert (chosen, answer.need, answer.changes) == ("as it was", "the same", ())
    chosen, answer = judge(SPEC, tried, losses(as_it_was=0.0, weaker=0.0, stronger=0.1), metric="log_loss")
    assert (chosen, answer.need) == ("as it was", "unclear")
    assert judge(SPEC, {}, losses(as_it_was=0.0), metric="log_loss")[1].need == "unclear"
    assert answer.to_dict()["differences"]["stronger"]["low"] > 0
