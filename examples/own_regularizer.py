"""Write a technique of your own and let the shipped suite prove it: python examples/own_regularizer.py

The test beside it needs four lines:

    class TestLogitPenalty(RegularizerSuite):
        @pytest.fixture
        def regularizer(self):
            return LogitPenalty(0.1)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from temperance import Batch, Recipe, Regularizer, Strength
from temperance.core.batch import Pass
from temperance.core.leaves import Leaves
from temperance.core.regularizer import Effect, Memory, Objective, Rank, Strengths, techniques
from temperance.testing import checks
from temperance.testing.problems import PROBLEMS


@techniques.add
@dataclass(frozen=True, repr=False)
class LogitPenalty(Regularizer):
    """Keep the outputs small.

    loss + s · mean(z²)
    """

    size: float = 0.01

    strengths: ClassVar[dict[str, Strength]] = {
        "size": Strength(0.01, low=1e-4, high=10.0, neutral=0.0, scale="log", words="how strongly outputs are held")
    }
    rank: ClassVar[Rank] = Rank.PENALTY
    effect: ClassVar[Effect] = {"size": ("confidence", "down")}

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Add the penalty to the loss."""

        def penalized(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            passed = inner(params, buffers, batch, key)
            return passed._replace(loss=passed.loss + strengths["size"] * passed.outputs.square().mean())

        return penalized


def main() -> list[str]:
    """Run every check on one problem and return their names."""
    one, problem, done = LogitPenalty(0.1), PROBLEMS["mlp"], []
    for check in (
        checks.neutral, checks.pure, checks.population, checks.resume, checks.twice, checks.undo, checks.quiet,
        checks.dtype, checks.cost, checks.direction, checks.cocktail,
    ):  # fmt: skip
        check(one, problem)
        done.append(check.__name__)
    print(f"{Recipe(one)!r} passes {', '.join(done)}")
    return done


if __name__ == "__main__":
    main()
