"""The conformance suite of a regularizer, for pytest.

    from temperance.testing.regularizers import RegularizerSuite

    class TestMine(RegularizerSuite):
        @pytest.fixture
        def regularizer(self):
            return Mine(0.3)

Each check of ``testing.checks`` runs on every problem of ``testing.problems``. A check that cannot hold is declared on
the class, ``exceptions = {"quiet": "it acts at inference by design"}``, and must then fail.
"""

from __future__ import annotations

from typing import Any

import pytest

from temperance.core.regularizer import Regularizer
from temperance.testing import accumulation, checks, compilation, standing
from temperance.testing.problems import PROBLEMS, Problem

SMALL = "mlp"


@pytest.mark.filterwarnings("ignore::temperance.core.embedding.OnEmbeddings")  # it says in which units it acts
class RegularizerSuite:
    """Subclass it, name the subclass ``Test…``, and give a fixture ``regularizer``."""

    @pytest.fixture
    def regularizer(self) -> Regularizer:
        """Return the technique under test."""
        raise pytest.UsageError("give the fixture `regularizer`")

    @pytest.fixture(params=list(PROBLEMS))
    def problem(self, request: Any, regularizer: Regularizer) -> Problem:
        """Return each problem in turn; those whose model the technique refuses are skipped with its reason."""
        one = PROBLEMS[request.param]
        refused = checks.applies(regularizer, one)
        if refused:
            pytest.skip(refused)
        return one

    @pytest.fixture
    def small(self, regularizer: Regularizer) -> Problem:
        """Return the first problem that the technique works on."""
        fit = [one for one in PROBLEMS.values() if not checks.applies(regularizer, one)]
        assert fit, f"{regularizer!r} refuses every problem"
        return fit[0]

    @pytest.fixture(autouse=True)
    def _exceptions(self, request: Any, regularizer: Regularizer) -> None:
        name = request.function.__name__.removeprefix("test_")
        reason = type(regularizer).exceptions.get(name)
        if reason:
            request.node.add_marker(pytest.mark.xfail(reason=reason, strict=True))

    def test_neutral(self, regularizer: Regularizer, problem: Problem) -> None:
        """Run ``checks.neutral``."""
        checks.neutral(regularizer, problem)

    def test_pure(self, regularizer: Regularizer, problem: Problem) -> None:
        """Run ``checks.pure``."""
        checks.pure(regularizer, problem)

    def test_population(self, regularizer: Regularizer, problem: Problem) -> None:
        """Run ``checks.population``."""
        checks.population(regularizer, problem)

    def test_resume(self, regularizer: Regularizer, problem: Problem) -> None:
        """Run ``checks.resume``."""
        checks.resume(regularizer, problem)

    def test_back(self, regularizer: Regularizer, problem: Problem) -> None:
        """Run ``standing.back``."""
        standing.back(regularizer, problem)

    def test_idle(self, regularizer: Regularizer, small: Problem) -> None:
        """Run ``standing.idle``."""
        standing.idle(regularizer, small)

    def test_plain_copy(self, regularizer: Regularizer, small: Problem) -> None:
        """Run ``standing.plain_copy``."""
        standing.plain_copy(regularizer, small)

    def test_twice(self, regularizer: Regularizer, problem: Problem) -> None:
        """Run ``checks.twice``."""
        checks.twice(regularizer, problem)

    def test_undo(self, regularizer: Regularizer, problem: Problem) -> None:
        """Run ``checks.undo``."""
        checks.undo(regularizer, problem)

    def test_quiet(self, regularizer: Regularizer, problem: Problem) -> None:
        """Run ``checks.quiet``."""
        checks.quiet(regularizer, problem)

    def test_dtype(self, regularizer: Regularizer, problem: Problem) -> None:
        """Run ``checks.dtype``."""
        checks.dtype(regularizer, problem)

    def test_cost(self, regularizer: Regularizer, problem: Problem) -> None:
        """Run ``checks.cost``."""
        checks.cost(regularizer, problem)

    def test_accumulation(self, regularizer: Regularizer, problem: Problem) -> None:
        """Run ``accumulation.accumulation``."""
        accumulation.accumulation(regularizer, problem)

    def test_whole_batch(self, regularizer: Regularizer, problem: Problem) -> None:
        """Run ``accumulation.whole_batch``."""
        accumulation.whole_batch(regularizer, problem)

    def test_compiled(self, regularizer: Regularizer, problem: Problem) -> None:
        """Run ``compilation.compiled``."""
        compilation.compiled(regularizer, problem)

    def test_direction(self, regularizer: Regularizer, small: Problem) -> None:
        """Run ``checks.direction``."""
        checks.direction(regularizer, small)

    def test_round_trip(self, regularizer: Regularizer) -> None:
        """Run ``checks.round_trip``."""
        checks.round_trip(regularizer)

    def test_errors(self, regularizer: Regularizer) -> None:
        """Run ``checks.errors``."""
        checks.errors(regularizer)

    def test_cocktail(self, regularizer: Regularizer, small: Problem) -> None:
        """Run ``checks.cocktail``."""
        checks.cocktail(regularizer, small)
