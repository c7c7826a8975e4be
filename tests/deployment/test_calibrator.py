import numpy as np
import pytest

from temperance.deployment.bundle import session
from temperance.deployment.calibrator import draw_calibrator
from temperance.deployment.sketch import Sketch
from temperance.evaluation.calibration import Beta, Identity, Matrix, Quadratic, Temperature
from temperance.records.errors import BundleError

TWO = np.array([[0.3, 0.7], [1.0, 0.0], [1e-15, 1.0], [0.999, 0.001], [0.5, 0.5]])
FOUR = np.random.default_rng(0).dirichlet(np.full(4, 0.2), size=20)
WEIGHT = tuple(tuple(row) for row in np.random.default_rng(1).normal(size=(4, 4)).tolist())


@pytest.mark.parametrize(
    ("calibrator", "p"),
    [
        (Identity(), FOUR), (Temperature(2.0), FOUR), (Temperature(0.4), TWO), (Beta(0.4, 1.7, -0.3), TWO),
        (Matrix(WEIGHT, (0.1, -0.2, 0.0, 0.3)), FOUR),
        (Quadratic(0.5, 1.5, 0.3, -2.0, 3.0), TWO), (Quadratic(0.0, 2.0, 0.1, 1.0, 4.0), TWO),
        (Quadratic(1.2, 0.7, 0.0, -9.0, -2.0), TWO),
    ],
)  # fmt: skip
def test_the_graph_says_what_the_calibrator_says(binary, calibrator, p):
    classes, sketch = p.shape[1], Sketch(binary)
    part = sketch.add("Slice", "numeric", *(sketch.constant([v], np.int64) for v in (0, classes, 1)))
    scores = draw_calibrator(sketch, sketch.add("Log", part), calibrator, classes=classes)
    graph = sketch.finish({"out": (sketch.add("Softmax", scores, axis=-1), ["b", classes])})
    entries = session(graph.SerializeToString())
    padded = np.concatenate([p, np.ones((len(p), 4 - classes))], axis=1)
    feed = {"numeric": padded, "categorical": np.full((len(p), 2), "", dtype=object)}
    out = entries.run(None, {e.name: feed[e.name] for e in entries.get_inputs()})[0]
    assert out == pytest.approx(calibrator.apply(p), abs=1e-12)


@pytest.mark.parametrize("calibrator", [Beta(), Quadratic(), Matrix(((1.0, 0.0), (0.0, 1.0)), (0.0, 0.0))])
def test_another_count_of_classes_is_refused(binary, calibrator):
    with pytest.raises(BundleError, match="3"):
        draw_calibrator(Sketch(binary), "numeric", calibrator, classes=3)
