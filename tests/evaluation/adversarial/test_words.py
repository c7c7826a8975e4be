import numpy as np
import pytest

from temperance.evaluation.adversarial.words import reword
from temperance.records.errors import SettingError
from temperance.records.schema import Rows

GOOD, BAD = ("great", "lovely", "fine"), ("poor", "awful", "broken")


def texts(count=60):
    g = np.random.default_rng(0)
    rows, y = [], []
    for i in range(count):
        y.append(i % 2)
        words = ["the", "room", "was", g.choice((BAD, GOOD)[i % 2]), "and", "near", "the", "sea"]
        rows.append([" ".join(words), None])
    text = np.array(rows, dtype=object)
    return Rows(np.zeros((count, 0)), np.zeros((count, 0), np.int32), None, text), np.array(y)


def ask(rows):
    """Count known words; 'sea' speaks a little for the first class."""
    z = np.array([sum(w in GOOD for w in t[0].split()) - sum(w in BAD for w in t[0].split()) - 0.1 for t in rows.text])
    return np.stack([-z, z], axis=1)


def test_one_slip_in_the_word_that_matters_breaks_the_first_half():
    rows, y = texts()
    before = rows.text.copy()
    found = reword(ask, rows, y, words=1)
    assert found.right.all()
    assert np.array_equal(found.survived, y == 0)  # a misspelt 'great' leaves −0.1, a misspelt 'poor' too
    assert np.array_equal(rows.text, before)
    for i in np.flatnonzero(~found.survived):
        old, new = before[i, 0].split(), found.rows.text[i, 0].split()
        differ = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
        assert len(differ) == found.changed[i] == 1
        assert differ[0][0] in GOOD
        assert found.rows.text[i, 1] is None
    assert (ask(found.rows).argmax(axis=1) != y)[~found.survived].all()
    assert np.array_equal(found.rows.text, reword(ask, rows, y, words=1).rows.text)


def test_words_of_one_s_own():
    rows, y = texts()
    found = reword(ask, rows, y, words=1, tries=0, synonyms={word: ["lovely"] for word in BAD})
    assert np.array_equal(found.survived, y == 1)
    assert found.to_dict()["survived"] == 30


def test_what_is_refused():
    rows, y = texts(4)
    with pytest.raises(SettingError, match="rows without text"):
        reword(ask, rows._replace(text=None), y)
    with pytest.raises(SettingError, match="at least one word"):
        reword(ask, rows, y, words=0)
