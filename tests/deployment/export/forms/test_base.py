"""Which arrays of a graph count as weights of products."""

import pytest

from temperance.deployment.export.forms import FORMS
from temperance.deployment.export.forms.base import LEAST, copied, no_weights, product_weights
from temperance.deployment.export.program.write import graph_of
from temperance.records.errors import BundleError


def test_large_weights_of_products_are_found_and_nothing_else(net):
    found = {tensor.name: tuple(tensor.dims) for tensor in product_weights(graph_of(net.bundle))}
    assert found
    names = {name for name, value in net.model.module.named_parameters() if "weight" in name and value.ndim == 3}
    assert {name.removeprefix("weight:") for name in found} & names
    for shape in found.values():
        size = 1
        for n in shape:
            size *= n
        assert size >= LEAST


def test_trees_have_none(trees):
    assert [*product_weights(graph_of(trees.bundle))] == []
    for name in ("int8 weights", "float16 weights", "int8 dynamic", "float16 products"):
        with pytest.raises(BundleError, match="no large arrays"):
            FORMS[name].convert(graph_of(trees.bundle), None)


def test_a_copy_is_another_message(net):
    model = graph_of(net.bundle)
    made = copied(model)
    del made.graph.node[:]
    assert model.graph.node


def test_the_refusal_says_what_has_weights():
    assert "net" in str(no_weights())
