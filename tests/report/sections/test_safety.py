from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from temperance.report.base import Study
from temperance.report.sections.safety import Safety
from temperance.testing.study_example import study_example


def read(study: Study) -> str:
    """Return the section as it is read: marks removed, white space folded."""
    return " ".join(re.sub(r"<[^>]+>", " ", Safety().render(study)).split())


def test_what_was_not_tested_is_as_large_as_what_was(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    finding = {**document["findings"][0], "check": "backdoor", "state": "no_problem_found"}
    study = make_study({**document, "findings": [finding]})
    made = Safety().render(study)
    assert "1 check found no problem" in made
    assert made.count('class="state not_tested"') == 1 + 3  # its line, as that of what is fine, and each danger


@pytest.mark.parametrize(
    "words", ["Planted triggers", "Deliberate attacks", "People who can be recognised", "Model files"]
)
def test_each_question_is_named_when_nobody_asked_it(words: str, make_study: Callable[..., Study]) -> None:
    text = read(make_study(study_example()))
    assert words in text
    assert "What was not tested" in text
