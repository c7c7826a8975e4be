import numpy as np
import pytest

from temperance.control import Linear, Only, Strength
from temperance.records.errors import SettingError

SPEC = Strength(0.4, low=0.0, high=1.0, neutral=0.0)
SPECS = {
    "dropout.p": SPEC,
    "dropout_2.p": SPEC,
    "mix.alpha": Strength(0.4, low=0.0, high=1.0, neutral=0.0, adaptive=False),
}


def moved(rule):
    values = {a: np.array(0.4) for a in SPECS}
    after, _ = rule.steer(values, {"progress": 0.5}, rule.begin(values, SPECS), SPECS)
    return {a for a in after if after[a] != values[a]}


def test_patterns():
    assert moved(Only(Linear(), "dropout.p")) == {"dropout.p"}
    assert moved(Only(Linear(), "dropout*")) == {"dropout.p", "dropout_2.p"}
    assert moved(Only(Linear(), ("*.alpha", "dropout.p"))) == {"dropout.p", "mix.alpha"}
    assert moved(Linear()) == {"dropout.p", "dropout_2.p"}


def test_an_address_that_names_nothing_is_an_error_with_the_nearest():
    with pytest.raises(SettingError, match=r"Did you mean 'dropout.p'\?"):
        moved(Only(Linear(), "dropuot.p"))
