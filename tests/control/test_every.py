import numpy as np

from temperance.control import Every, Linear, Strength

SPECS = {"a.p": Strength(1.0, low=0.0, high=1.0, neutral=0.0)}


def test_runs_at_the_first_and_every_nth_measurement():
    rule, values = Every(Linear(), 3), {"a.p": np.array(1.0)}
    memory, path = rule.begin(values, SPECS), []
    for progress in (0.1, 0.2, np.nan, 0.3, 0.4, 0.5):
        values, memory = rule.steer(values, {"progress": progress}, memory, SPECS)
        path.append(float(values["a.p"]))
    assert path == [0.1, 0.1, 0.1, 0.1, 0.4, 0.4]
