"""The techniques, one file each; every public one is exported here."""

from temperance.regularizers.averaging.ema import EMA
from temperance.regularizers.averaging.swa import SWA
from temperance.regularizers.flatness.gradient_clipping import GradientClipping
from temperance.regularizers.flatness.sam import SAM
from temperance.regularizers.mixing.feature_noise import FeatureNoise
from temperance.regularizers.mixing.mixup import MixUp
from temperance.regularizers.targets.label_smoothing import LabelSmoothing
from temperance.regularizers.units.dropout import Dropout
from temperance.regularizers.units.stochastic_depth import StochasticDepth
from temperance.regularizers.weights.l1 import L1
from temperance.regularizers.weights.l2 import L2
from temperance.regularizers.weights.weight_decay import WeightDecay

__all__ = [
    "EMA",
    "L1",
    "L2",
    "SAM",
    "SWA",
    "Dropout",
    "FeatureNoise",
    "GradientClipping",
    "LabelSmoothing",
    "MixUp",
    "StochasticDepth",
    "WeightDecay",
]
