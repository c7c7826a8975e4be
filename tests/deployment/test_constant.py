import numpy as np
import pytest

from temperance.deployment.base import model_graph
from temperance.deployment.constant import Constant
from temperance.deployment.sketch import Sketch
from temperance.deployment.write import Exported
from temperance.records.errors import BundleError


def predict(values, schema, rows):
    part = Constant(np.asarray(values))
    return Exported(schema, model_graph(part, Sketch(schema), schema.target).SerializeToString()).predict(rows)


def test_every_row_gets_the_same_answer(multiclass, regression, linear):
    shares = predict([0.2, 0.3, 0.5], multiclass, linear.rows)
    assert shares.shape == (400, 3)
    assert np.abs(shares - [0.2, 0.3, 0.5]).max() < 1e-15
    assert predict([0.0, 0.25, 0.75], multiclass, linear.rows)[0, 0] < 1e-300
    assert set(predict([1e9 + 0.125], regression, linear.rows)) == {1e9 + 0.125}


@pytest.mark.parametrize("values", [[1.0], [0.5, 0.5, 0.0], [np.nan, 1.0]])
def test_a_constant_that_does_not_fit_is_refused(values, binary, linear):
    with pytest.raises(BundleError, match="constant"):
        predict(values, binary, linear.rows)
