"""The stated range: the promise, what was held, and where; each sentence turns with its figures."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from temperance.evaluation.base import Outcome
from temperance.evaluation.ranges import ranged
from temperance.records.stated_range import Scale, StatedRange
from temperance.report.base import Study
from temperance.report.page import html
from temperance.report.sections.range import Range
from temperance.testing.study_example import study_example


def example(half: float, *, scale: Scale | None = None) -> dict[str, Any]:
    random = np.random.default_rng(0)
    values = random.uniform(0, 10, 400)
    made = StatedRange((0.8,), (half,), 0.8, 150, scale)
    low, high = made.bounds(values)
    seen = Outcome(values, values + random.normal(size=400), "regression", low=low, high=high, coverage=0.8)
    document: dict[str, Any] = study_example("regression")
    document["winner"]["interval"] = {**made.to_dict(), "tested": ranged(seen)}
    return document


def read(study: Study) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", Range().render(study)).split())


def test_it_stands_only_where_a_range_was_tested(make_study: Callable[..., Study]) -> None:
    assert not Range().applies(make_study(study_example("regression")))
    assert not Range().applies(make_study(study_example()))
    assert 'id="range"' in html(example(1.28))


@pytest.mark.parametrize(
    ("half", "said"),
    [(1.28, "the promise is kept"), (0.8, "less than it promises"), (2.5, "wider than it would have to be")],
)
def test_the_sentence_follows_the_coverage(half: float, said: str, make_study: Callable[..., Study]) -> None:
    text = read(make_study(example(half)))
    assert "for 80 of 100 rows" in text
    for other in ("the promise is kept", "less than it promises", "wider than it would have to be"):
        assert (other in text) == (other == said)


def test_where_it_holds_too_few_is_said_by_size(make_study: Callable[..., Study]) -> None:
    tilted = read(make_study(example(1.28, scale=Scale((0.0, 10.0), (0.3, 1.7)))))
    assert "holds too few here" in tilted
    assert "wider than needed here" in tilted
    assert "follows the prediction, because the misses do" in tilted
    plain = read(make_study(example(1.28)))
    assert "holds too few here" not in plain
    assert "equally wide for every row" in plain
