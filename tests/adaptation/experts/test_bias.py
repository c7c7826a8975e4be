import numpy as np

from temperance.adaptation.experts.bias import Bias
from temperance.adaptation.traffic import Setting, Traffic


def test_it_finds_a_change_of_class_shares() -> None:
    rng = np.random.default_rng(0)
    y = (rng.random(600) < 0.9).astype(np.int64)
    score = 2 * (2 * y - 1) + 2 * rng.normal(size=600)  # log-odds of a model that knows equal shares
    p = 1 / (1 + np.exp(-score))
    traffic, one = Traffic(np.stack([1 - p, p], axis=1)), Bias()
    state = one.begin(Setting(2))
    assert state is not None
    for _ in range(20):
        state = one.learn(state, (traffic, y), (traffic, y))
    before, after = ((a.argmax(axis=1) == y).mean() for a in (traffic.answers, one.apply(state, traffic)))
    assert after > before + 0.02


def test_it_finds_a_level(values) -> None:
    one = Bias(penalty=0.1)
    traffic, truth = values.draw(300)
    state = one.learn(one.begin(values.setting), (traffic, truth), (traffic, truth))
    assert abs((one.apply(state, traffic) - truth).mean()) < 0.1
