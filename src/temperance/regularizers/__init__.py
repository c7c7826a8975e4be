"""The techniques, one file each; every public one is exported here."""

from temperance.regularizers.averaging.ema import EMA
from temperance.regularizers.averaging.swa import SWA
from temperance.regularizers.flatness.gradient_clipping import GradientClipping
from temperance.regularizers.flatness.sam import SAM
from temperance.regularizers.mixing.feature_noise import FeatureNoise
from temperance.regularizers.mixing.mixup import MixUp
from temperance.regularizers.normalization.spectral_norm import SpectralNorm
from temperance.regularizers.targets.label_smoothing import LabelSmoothing
from temperance.regularizers.transfer.l2_sp import L2SP
from temperance.regularizers.transfer.selective_projection_decay import SelectiveProjectionDecay
from temperance.regularizers.units.concrete_dropout import ConcreteDropout
from temperance.regularizers.units.dropblock import DropBlock
from temperance.regularizers.units.dropconnect import DropConnect
from temperance.regularizers.units.dropout import Dropout
from temperance.regularizers.units.gaussian_dropout import GaussianDropout
from temperance.regularizers.units.ghost_batch_norm import GhostBatchNorm
from temperance.regularizers.units.lora_dropout import LoRADropout
from temperance.regularizers.units.r_drop import RDrop
from temperance.regularizers.units.stochastic_depth import StochasticDepth
from temperance.regularizers.weights.awd import AWD
from temperance.regularizers.weights.cautious_decay import CautiousDecay
from temperance.regularizers.weights.corrected_decay import CorrectedDecay
from temperance.regularizers.weights.cpr import CPR
from temperance.regularizers.weights.elastic_net import ElasticNet
from temperance.regularizers.weights.fixed_norm import FixedNorm
from temperance.regularizers.weights.group_lasso import GroupLasso
from temperance.regularizers.weights.l1 import L1
from temperance.regularizers.weights.l2 import L2
from temperance.regularizers.weights.max_norm import MaxNorm
from temperance.regularizers.weights.norm_control import NormControl
from temperance.regularizers.weights.orthogonality import Orthogonality
from temperance.regularizers.weights.stable_decay import StableDecay
from temperance.regularizers.weights.weight_decay import WeightDecay

__all__ = [
    "AWD",
    "CPR",
    "EMA",
    "L1",
    "L2",
    "L2SP",
    "SAM",
    "SWA",
    "CautiousDecay",
    "ConcreteDropout",
    "CorrectedDecay",
    "DropBlock",
    "DropConnect",
    "Dropout",
    "ElasticNet",
    "FeatureNoise",
    "FixedNorm",
    "GaussianDropout",
    "GhostBatchNorm",
    "GradientClipping",
    "GroupLasso",
    "LabelSmoothing",
    "LoRADropout",
    "MaxNorm",
    "MixUp",
    "NormControl",
    "Orthogonality",
    "RDrop",
    "SelectiveProjectionDecay",
    "SpectralNorm",
    "StableDecay",
    "StochasticDepth",
    "WeightDecay",
]
