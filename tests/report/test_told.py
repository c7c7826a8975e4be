from __future__ import annotations

import re
from pathlib import Path

import pytest

from temperance.report.page import html
from temperance.report.told import told
from temperance.testing.study_example import study_example

SENTENCES = (Path(__file__).parent / "told.txt").read_text(encoding="utf-8").splitlines()  # of 20 real studies
ENGLISH = re.compile(r"\b(the|of|rows|were|that|with|does|you|has|are|this|its)\b")


@pytest.mark.parametrize("sentence", SENTENCES)
def test_no_sentence_of_a_real_study_stays_english(sentence: str) -> None:
    german = told(sentence, "de")
    assert german != sentence
    assert not ENGLISH.search(re.sub(r"'[^']*'|\([^)]*\)", "", german)), german
    assert set(re.findall(r"\d+", german)) == set(re.findall(r"\d+", sentence))


def test_english_and_unknown_sentences_stay_as_they_were_written() -> None:
    assert all(told(sentence, "en") == sentence for sentence in SENTENCES)
    assert told("A sentence of the owner's.", "de") == "A sentence of the owner's."


def test_half_known_texts_are_not_mixed() -> None:
    text = "No row repeats an earlier row. Something new."
    assert told(text, "de") == text


def test_a_german_report_holds_no_english_finding() -> None:
    document = study_example()
    document["limits"] = SENTENCES[:20]
    page = html(document, language="de")
    assert not [sentence for sentence in SENTENCES[:20] if f">{sentence}<" in page]
