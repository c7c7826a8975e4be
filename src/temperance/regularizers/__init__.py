"""The techniques, one file each; every public one is exported here."""

from temperance.regularizers.averaging.ema import EMA
from temperance.regularizers.averaging.greedy_soup import GreedySoup
from temperance.regularizers.averaging.lawa import LAWA
from temperance.regularizers.averaging.schedule_free import ScheduleFree
from temperance.regularizers.averaging.swa import SWA
from temperance.regularizers.flatness.adaptive_gradient_clipping import AdaptiveGradientClipping
from temperance.regularizers.flatness.asam import ASAM
from temperance.regularizers.flatness.awp import AWP
from temperance.regularizers.flatness.friendly_sam import FriendlySAM
from temperance.regularizers.flatness.gated_sam import GatedSAM
from temperance.regularizers.flatness.gradient_clipping import GradientClipping
from temperance.regularizers.flatness.gradient_noise import GradientNoise
from temperance.regularizers.flatness.gsam import GSAM
from temperance.regularizers.flatness.look_sam import LookSAM
from temperance.regularizers.flatness.norm_sam import NormSAM
from temperance.regularizers.flatness.sam import SAM
from temperance.regularizers.generative.gradient_penalty import GradientPenalty
from temperance.regularizers.generative.r1 import R1
from temperance.regularizers.mixing.adaptive_augmentation import AdaptiveAugmentation
from temperance.regularizers.mixing.augmix import AugMix
from temperance.regularizers.mixing.cmixup import CMixUp
from temperance.regularizers.mixing.cutmix import CutMix
from temperance.regularizers.mixing.cutout import Cutout
from temperance.regularizers.mixing.feature_noise import FeatureNoise
from temperance.regularizers.mixing.manifold_mixup import ManifoldMixUp
from temperance.regularizers.mixing.mixup import MixUp
from temperance.regularizers.mixing.random_color import RandomColor
from temperance.regularizers.mixing.random_crop import RandomCrop
from temperance.regularizers.mixing.random_flip import RandomFlip
from temperance.regularizers.mixing.regmixup import RegMixUp
from temperance.regularizers.mixing.tabular_corruption import TabularCorruption
from temperance.regularizers.mixing.token_dropout import TokenDropout
from temperance.regularizers.mixing.trivial_augment import TrivialAugment
from temperance.regularizers.normalization.spectral_norm import SpectralNorm
from temperance.regularizers.smoothness.fgsm_training import FGSMTraining
from temperance.regularizers.smoothness.input_gradient_penalty import InputGradientPenalty
from temperance.regularizers.smoothness.jacobian_penalty import JacobianPenalty
from temperance.regularizers.smoothness.neftune import NEFTune
from temperance.regularizers.smoothness.pgd_training import PGDTraining
from temperance.regularizers.smoothness.r3f import R3F
from temperance.regularizers.smoothness.trades import TRADES
from temperance.regularizers.smoothness.vat import VAT
from temperance.regularizers.targets.ada_focal import AdaFocal
from temperance.regularizers.targets.confidence_penalty import ConfidencePenalty
from temperance.regularizers.targets.dft import DFT
from temperance.regularizers.targets.early_learning import EarlyLearning
from temperance.regularizers.targets.focal import Focal
from temperance.regularizers.targets.generalized_cross_entropy import GeneralizedCrossEntropy
from temperance.regularizers.targets.label_smoothing import LabelSmoothing
from temperance.regularizers.targets.margin_smoothing import MarginSmoothing
from temperance.regularizers.targets.max_sup import MaxSup
from temperance.regularizers.targets.online_label_smoothing import OnlineLabelSmoothing
from temperance.regularizers.targets.self_distillation import SelfDistillation
from temperance.regularizers.targets.symmetric_cross_entropy import SymmetricCrossEntropy
from temperance.regularizers.transfer.frozen_prefix import FrozenPrefix
from temperance.regularizers.transfer.kl_anchor import KLAnchor
from temperance.regularizers.transfer.l2_sp import L2SP
from temperance.regularizers.transfer.layerwise_rate_decay import LayerwiseRateDecay
from temperance.regularizers.transfer.mixout import Mixout
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
    "ASAM",
    "AWD",
    "AWP",
    "CPR",
    "DFT",
    "EMA",
    "GSAM",
    "L1",
    "L2",
    "L2SP",
    "LAWA",
    "R1",
    "R3F",
    "SAM",
    "SWA",
    "TRADES",
    "VAT",
    "AdaFocal",
    "AdaptiveAugmentation",
    "AdaptiveGradientClipping",
    "AugMix",
    "CMixUp",
    "CautiousDecay",
    "ConcreteDropout",
    "ConfidencePenalty",
    "CorrectedDecay",
    "CutMix",
    "Cutout",
    "DropBlock",
    "DropConnect",
    "Dropout",
    "EarlyLearning",
    "ElasticNet",
    "FGSMTraining",
    "FeatureNoise",
    "FixedNorm",
    "Focal",
    "FriendlySAM",
    "FrozenPrefix",
    "GatedSAM",
    "GaussianDropout",
    "GeneralizedCrossEntropy",
    "GhostBatchNorm",
    "GradientClipping",
    "GradientNoise",
    "GradientPenalty",
    "GreedySoup",
    "GroupLasso",
    "InputGradientPenalty",
    "JacobianPenalty",
    "KLAnchor",
    "LabelSmoothing",
    "LayerwiseRateDecay",
    "LoRADropout",
    "LookSAM",
    "ManifoldMixUp",
    "MarginSmoothing",
    "MaxNorm",
    "MaxSup",
    "MixUp",
    "Mixout",
    "NEFTune",
    "NormControl",
    "NormSAM",
    "OnlineLabelSmoothing",
    "Orthogonality",
    "PGDTraining",
    "RDrop",
    "RandomColor",
    "RandomCrop",
    "RandomFlip",
    "RegMixUp",
    "ScheduleFree",
    "SelectiveProjectionDecay",
    "SelfDistillation",
    "SpectralNorm",
    "StableDecay",
    "StochasticDepth",
    "SymmetricCrossEntropy",
    "TabularCorruption",
    "TokenDropout",
    "TrivialAugment",
    "WeightDecay",
]
