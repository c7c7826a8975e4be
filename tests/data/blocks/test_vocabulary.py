from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from temperance.data.blocks import vocabulary
from temperance.data.blocks.ngrams import words
from temperance.data.blocks.vocabulary import Directions, Vocabulary, counted

WORDS = "sun rain wind snow bank loan rate fund cat dog bird fish red blue green grey"


def drawn(count: int = 120) -> list[str]:
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(WORDS.split(), rng.integers(2, 9))) for _ in range(count)]


def test_the_weights_are_those_of_scikit_learn() -> None:
    texts = drawn()
    peer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\w+").fit_transform(texts)
    mine = Vocabulary.fit("words", texts).entries(texts)
    assert len(mine.value) == peer.nnz  # no two pieces share a code here
    for i in range(len(texts)):
        found = np.sort(mine.value[mine.start[i] : mine.start[i + 1]])
        np.testing.assert_allclose(found, np.sort(peer[i].data), rtol=1e-5)


def test_unknown_pieces_do_not_count() -> None:
    fitted = Vocabulary.fit("words", ["sun rain", "sun"])
    found = fitted.entries(["wind", "sun wind", None])
    assert np.diff(found.start).tolist() == [0, 1, 0]
    assert found.value.tolist() == [1.0]


def test_the_most_frequent_pieces_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "MOST_PIECES", 2)
    texts = ["sun", "sun", "rain", "rain", "wind"]
    fitted = Vocabulary.fit("words", texts)
    assert set(fitted.pieces) == set(words(["sun", "rain"]).piece)
    assert fitted.idf == pytest.approx(np.log(6 / 3) + 1)


def test_directions_have_deviation_one_and_mean_zero() -> None:
    texts = drawn()
    known = [Vocabulary.fit(kind, texts) for kind in ("words", "runs")]
    found = Directions.fit(known, texts)
    numbers = found.coordinates([one.entries(texts) for one in known])
    assert numbers.shape == (120, len(found.middle))
    assert numbers.std(axis=0) == pytest.approx(1.0, abs=0.01)
    assert numbers.mean(axis=0) == pytest.approx(0.0, abs=0.01)


def test_texts_are_counted_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    texts, fitted = drawn(), Vocabulary.fit("words", drawn())
    whole = fitted.entries(texts)
    monkeypatch.setattr(vocabulary, "SIGNS", 60)
    assert len(list(counted(texts, "words"))) > 10
    for one, other in zip(fitted.entries(texts), whole, strict=True):
        np.testing.assert_array_equal(one, other)
    assert sum(size for _, size in counted([], "words")) == 0


@pytest.mark.parametrize("limit", [1, 2**20])
def test_counts_that_are_remembered_are_the_same(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    texts, fitted = [*drawn(), "", None], Vocabulary.fit("runs", drawn())
    plain = fitted.entries(texts)
    monkeypatch.setattr(vocabulary, "MEMORY", vocabulary._Memory())
    assert not vocabulary.MEMORY._held
    vocabulary.MEMORY.limit = limit
    for some in (texts[:40], texts[40:], texts):
        fitted.entries(some)
    assert vocabulary.MEMORY._held
    for one, other in zip(fitted.entries(texts), plain, strict=True):
        np.testing.assert_array_equal(one, other)
