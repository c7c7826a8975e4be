"""Techniques that act on inputs, through the shipped suite on a model of tokens: they act on its embedding."""

import pytest
import torch
from torch import nn

from temperance import (
    R3F,
    TRADES,
    VAT,
    FeatureNoise,
    FGSMTraining,
    InputGradientPenalty,
    JacobianPenalty,
    ManifoldMixUp,
    MixUp,
    NEFTune,
    PGDTraining,
    RegMixUp,
    TokenDropout,
)
from temperance.testing.problems import CLASSES, ROWS, Problem
from temperance.testing.regularizers import RegularizerSuite

WORDS, LONG = 12, 5


class Text(nn.Module):
    """Mean vector of the tokens that count, and a small net. Shapes: ids (b, t) → (b, 3)."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(WORDS, 4, padding_idx=0)
        self.layers = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, CLASSES))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Return logits."""
        there = (ids != 0).unsqueeze(-1)
        return self.layers((self.words(ids) * there).sum(1) / there.sum(1).clamp(min=1))


def ids(generator: torch.Generator) -> torch.Tensor:
    """Return texts of 2 to 5 tokens, 0 behind them."""
    drawn = torch.randint(1, WORDS, (ROWS, LONG), generator=generator)
    lengths = torch.randint(2, LONG + 1, (ROWS, 1), generator=generator)
    return torch.where(torch.arange(LONG) < lengths, drawn, 0)


TOKENS = Problem("tokens", Text, ids)
ALL = [
    VAT(), TRADES(steps=2), FGSMTraining(probe_every=0), PGDTraining(steps=2), JacobianPenalty(),
    InputGradientPenalty(), MixUp(), RegMixUp(mode="official"), FeatureNoise(), NEFTune(), R3F(eps=0.3),
    TokenDropout(0.3), TokenDropout(0.3, fill=1, special=(2,)), ManifoldMixUp(),
]  # fmt: skip


class TestOnTokens(RegularizerSuite):
    @pytest.fixture(params=ALL, ids=repr)
    def regularizer(self, request):
        return request.param

    @pytest.fixture
    def problem(self):
        return TOKENS

    @pytest.fixture
    def small(self):
        return TOKENS
