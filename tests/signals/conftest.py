"""One thread, and a probe to build by hand."""

import math

import pytest
import torch

from temperance.core.leaves import Leaves
from temperance.core.signal import Probe

torch.set_num_threads(1)


@pytest.fixture
def probe():
    """Return a function that builds a probe from what a test knows."""

    def build(**known):
        def unknown(*_):
            raise AssertionError("this signal should not have asked")

        names = {"step": 0, "progress": math.nan, "epoch": math.nan, "lr_ratio": 1.0, "train": (), "valid": ()}
        calls = dict.fromkeys(("losses", "gradient", "outputs", "product"), unknown)
        params = known.pop("params", {})
        leaves = params if isinstance(params, Leaves) else Leaves.of(params, owned=True)
        return Probe(**{**names, **calls, "params": leaves, "served": leaves, **known})

    return build
