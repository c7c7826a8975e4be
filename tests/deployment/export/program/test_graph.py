"""A bundle's graph computed by torch."""

import numpy as np
import pytest
import torch

from temperance.deployment.export.program.graph import GraphModule, plain, word_table
from temperance.deployment.export.program.write import graph_of, tensors
from temperance.deployment.parity import stress_rows
from temperance.records.errors import BundleError
from temperance.records.schema import MISSING, UNSEEN


@pytest.mark.parametrize("name", ["net", "line"])
def test_it_answers_as_the_bundle_does(name, request):
    one = request.getfixturevalue(name)
    module = GraphModule(graph_of(one.bundle), one.bundle.schema).eval()
    for rows in (one.rows, stress_rows(one.rows, one.bundle.schema)):
        with torch.no_grad():
            found = module(*tensors(one.bundle, rows, module.takes)).numpy()
        expected = one.bundle.predict(rows)
        scale = max(1.0, float(np.abs(expected).max()) if name == "line" else 1.0)
        assert np.abs(found - expected).max() / scale < 1e-6


def test_trees_are_refused_by_name(trees):
    with pytest.raises(BundleError, match="TreeEnsemble"):
        GraphModule(graph_of(trees.bundle), trees.bundle.schema)


def test_words_become_a_table(binary):
    prefixes = np.array([["0\x1f", "1\x1f"]], dtype=object)
    given = {"keys_strings": ["0\x1fred", "1\x1fno", "0\x1f"], "values_int64s": [5, 6, 9], "default_int64": 0}
    table = word_table(binary, prefixes, given)
    assert table[0, 0] == 5
    assert table[0, MISSING] == 9
    assert table[0, UNSEEN] == 0
    assert table[1, 1] == 6
    assert table[1, MISSING] == 0


def test_attributes_are_plain():
    assert plain([b"a", 1]) == ["a", 1]
    assert plain(b"x") == "x"
