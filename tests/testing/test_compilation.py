"""The check of ``torch.compile`` finds planted faults; five techniques in mixed precision, and a real compiler."""

import shutil
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from temperance import EMA, SAM, Dropout, MixUp, Recipe, SpectralNorm, WeightDecay
from temperance.control.strength import Strength
from temperance.core.regularizer import Rank, Regularizer
from temperance.testing.compilation import FIRST, compiled, run
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import assert_close

MLP = PROBLEMS["mlp"]
FIVE = Recipe(Dropout(0.2), MixUp(0.4), SAM(0.1), WeightDecay(0.1), EMA(0.9))


@dataclass(frozen=True, repr=False)
class Louder(Regularizer):
    """Multiply what the first layer gives by 1 + s in training."""

    s: float = 0.5

    strengths: ClassVar[dict[str, Strength]] = {"s": Strength(0.5, low=0.0, high=1.0, neutral=0.0)}
    rank: ClassVar[Rank] = Rank.LAYERS

    def rewire(self, model, strengths):
        return model[0].register_forward_hook(lambda owner, _, out: out * self.factor(strengths)).remove

    def factor(self, strengths):
        return 1 + strengths["s"]


class Levels(Louder):
    def factor(self, strengths):
        return 1 + sum(0.1 for edge in (0.1, 0.25, 0.4, 0.55, 0.7) if strengths.mirror["s"] > edge)


class OtherWhenCompiled(Louder):
    def factor(self, strengths):
        return 1 if torch.compiler.is_compiling() else 1 + strengths["s"]


@pytest.mark.parametrize(
    ("fault", "words"), [(Levels(), "moved strength compiled again"), (OtherWhenCompiled(), "differs by")], ids=repr
)
def test_planted_faults_are_found(fault, words):
    with pytest.raises(AssertionError, match=words):
        compiled(fault, MLP)


def test_a_sound_technique_passes():
    assert compiled(Louder(), MLP) is None


@pytest.mark.parametrize("parts", [1, 3])
def test_five_techniques_in_mixed_precision_over_micro_batches(parts):
    settings = {"dtype": torch.float32, "autocast": torch.bfloat16, "parts": parts}
    expected, _ = run(FIVE, MLP, "plain", **settings)
    weights, frames = run(FIVE, MLP, "compiled, then attached", **settings)
    assert_close(weights, expected, 1e-6, "compiled under autocast")
    assert frames[-1] == frames[len(FIRST) - 1] > 0


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("g++") or shutil.which("clang++")), reason="inductor needs a C++ compiler")
@pytest.mark.parametrize("recipe", [FIVE, Recipe(SpectralNorm(), WeightDecay(0.1))], ids=repr)
def test_code_of_a_real_compiler_trains_alike(recipe):
    expected, _ = run(recipe, MLP, "plain", dtype=torch.float32)
    for way in ("compiled, then attached", "attached, then compiled"):
        weights, frames = run(recipe, MLP, way, "inductor", dtype=torch.float32)
        assert_close(weights, expected, 1e-4, way)
        assert frames[-1] == frames[len(FIRST) - 1] > 0
