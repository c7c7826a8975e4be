"""Make probabilities say what they mean, one map per file, behind a gate that lets none through that might hurt."""

from temperance.evaluation.calibration.base import Calibrator
from temperance.evaluation.calibration.beta import Beta
from temperance.evaluation.calibration.calibrated import Calibrated
from temperance.evaluation.calibration.gate import CALIBRATORS, Calibration, calibrate, calibrator_of
from temperance.evaluation.calibration.identity import Identity
from temperance.evaluation.calibration.matrix import Matrix
from temperance.evaluation.calibration.quadratic import Quadratic
from temperance.evaluation.calibration.temperature import Temperature, refinement_loss

__all__ = [
    "CALIBRATORS",
    "Beta",
    "Calibrated",
    "Calibration",
    "Calibrator",
    "Identity",
    "Matrix",
    "Quadratic",
    "Temperature",
    "calibrate",
    "calibrator_of",
    "refinement_loss",
]
