import numpy as np

from temperance.control.pressure import begin_pressure, limited, under_pressure
from temperance.control.strength import Strength

SPECS = {
    "a.p": Strength(0.5, low=0.0, high=1.0, neutral=0.0),
    "w.t": Strength(10.0, low=1.0, high=100.0, neutral=float("inf"), scale="log", stronger="down"),
}


def test_ends_and_middle():
    values = {"a.p": np.array(0.5), "w.t": np.array(10.0)}
    memory = begin_pressure(values, SPECS)
    for pressure, p, t in ((-1.0, 0.0, np.inf), (0.5, 0.75, 10**0.5), (1.0, 1.0, 1.0), (-0.5, 0.25, 10**1.5)):
        after = under_pressure(np.array(pressure), values, memory, SPECS)
        np.testing.assert_allclose([after["a.p"], after["w.t"]], [p, t])


def test_no_room_below_neutral_or_above_the_strongest():
    low = begin_pressure({"a.p": np.array([0.0, 0.5])}, SPECS)
    assert low["floor"].tolist() == [0.0, -1.0]
    high = begin_pressure({"a.p": np.array([1.0, 0.5])}, SPECS)
    assert high["ceiling"].tolist() == [0.0, 1.0]


def test_limit_counts_from_the_beginning_of_the_epoch():
    memory = {"base": np.array(0.0), "base_epoch": np.array(3.0)}
    same, _ = limited(np.array(0.5), np.array(0.1), memory, np.array(3.7), 0.2)
    fresh, kept = limited(np.array(0.5), np.array(0.1), memory, np.array(4.0), 0.2)
    assert float(same) == 0.2
    assert float(fresh) == 0.1 + 0.2
    assert kept["base_epoch"] == 4.0
