import numpy as np
import pytest

from temperance.deployment.opening.answers import as_answers, order_of, plain, said, scale_of
from temperance.records.errors import DataError
from temperance.records.schema import Schema, Target

TWO, THREE = Target("y", "binary", ("no", "yes")), Target("y", "multiclass", ("a", "b", "c"))
VALUES = Target("y", "regression")


@pytest.mark.parametrize(("raw", "target", "scale"), [
    ([[0.2, 0.8], [1.0, 0.0]], TWO, "probabilities"), ([[0.2, 0.9], [1.0, 0.0]], TWO, "logits"),
    ([[-1.0, 2.0]], TWO, "logits"), ([[0.3], [0.9]], TWO, "chance"), ([0.3, 0.9], TWO, "chance"),
    ([[-0.3], [0.9]], TWO, "logit"), ([[1.0, 2.0, 3.0]], THREE, "logits"), ([[3.0], [1.0]], VALUES, "values"),
])  # fmt: skip
def test_what_outputs_are(raw, target, scale) -> None:
    given = np.array(raw)
    assert scale_of(given, target) == scale
    found = as_answers(given, scale)
    assert said(scale, target)
    if scale == "values":
        assert found.shape == (len(given),)
    else:
        assert found.sum(axis=1) == pytest.approx(np.ones(len(given)))


def test_by_hand() -> None:
    assert as_answers(np.array([[0.0]]), "logit").tolist() == [[0.5, 0.5]]
    assert as_answers(np.array([[0.0, np.log(3.0)]]), "logits")[0] == pytest.approx([0.25, 0.75])
    assert as_answers(np.array([[900.0, -900.0]]), "logits").tolist() == [[1.0, 0.0]]
    assert as_answers(np.array([0.3]), "chance")[0] == pytest.approx([0.7, 0.3])
    assert "'yes'" in said("chance", TWO)
    assert said("logits", TWO).endswith(f"for the classes {', '.join(TWO.classes)}, in this order.")


@pytest.mark.parametrize(("shape", "target"), [((4, 3), TWO), ((4, 2), THREE), ((4, 2), VALUES), ((4,), THREE)])
def test_other_shapes_are_refused(shape, target) -> None:
    with pytest.raises(DataError, match="outputs of shape"):
        scale_of(np.zeros(shape), target)


def test_the_order_of_classes() -> None:
    schema = Schema((), Target("y", "multiclass", ("0", "1", "true")))
    assert order_of([True, np.float64(1.0), 0], schema).tolist() == [2, 1, 0]
    assert [plain(v) for v in (1.0, np.int64(3), True, "x", 1.5)] == ["1", "3", "true", "x", "1.5"]
    with pytest.raises(DataError, match="the classes of the data"):
        order_of(["0", "1"], schema)
    with pytest.raises(DataError, match="a model with the classes"):
        order_of(["0", "1", "true", "more"], schema)
