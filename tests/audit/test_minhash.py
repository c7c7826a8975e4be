from __future__ import annotations

import numpy as np

from temperance.audit.minhash import BANDS, Library, banded, likeness, shingles, signature

TEXT = "The quick brown fox jumps over the lazy dog, and the dog does not mind at all."


def test_case_marks_and_blanks_do_not_count():
    assert np.array_equal(shingles(TEXT), shingles(TEXT.upper().replace(",", "  ;")))
    assert len(shingles("")) == 1
    assert len(shingles("ab")) == 1


def test_likeness_is_the_jaccard_index():
    first, second = shingles("abcdefgh"), shingles("abcdefgx")  # four groups each, three of them shared
    assert likeness(first, second) == 3 / 5
    assert likeness(first, first) == 1.0


def test_signatures_estimate_it():
    words = TEXT.split()
    first, second = shingles(" ".join(words * 3)), shingles(" ".join(([*words[:-3], "cat"]) * 3))
    share = float((signature(first) == signature(second)).mean())
    assert abs(share - likeness(first, second)) < 0.15


def test_near_texts_are_found_and_others_are_not():
    g = np.random.default_rng(0)
    words = ["".join(g.choice(list("abcdefghij"), size=6)) for _ in range(400)]
    texts = [" ".join(g.choice(words, size=30)) for _ in range(200)]
    library = Library.of(texts)
    value, place = library.nearest([f"{text} more" for text in texts])
    assert (value > 0.9).all()
    assert np.array_equal(place, np.arange(200))
    alone, _ = library.nearest(texts, apart=np.arange(200))
    assert alone.max() < 0.6
    assert banded([]).shape == (0, BANDS)
