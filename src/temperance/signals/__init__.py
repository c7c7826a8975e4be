"""Measured quantities that controllers read, one per file."""

from temperance.signals.anchor_kl import AnchorKL
from temperance.signals.angular_step import AngularStep
from temperance.signals.calibration_bins import CalibrationBins
from temperance.signals.confidence import Confidence
from temperance.signals.curvature import Curvature
from temperance.signals.difficulty import Difficulty
from temperance.signals.evidence import Evidence
from temperance.signals.forgetting import Forgetting
from temperance.signals.gap import Gap
from temperance.signals.gradient_disparity import GradientDisparity
from temperance.signals.gradient_noise import GradientNoise
from temperance.signals.lr import LearningRate
from temperance.signals.plateau import Plateau
from temperance.signals.prediction_flips import PredictionFlips
from temperance.signals.progress import Progress
from temperance.signals.sharpness import Sharpness
from temperance.signals.spectral_tail import SpectralTail
from temperance.signals.weight_norm import WeightNorm

__all__ = [
    "AnchorKL",
    "AngularStep",
    "CalibrationBins",
    "Confidence",
    "Curvature",
    "Difficulty",
    "Evidence",
    "Forgetting",
    "Gap",
    "GradientDisparity",
    "GradientNoise",
    "LearningRate",
    "Plateau",
    "PredictionFlips",
    "Progress",
    "Sharpness",
    "SpectralTail",
    "WeightNorm",
]
