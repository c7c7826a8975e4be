"""Proof of action on any run: which regularizers a training holds, and whether each of them did anything."""

from temperance.proof.report import Notice, Presence, Report
from temperance.proof.watch import EXPECTED, Watch, watch

__all__ = ["EXPECTED", "Notice", "Presence", "Report", "Watch", "watch"]
