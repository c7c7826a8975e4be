import numpy as np
import pytest

from temperance.data.preprocess import Preprocess
from temperance.deployment.bundle import session
from temperance.deployment.encoding import Encoding, draw_image, draw_numeric, draw_words, positions
from temperance.deployment.parity import stress_rows
from temperance.deployment.sketch import Sketch
from temperance.records.errors import BundleError
from temperance.records.schema import Rows, Schema, Target
from temperance.records.table import Table


def features(schema, draw, feed):
    sketch = Sketch(schema)
    name = sketch.cast(draw(sketch), np.float64)
    entries = session(sketch.finish({"out": (name, ["b", "f"])}).SerializeToString())
    return entries.run(None, {e.name: feed[e.name] for e in entries.get_inputs()})[0]


@pytest.fixture
def fitted(kit, binary):
    rows, target = kit.table_of(binary)
    return Preprocess.fit(Table(binary, rows, target), min_count=100), rows


def test_features_equal_those_of_the_fitted_preprocessing(binary, fitted):
    preprocess, rows = fitted
    encoding = Encoding.of(preprocess, binary)
    stress = stress_rows(rows, binary)
    stress.numeric[3] = [np.inf, -np.inf, 1e308, -1e308]
    for part in (rows, stress):
        feed = {"numeric": part.numeric, "categorical": binary.decode(part.categorical)}
        expected = preprocess.transform(part)
        numeric = features(binary, lambda s: draw_numeric(s, encoding), feed)
        assert np.abs(numeric - expected.numeric).max() < 1e-6
        assert np.isfinite(numeric).all()
        codes = features(binary, lambda s: draw_words(s, encoding.words), feed)
        assert (codes == expected.categorical).all()
    assert encoding.width == preprocess.width
    assert 0 in preprocess.codes[0][:4]  # a rare category shares the number of the unseen


def test_small_differences_of_large_numbers_survive(binary, fitted):
    encoding = Encoding.of(fitted[0], binary)
    numeric = np.full((2, 4), [0.0, 5e6, 0.0, 3.0])
    numeric[1, 1] += 0.25
    feed = {"numeric": numeric, "categorical": np.full((2, 2), "", dtype=object)}
    out = features(binary, lambda s: draw_numeric(s, encoding), feed)
    assert out[1, 1] - out[0, 1] == pytest.approx(0.25 * encoding.scale[1], rel=1e-2)


def test_categories_are_looked_up_per_column(binary, kit):
    words = np.array([["red", "yes"], ["", "red"], ["very rare", "no"], ["RED", "über"]], dtype=object)
    feed = {"numeric": np.zeros((4, 4)), "categorical": words}
    out = features(binary, lambda s: draw_words(s, positions(kit.WORDS)), feed)
    assert out.tolist() == [[1, 1], [0, 0], [4, 2], [0, 0]]


def test_image_features_equal_those_of_the_fitted_preprocessing():
    schema = Schema((), Target("y", "binary", ("a", "b")), "images", (5, 3, 2))
    images = np.random.default_rng(0).integers(0, 256, (20, 5, 3, 2)).astype(np.uint8)
    rows = Rows(np.empty((20, 0)), np.empty((20, 0), dtype=np.int32), images)
    preprocess = Preprocess.fit(Table(schema, rows, np.arange(20) % 2))
    encoding = Encoding.of(preprocess, schema)
    out = features(schema, lambda s: draw_image(s, encoding), {"image": images})
    assert np.abs(out - preprocess.transform(rows).images).max() < 1e-6


def test_arrays_of_other_columns_are_refused(binary, kit, fitted):
    narrow = Schema(binary.columns[1:-1], binary.target)
    encoding = Encoding.of(fitted[0], binary)
    with pytest.raises(BundleError, match="numeric columns"):
        draw_numeric(Sketch(narrow), encoding)
    with pytest.raises(BundleError, match="categorical columns"):
        draw_words(Sketch(narrow), encoding.words)


@pytest.mark.parametrize("largest", [None, 2])
def test_numbers_as_they_are_agree_with_the_preprocessing(binary, fitted, largest):
    preprocess, rows = fitted[0].as_they_are(largest), fitted[1]
    encoding = Encoding.of(preprocess, binary)
    stress = stress_rows(rows, binary)
    stress.numeric[3] = [np.inf, -np.inf, 1e308, -1e308]
    feed = {"numeric": stress.numeric, "categorical": binary.decode(stress.categorical)}
    found = features(binary, lambda s: draw_numeric(s, encoding), feed)
    assert (found == preprocess.transform(stress).numeric).all()
    assert encoding.width == preprocess.width
