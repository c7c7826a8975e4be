from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from temperance.report.base import Study
from temperance.report.sections.using import Using
from temperance.testing.study_example import study_example


def read(study: Study) -> str:
    """Return the section as it is read: marks removed, white space folded."""
    return " ".join(re.sub(r"<[^>]+>", " ", Using().render(study)).split())


def test_it_lists_the_files_that_are_there(make_study: Callable[..., Study]) -> None:
    text = read(make_study(study_example(), files=["leaderboard.csv", "bundle", "odd.txt"]))
    assert "every try, one a line" in text
    assert "model_card.md" not in text
    assert "odd.txt" not in text


def test_it_says_how_to_call_retrain_and_go_back(make_study: Callable[..., Study]) -> None:
    text = read(make_study())
    for words in (
        "temperance predict bundle",
        "temperance serve bundle",
        "temperance retrain bundle",
        "How to go back",
        "0.09",
    ):
        assert words in text


@pytest.mark.parametrize("bundle", [None, ""])
def test_no_bundle_no_instructions(bundle: Any, make_study: Callable[..., Study]) -> None:
    document = study_example()
    document["bundle"] = bundle
    text = read(make_study(document))
    assert "No model folder was written" in text
    assert "temperance serve" not in text
