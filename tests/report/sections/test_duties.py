from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from temperance.report.base import Study
from temperance.report.sections.duties import Duties
from temperance.testing.study_example import study_example


def read(study: Study) -> str:
    """Return the section as it is read: marks removed, white space folded."""
    return " ".join(re.sub(r"<[^>]+>", " ", Duties().render(study)).split())


@pytest.mark.parametrize(("licence", "words"), [(None, "Not given"), ("CC-BY-4.0", "The owner states: CC-BY-4.0")])
def test_the_licence(licence: Any, words: str, make_study: Callable[..., Study]) -> None:
    document = study_example()
    document["data"]["licence"] = licence
    assert words in read(make_study(document))


def test_cards_and_blanks(make_study: Callable[..., Study]) -> None:
    text = read(make_study(study_example(), files=["model_card.md"]))
    assert "Model card written, with blanks for the owner" in text
    assert "Dataset card not written" in text
    assert "no legal advice" in text


@pytest.mark.parametrize("form", ["CC-BY-NC-4.0", {"expression": "CC-BY-NC-4.0", "source": "LICENSE"}])
def test_a_licence_is_judged_for_each_use(form: Any, make_study: Callable[..., Study]) -> None:
    document = study_example()
    document["data"]["licence"] = form
    text = read(make_study(document))
    assert "business, results kept inside not allowed" in text
    assert "research, results kept inside allowed" in text
    assert "giving the data or the model to others allowed with duties" in text


def test_the_annex_is_told_heading_by_heading(make_study: Callable[..., Study]) -> None:
    text = read(make_study(study_example()))
    assert "The declaration of conformity to be written by you" in text
    assert "How it was built filled in part" in text


def test_a_damaged_study_still_has_its_duties(make_study: Callable[..., Study]) -> None:
    text = read(make_study({"winner": [], "data": "x", "trials": {}, "findings": 5}))
    assert "The declaration of conformity to be written by you" in text
