import numpy as np

from temperance.control import Delay, EarlyStopping, GapFeedback, Strength

SPECS = {"a.p": Strength(0.2, low=0.0, high=1.0, neutral=0.0)}


def test_nothing_happens_before_its_time():
    inner = GapFeedback(ki=0.1, kp=0.0, noise=0.0, warmup=False)
    rule, values = Delay(inner, 2, "epoch"), {"a.p": np.array(0.0)}
    memory, path = rule.begin(values, SPECS), []
    for epoch in range(4):
        values, memory = rule.steer(values, {"gap": 1.0, "epoch": epoch}, memory, SPECS)
        path.append(round(float(values["a.p"]), 12))
    assert path == [0.0, 0.0, 0.1, 0.2]
    assert "epoch" in rule.reads


def test_early_stopping_can_wait():
    rule, values = Delay(EarlyStopping(1), 0.5), {"a.p": np.array(0.2)}
    memory = rule.begin(values, SPECS)
    for progress, stop in ((0.1, False), (0.3, False), (0.5, False), (0.6, True)):
        _, memory = rule.steer(values, {"valid_loss": 1.0, "progress": progress}, memory, SPECS)
        assert memory["stop"] == stop
