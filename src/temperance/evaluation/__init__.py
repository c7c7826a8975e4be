"""Measure a model on rows it has not seen: quality, calibration, robustness, slices; each number with its interval.

Loads no torch and no scikit-learn. ``evaluate`` takes a ``Predictor``; ``compare`` takes per-row losses of two models.
"""

from temperance.evaluation.base import Metric, Outcome, outcome
from temperance.evaluation.calibration import Calibration, Calibrator, calibrate, calibrator_of, refinement_loss
from temperance.evaluation.comparison import Comparison, compare, compare_many
from temperance.evaluation.decision import decide
from temperance.evaluation.diagram import reliability
from temperance.evaluation.fragility import Fragility
from temperance.evaluation.harness import SUITES, Evaluation, evaluate
from temperance.evaluation.insight import Insight, insight
from temperance.evaluation.metrics.registry import METRICS, check_goal, default_metric, losses, measure, metric
from temperance.evaluation.prediction import observe
from temperance.evaluation.robustness import Robustness, merge, probe
from temperance.evaluation.slicing import Slice, slices
from temperance.evaluation.words import sentence, sentences

__all__ = [
    "METRICS",
    "SUITES",
    "Calibration",
    "Calibrator",
    "Comparison",
    "Evaluation",
    "Fragility",
    "Insight",
    "Metric",
    "Outcome",
    "Robustness",
    "Slice",
    "calibrate",
    "calibrator_of",
    "check_goal",
    "compare",
    "compare_many",
    "decide",
    "default_metric",
    "evaluate",
    "insight",
    "losses",
    "measure",
    "merge",
    "metric",
    "observe",
    "outcome",
    "probe",
    "refinement_loss",
    "reliability",
    "sentence",
    "sentences",
    "slices",
]
