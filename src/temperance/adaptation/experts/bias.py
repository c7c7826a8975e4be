"""Shift and sharpness of the answers: what a change of class shares, of level or of scale asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from temperance.adaptation.experts.base import EXPERTS
from temperance.adaptation.experts.last_layer import LastLayer


@EXPERTS.add
@dataclass(frozen=True)
class Bias(LastLayer):
    """p′ = softmax((1 + s) · log p + a): a temperature and a shift per class; y′ = y + a + s · y for values.

    The last layer without inputs: few numbers, so it learns from few labels and forgets fast.

    Use when: levels move (growth, seasons, class shares), or the model has become too sure of itself.
    Avoid when: the change depends on the inputs; ``LastLayer`` sees that.

    Reference:
        Guo, Pleiss, Sun, Weinberger (2017), arXiv 1706.04599, for temperature and vector scaling.

    """

    horizon: int = 300
    penalty: float = 5.0
    inputs: ClassVar[bool] = False
