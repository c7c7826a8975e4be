from __future__ import annotations

import numpy as np
import pytest

from temperance.data.blocks import ScoreBlock, fit_blocks, pack, unpack
from temperance.records.errors import BundleError
from temperance.records.schema import Column, Rows, Schema, Target

SCHEMA = Schema((Column("msg", "text"), Column("note", "text")), Target("y", "binary", ("no", "yes")))
TEXTS = np.array([["sun and rain", "bank"], ["rain", "loan"], [None, "sun"], ["sun", ""]], dtype=object)
ROWS = Rows(np.empty((4, 0)), np.empty((4, 0), dtype=np.int32), text=TEXTS)


def made() -> ScoreBlock:
    blocks = fit_blocks(ROWS, SCHEMA)
    counts = tuple(block.wide_width for block in blocks)
    weights = np.random.default_rng(0).normal(size=(sum(counts), 3)).astype(np.float32)
    return ScoreBlock(tuple(block.words_only() for block in blocks), weights, counts)


def test_scores_are_those_of_all_blocks_together() -> None:
    one = made()
    wide = np.concatenate([block.wide(ROWS).toarray() for block in one.blocks], axis=1)
    np.testing.assert_allclose(one.transform(ROWS), wide @ one.weights, atol=1e-5)
    assert one.sources == ("msg", "note")
    assert one.width == len(one.names) == 3


def test_it_is_made_from_a_model_and_comes_back() -> None:
    assert ScoreBlock.fit(ROWS, SCHEMA) == ()
    arrays, cards = pack((made(),))
    again = unpack(arrays, cards)
    assert again == (made(),)
    np.testing.assert_array_equal(again[0].transform(ROWS), made().transform(ROWS))
    arrays["0.weights"] = arrays["0.weights"][:-1]
    with pytest.raises(BundleError, match="weights for"):
        unpack(arrays, cards)
