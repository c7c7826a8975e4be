import numpy as np
import pytest

from temperance.deployment.base import model_graph
from temperance.deployment.basic import basic_part
from temperance.deployment.constant import Constant
from temperance.deployment.ensemble import Ensemble
from temperance.deployment.sketch import Sketch
from temperance.deployment.write import Exported
from temperance.records.errors import BundleError


def predict(part, schema, rows):
    return Exported(schema, model_graph(part, Sketch(schema), schema.target).SerializeToString()).predict(rows)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_an_ensemble_is_the_weighted_mean_of_its_members(task, request, kit):
    schema = request.getfixturevalue(task)
    members = [kit.Fitted(name, schema) for name in ("linear", "boosting")]
    part = Ensemble(tuple(basic_part(m.fitted, schema) for m in members), (3.0, 1.0))
    rows = members[0].rows
    expected = 0.75 * members[0].predict(rows) + 0.25 * members[1].predict(rows)
    assert predict(part, schema, rows) == pytest.approx(expected, rel=1e-12)
    assert any(name.startswith("member_1.") for name in part.arrays())


def test_weights_that_do_not_fit_are_refused(binary, linear):
    one = Constant(np.array([0.5, 0.5]))
    for part in (Ensemble(()), Ensemble((one, one), (1.0,)), Ensemble((one,), (0.0,))):
        with pytest.raises(BundleError, match="positive weight"):
            predict(part, binary, linear.rows)
