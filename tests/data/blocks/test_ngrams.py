from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from temperance.data.blocks.ngrams import Counts, normal, runs, words


def of(counts: Counts, text: int) -> list[float]:
    return sorted(counts.times[counts.text == text].tolist())


def test_one_form() -> None:
    assert normal("  Straße\tＡＢＣ \n ﬁne ") == "straße abc fine"
    assert normal(None) == normal("") == ""


@pytest.mark.parametrize("texts", [["to be or not to be", "a", "", "x yy zzz yy", "don't stop!!"]])
def test_runs_are_those_of_scikit_learn(texts: list[str]) -> None:
    peer = CountVectorizer(analyzer="char_wb", ngram_range=(2, 5)).fit_transform([*texts, "spare"])
    found = runs(texts)
    for i in range(len(texts)):
        theirs = peer[i].data.sum()
        mine = found.times[found.text == i].sum()
        assert abs(mine - theirs) <= len(texts[i].split()) * 3  # it repeats short words whole


def test_words_and_pairs_by_hand() -> None:
    found = words(["to be or to be", "", "wow !"])
    assert of(found, 0) == [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]  # or, be or, or to; to, be, to be
    assert of(found, 1) == []
    assert of(found, 2) == [1.0, 1.0, 1.0]


def test_the_same_piece_has_the_same_code_everywhere() -> None:
    one, two = words(["sun and rain", "rain"]), words(["rain"])
    assert set(two.piece) == set(one.piece[one.text == 1]) < set(one.piece[one.text == 0])


def test_codes_do_not_meet() -> None:
    rng = np.random.default_rng(0)
    drawn = ["".join(chr(97 + c) for c in rng.integers(0, 26, 6)) for _ in range(3000)]
    assert len(np.unique(words(drawn).piece)) >= len(set(drawn)) - 3  # two of 3,000 among 2**32: one in 1,000


def test_runs_stay_within_a_word_and_a_text() -> None:
    assert of(runs(["ab"]), 0) == [1.0] * 6  # _a ab b_ _ab ab_ _ab_
    apart, together = runs(["ab", "cd"]), runs(["ab cd"])
    assert sorted(set(apart.piece)) == sorted(set(together.piece))
