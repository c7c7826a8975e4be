"""The checks of micro-batches find planted faults."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from temperance import SAM, Dropout, EarlyLearning, WeightDecay
from temperance.control.strength import Strength
from temperance.core.random import fold, normal
from temperance.core.regularizer import Rank, Regularizer
from temperance.testing.accumulation import accumulation, micros, whole_batch
from temperance.testing.problems import PROBLEMS

MLP = PROBLEMS["mlp"]


@dataclass(frozen=True, repr=False)
class Scaled(Regularizer):
    """Multiply the loss by 1 + s."""

    s: float = 0.5

    strengths: ClassVar[dict[str, Strength]] = {"s": Strength(0.5, low=0.0, high=1.0, neutral=0.0)}
    rank: ClassVar[Rank] = Rank.PENALTY

    def objective(self, inner, strengths, memory):
        def scaled(params, buffers, batch, key):
            passed = inner(params, buffers, batch, key)
            return passed._replace(loss=passed.loss * self.factor(strengths["s"], batch, key))

        return scaled

    def factor(self, s, batch, key):
        return 1 + s


class CountsRows(Scaled):
    def factor(self, s, batch, key):
        return 1 + s * batch.size


class OwnNoise(Scaled):
    def factor(self, s, batch, key):
        return 1 + s * normal(fold(key, "own"), (batch.size,), torch.device("cpu")).mean()


class NoiseOfTheStep(OwnNoise):
    key: ClassVar[list[int]] = [0]

    def gradient(self, inner, strengths, memory):
        def noted(params, buffers, batch, key):
            self.key[0] = key
            return inner(params, buffers, batch, key)

        return noted

    def factor(self, s, batch, key):
        return super().factor(s, batch, self.key[0])


class WantsTheBatch(Scaled):
    def gradient(self, inner, strengths, memory):
        def weighed(params, buffers, batch, key):
            grads, passed = inner(params, buffers, batch, key)
            return grads.mul_(1.0 + len(batch)), passed

        return weighed


class Undeclared(Scaled):
    def objective(self, inner, strengths, memory):
        def twice(params, buffers, batch, key):
            inner(params, buffers, batch, key)
            return inner(params, buffers, batch, key)

        return twice


class RemembersTheLast(Scaled):
    """Keeps the loss of the last micro-batch in place of that of all rows."""

    def begin(self, params, context):
        return {"loss": torch.zeros(())}

    def objective(self, inner, strengths, memory):
        def moved(params, buffers, batch, key):
            passed = inner(params, buffers, batch, key)
            new = passed._replace(loss=passed.loss * (1 + memory["loss"]))
            return new.remember(strengths.address, loss=passed.loss.detach())

        return moved


@pytest.mark.parametrize(
    ("fault", "check", "words"),
    [
        (CountsRows(), whole_batch, "without noise"),
        (RemembersTheLast(), whole_batch, "without noise"),
        (NoiseOfTheStep(), whole_batch, "same noise"),
        (WantsTheBatch(), accumulation, "loss, backward, update"),
        (Undeclared(), accumulation, "cost"),
    ],
    ids=lambda x: getattr(x, "__name__", type(x).__name__),
)
def test_planted_faults_are_found(fault, check, words):
    with pytest.raises(AssertionError, match=words):
        check(fault, MLP)


@pytest.mark.parametrize(
    "one", [Scaled(), OwnNoise(), Dropout(0.3), SAM(0.1), WeightDecay(0.1), EarlyLearning()], ids=repr
)
def test_sound_techniques_pass(one):
    assert accumulation(one, MLP) is None
    assert whole_batch(one, MLP) is None


def test_two_passes_must_refuse_a_loop_with_its_own_backward():
    class Lenient(SAM):
        stages = classmethod(lambda cls: ())

    with pytest.raises(AssertionError):
        accumulation(Lenient(0.1), MLP)


def test_micro_batches_differ_in_size_and_keep_their_index():
    first, second = micros(MLP, 0)
    assert (first.size, second.size) == (7, 12)
    assert first.index.tolist() == list(range(7))
    assert second.index.tolist() == list(range(12, 24))
