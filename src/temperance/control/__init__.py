"""The one idea without torch: signals in, strengths out. Controllers on NumPy values of shape () or (k,)."""

from temperance.control.base import Controller, Memory, Move, Specs, Values, controllers
from temperance.control.chain import Chain
from temperance.control.clamp import Clamp
from temperance.control.constant import Constant
from temperance.control.constraint import Constraint
from temperance.control.delay import Delay
from temperance.control.early_stopping import EarlyStopping, StopAbove
from temperance.control.every import Every
from temperance.control.gap_feedback import GapFeedback
from temperance.control.hypergradient import Hypergradient
from temperance.control.only import Only
from temperance.control.population_based import PopulationBased
from temperance.control.rate_limit import RateLimit
from temperance.control.rising import LabelWave, StopRising
from temperance.control.schedule import (
    Cosine,
    Curriculum,
    Early,
    Late,
    LikeRate,
    Linear,
    Restarts,
    Schedule,
    Staged,
    Steps,
)
from temperance.control.sign import SignFeedback
from temperance.control.signal import Signals
from temperance.control.spectral import Spectral
from temperance.control.strength import Strength
from temperance.control.wrapper import Wrapper

__all__ = [
    "Chain",
    "Clamp",
    "Constant",
    "Constraint",
    "Controller",
    "Cosine",
    "Curriculum",
    "Delay",
    "Early",
    "EarlyStopping",
    "Every",
    "GapFeedback",
    "Hypergradient",
    "LabelWave",
    "Late",
    "LikeRate",
    "Linear",
    "Memory",
    "Move",
    "Only",
    "PopulationBased",
    "RateLimit",
    "Restarts",
    "Schedule",
    "SignFeedback",
    "Signals",
    "Specs",
    "Spectral",
    "Staged",
    "Steps",
    "StopAbove",
    "StopRising",
    "Strength",
    "Values",
    "Wrapper",
    "controllers",
]
