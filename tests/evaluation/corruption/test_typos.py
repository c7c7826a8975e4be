import numpy as np
import pytest

from temperance.evaluation.corruption.base import reference
from temperance.evaluation.corruption.typos import LostWords, Spelling, Typos
from temperance.records.schema import Column, Rows, Schema, Target

WORDS = "The quick brown fox jumps over the lazy café dog"


def table():
    text = np.array([[WORDS] for _ in range(300)] + [[None], [""], ["one"]], dtype=object)
    schema = Schema((Column("note", "text", "note"),), Target("y", "binary", ("a", "b")))
    rows = Rows(np.zeros((303, 0)), np.zeros((303, 0), np.int32), None, text)
    return rows, reference(schema, rows)


@pytest.mark.parametrize("family", [Typos(), LostWords(), Spelling()])
def test_a_share_of_the_words_changes_and_the_same_ones_at_a_higher_level(family):
    rows, facts = table()
    assert family.applies(facts)
    before = rows.text.copy()
    made = [family.corrupt(rows, level=v, reference=facts, generator=np.random.default_rng(0)).text for v in (0.1, 0.5)]
    assert np.array_equal(rows.text, before)
    same = [np.mean([a == WORDS for a in m[:300, 0]]) for m in made]
    assert same[1] < 0.3
    assert same[1] < same[0] < 0.9
    assert made[1][300, 0] is None
    assert made[1][301, 0] == ""
    assert made[1][302, 0].strip()  # a text is never left without a word


def test_one_slip_per_word():
    rows, facts = table()
    made = Typos().corrupt(rows, level=1.0, reference=facts, generator=np.random.default_rng(1)).text
    for text in made[:300, 0]:
        for old, new in zip(WORDS.split(), text.split(), strict=True):
            assert abs(len(old) - len(new)) <= 1


def test_words_are_lost_not_altered_and_accents_fall():
    rows, facts = table()
    lost = LostWords().corrupt(rows, level=0.5, reference=facts, generator=np.random.default_rng(2)).text
    assert all(set(text.split()) <= set(WORDS.split()) for text in lost[:300, 0])
    assert np.mean([len(text.split()) for text in lost[:300, 0]]) == pytest.approx(5, abs=0.4)
    spelt = Spelling().corrupt(rows, level=0.5, reference=facts, generator=np.random.default_rng(2)).text
    assert any("cafe" in text for text in spelt[:300, 0])
