"""Measured quantities that controllers read, one per file."""

from temperance.signals.gap import Gap
from temperance.signals.gradient_noise import GradientNoise
from temperance.signals.lr import LearningRate
from temperance.signals.progress import Progress
from temperance.signals.weight_norm import WeightNorm

__all__ = ["Gap", "GradientNoise", "LearningRate", "Progress", "WeightNorm"]
