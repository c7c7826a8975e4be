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
    assert text.count("blank: the owner must write it") == 4
    assert "no legal advice" in text
