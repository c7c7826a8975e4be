"""Basic models that always compete beside the nets: their inputs, their settings, and their out-of-fold answers.

All take raw ``Rows`` (no preprocessing of ours) and define their own input matrix (``matrices``), so that an exporter
can rebuild it. LightGBM and CatBoost compete where their packages are installed.
"""

from temperance.models.basic.base import BASIC, FLOOR, BasicModel, FitPath, FittedBasic, Sample
from temperance.models.basic.boosting import Boosting
from temperance.models.basic.catboost import CatBoost
from temperance.models.basic.crossfit import CrossFit, cross_fit
from temperance.models.basic.forest import ExtraTrees
from temperance.models.basic.lightgbm import LightGBM
from temperance.models.basic.linear import Linear
from temperance.models.basic.majority import Majority
from temperance.models.basic.matrices import CodeMatrix, LinearMatrix, TreeMatrix, WideMatrix
from temperance.models.basic.outside import Outside
from temperance.models.basic.persistence import Persistence, SeasonalPersistence
from temperance.models.basic.wide import Wide

__all__ = [
    "BASIC",
    "FLOOR",
    "BasicModel",
    "Boosting",
    "CatBoost",
    "CodeMatrix",
    "CrossFit",
    "ExtraTrees",
    "FitPath",
    "FittedBasic",
    "LightGBM",
    "Linear",
    "LinearMatrix",
    "Majority",
    "Outside",
    "Persistence",
    "Sample",
    "SeasonalPersistence",
    "TreeMatrix",
    "Wide",
    "WideMatrix",
    "cross_fit",
]
