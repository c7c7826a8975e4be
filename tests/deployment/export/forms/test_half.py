"""Products in float16."""

import numpy as np

from temperance.deployment.export.forms import FORMS
from temperance.deployment.export.program.write import graph_of
from temperance.deployment.parity import stress_rows
from temperance.deployment.sketch import onnx_package
from temperance.deployment.write import Exported


def test_products_take_float16_and_all_else_stays_wide(net):
    model = graph_of(net.bundle)
    made = FORMS["float16 products"].convert(model, None)
    inferred = onnx_package().shape_inference.infer_shapes(made)
    kinds = {entry.name: entry.type.tensor_type.elem_type for entry in inferred.graph.value_info}
    products = [node for node in made.graph.node if node.op_type == "MatMul"]
    halves = [node for node in products if node.output[0].endswith(":half")]
    assert halves
    assert all(kinds.get(node.output[0], 10) == 10 for node in halves)
    answers = Exported(net.bundle.schema, made.SerializeToString(), ()).predict(net.rows)
    assert 0 < np.abs(answers - net.bundle.predict(net.rows)).max() < 2e-2


def test_extreme_rows_stay_finite(net):
    made = Exported(
        net.bundle.schema, FORMS["float16 products"].convert(graph_of(net.bundle), None).SerializeToString(), ()
    )
    assert np.isfinite(made.predict(stress_rows(net.rows, net.bundle.schema))).all()
