"""Each reason has a word of a fixed list."""

import re
from pathlib import Path

from temperance.adaptation import guard, reasons


def test_the_owners_words_never_become_a_label() -> None:
    assert reasons.word("row 5, because I say so") == "owner"
    assert reasons.word(f"age, income: {reasons.BEYOND}") == "inputs_strange"
    assert reasons.word(reasons.SPENT) == "spent"
    assert len(set(reasons.WORDS.values())) < 15


def test_every_reason_of_the_guard_has_its_word() -> None:
    said = re.findall(r'self\._back\(\s*"([^"]+)"', Path(guard.__file__).read_text())
    said += re.findall(r'self\._note\("promote", before, "([^"]+)"', Path(guard.__file__).read_text())
    assert len(said) >= 6
    assert all(reason in reasons.WORDS for reason in said)
